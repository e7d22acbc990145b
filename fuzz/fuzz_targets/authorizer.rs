//! What travels between box and authorizer: a body, and behind a zero byte the names it goes by. What is read can be written and
//! read again; no amount is beyond the limit; no text of an error repeats the body; and no signature is right but the secret's.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tonopago::authorizer::{Profile, WireError, decode_answer, decode_request, encode_answer, encode_request};
use tonopago::http::SigningSecret;
use tonopago::money::Money;
use tonopago::order_id;
use tonopago_fuzz::canary;

const LIMIT: Money = Money::mxn(1_000_000);
/// A second of 2023, in which the seeds were signed.
const SIGNED: i64 = 1_700_000_000;

fuzz_target!(init: canary::keep_logs(), |data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let body = parts.next().unwrap_or_default();
    let profile = parts.next().and_then(|json| Profile::parse(str::from_utf8(json).ok()?).ok()).unwrap_or_default();
    question(&profile, body);
    answer(&profile, body);
    signature(body);
    // The beginning of a code that nobody knows is told: a merchant must find it.
    let logged = canary::take_logs();
    assert!(!logged.lines().any(|line| canary::tells(line) && !line.contains("response code")), "{logged}");
});

fn question(profile: &Profile, body: &[u8]) {
    match decode_request(profile, body) {
        Ok(key) => {
            let digits = key.expose();
            assert!((1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
            assert!(digits.len() < 4 || !format!("{key:?}").contains(digits));
            let again = encode_request(profile, &key, &[], None, "2026-11-23T10:15:00");
            assert_eq!(decode_request(profile, &again), Ok(key));
        }
        Err(error) => told(&error, profile, body),
    }
}

fn answer(profile: &Profile, body: &[u8]) {
    match decode_answer(profile, body, LIMIT) {
        Ok(Ok(allowed)) => {
            assert!(
                (1..=LIMIT.centavos).contains(&allowed.amount.centavos) && allowed.amount.currency == LIMIT.currency
            );
            assert_eq!(order_id::check(&allowed.order_id), Ok(()));
            assert!(allowed.description.chars().count() <= 250);
            if *profile == Profile::default() {
                let answer = Ok(allowed);
                assert_eq!(decode_answer(profile, &encode_answer(profile, &answer), LIMIT), Ok(answer));
            }
        }
        Ok(Err(refusal)) => {
            if *profile == Profile::default() {
                let again = encode_answer(profile, &Err(refusal));
                assert_eq!(decode_answer(profile, &again, LIMIT), Ok(Err(refusal)));
            }
        }
        Err(error) => told(&error, profile, body),
    }
}

/// What is told of a body that can't be read: places in it, names of the profile, nothing else of it.
fn told(error: &WireError, profile: &Profile, body: &[u8]) {
    let names = format!("{profile:?}");
    match error {
        WireError::Json { line, column } => {
            assert!(*line <= 1 + body.iter().filter(|byte| **byte == b'\n').count() && *column <= body.len() + 1);
        }
        // An amount that is one may be told.
        WireError::Limit { .. } => return,
        WireError::Field(name) => assert!(names.contains(&format!("{name:?}")), "{name:?}"),
        _ => {}
    }
    let shown = format!("{error} {error:?}");
    assert!(!canary::tells(&shown) || canary::tells(&names), "{shown}");
}

/// The first line is a signature of the rest.
fn signature(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(header), body) = (std::str::from_utf8(&data[..end]), &data[end + 1..]) else { return };
    let secret = SigningSecret::new("0123456789abcdef").expect("16 bytes");
    let now = at(SIGNED);
    if secret.verify(header, body, now).is_ok() {
        let digits = |text: &str| text.split_once("v1=").map(|(_, hex)| hex[..64].to_ascii_lowercase());
        let time = |text: &str| text.split(',').find_map(|part| part.trim().strip_prefix("t=")?.parse::<i64>().ok());
        let seconds = time(header).expect("what is signed has a time");
        assert!(seconds.abs_diff(SIGNED) <= 300);
        let right = secret.sign(body, at(seconds));
        assert_eq!(digits(header), digits(&right));
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time within 300 s of 2023")
}
