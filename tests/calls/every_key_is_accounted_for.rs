//! Every key pressed on the line is taken once or dropped once, whatever its length, the pauses and what is being said;
//! and every such call ends when it is hung up.

use fastrand::Rng;
use tonopago::dtmf::{Digit, GeneratorConfig, generate};
use tonopago::menu::EventKind;
use tonopago::money::Money;
use tonopago::service::{Authorization, AuthorizeReply, ChargeReply, Reply, Request};
use tonopago::simulator::line::LineBuilder;

use crate::bench::{PAN, REFERENCE, pago};
use crate::sound::{Sound, digits_in};

const SEED: u64 = 61;
const CALLS: usize = 60;
const KEYS: usize = 60;

/// Keys that lead on where there is a way on, and now and then any key.
fn next_key(sound: &Sound, rng: &mut Rng, index: usize) -> char {
    let any = |rng: &mut Rng| char::from(*rng.choice(b"0123456789*#").expect("there are keys"));
    let meant = match sound.state() {
        "clave" => "257139#",
        "tarjeta" => PAN,
        "vencimiento" => "0830",
        "codigo" => "737",
        _ => "1",
    };
    if rng.u8(..8) == 0 { any(rng) } else { meant.chars().nth(index % meant.len()).unwrap_or('#') }
}

fn answer(sound: &mut Sound) {
    let reply = match sound.requests.last().map(|(_, request)| request) {
        Some(Request::Authorize { .. }) => Reply::Authorize(AuthorizeReply::Authorized(Authorization {
            amount: Money::mxn(9_900),
            order_id: "ord-61".into(),
            description: "Cargo IVR".into(),
            customer: None,
            values: Vec::new(),
        })),
        Some(Request::Charge { .. }) => Reply::Charge(ChargeReply::Approved { reference: REFERENCE.into() }),
        None => return,
    };
    sound.answer(reply);
}

fn key_on_the_line(sound: &mut Sound, key: char, rng: &mut Rng) {
    let digit = Digit::from_char(key).unwrap();
    let pause = if rng.u8(..10) == 0 { 50.0 + rng.f64() * 9000.0 } else { 50.0 + rng.f64() * 400.0 };
    let config = GeneratorConfig::default().level(-6.0 - rng.f64() * 14.0);
    let config = config.timing(50.0 + rng.f64() * 250.0, pause);
    let clean = generate(&[digit], &config).unwrap();
    let mut heard = vec![0.0; clean.len()];
    LineBuilder::new(rng.u64(..)).noise_dbm0(-45.0).build(8000).process(&clean, &vec![0.0; clean.len()], &mut heard);
    sound.feed(&heard);
}

#[test]
fn every_key_on_the_line_is_taken_once_or_dropped_once() {
    println!("seed {SEED}, {CALLS} calls of up to {KEYS} keys");
    let mut rng = Rng::with_seed(SEED);
    let mut total = 0;
    for call in 0..CALLS {
        let mut sound = Sound::new(pago());
        for index in 0..KEYS {
            if sound.call.is_over() {
                break;
            }
            let key = next_key(&sound, &mut rng, index);
            key_on_the_line(&mut sound, key, &mut rng);
            if rng.u8(..4) == 0 {
                answer(&mut sound);
            }
        }
        sound.silence(300).hang_up();
        assert!(sound.call.is_over());
        let (least, most) = keys_heard(&sound);
        let accounted = accounted_for(&sound);
        assert!((least..=most).contains(&accounted), "call {call}: {accounted} of {most}\n{}", sound.trace());
        total += accounted;
    }
    println!("{total} keys");
}

/// Keys taken and keys dropped.
fn accounted_for(sound: &Sound) -> usize {
    let accounted = sound.events.iter().map(|event| match event.kind {
        EventKind::Key { queued: false, .. } => 1,
        EventKind::Dropped { keys, .. } => keys,
        _ => 0,
    });
    accounted.sum()
}

/// Keys the detector knew of before the call ended: surely, and at most (one may come in the very tick of the end).
fn keys_heard(sound: &Sound) -> (usize, usize) {
    let is_end = |kind: &EventKind| matches!(kind, EventKind::HangUp { .. });
    let end = sound.events.iter().find(|event| is_end(&event.kind)).expect("the call has ended").at.0;
    let heard = digits_in(&sound.heard);
    let until = |end: u64| heard.iter().filter(|digit| digit.begin_reported <= end).count();
    (until(end.saturating_sub(80)), until(end))
}
