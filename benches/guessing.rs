//! What a guesser could learn from the clock: how long the authorizer's answers about unknown, wrong and right keys take,
//! over real HTTP and a ledger of 10 000 keys, asked in turn, in random order, so that the machine's moods strike all alike.
//!
//! `cargo bench --bench guessing`. Figures only: nothing in the tests depends on them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tonopago::authorizer::{AuthorizerServer, Profile, ServerConfig};
use tonopago::clock::ManualClock;
use tonopago::http::{Credentials, HttpClient, Timeouts};
use tonopago::ledger::{Digits, Ledger, NewKey};
use tonopago::money::Money;
use tonopago::service::PaymentKey;

/// Keys in the ledger besides those asked about.
const KEYS: u32 = 10_000;
/// Questions of each kind.
const ROUNDS: usize = 1_000;
/// Time that passes between two questions, so that nobody is locked.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

type Failure = Box<dyn std::error::Error>;

/// What is asked: kind, key, whether the password is right.
const ASKED: [(&str, &str, &str); 6] = [
    ("unknown key", "99999999", "hunter2"),
    ("expired key", "20000001", "hunter2"),
    ("cancelled key", "20000002", "hunter2"),
    ("right key", "20000003", "hunter2"),
    ("wrong password", "20000003", "hunter3"),
    ("wrong from its first letter", "20000003", "Xunter2"),
];

fn key(digits: u32) -> NewKey {
    NewKey {
        digits: Digits::Given(PaymentKey::new(digits.to_string())),
        amount: Money::mxn(20_000),
        order_id: format!("order{digits}"),
        description: "Bench".to_owned(),
        customer: None,
        expires: (digits == 20_000_001).then_some(jiff::Timestamp::UNIX_EPOCH),
        max_failures: 3,
    }
}

fn merchant(ledger: &std::path::Path, clock: Arc<ManualClock>) -> Result<AuthorizerServer, Failure> {
    let ledger = Arc::new(Ledger::open(ledger, clock)?);
    let keys: Vec<NewKey> = (10_000_000..10_000_000 + KEYS).chain(20_000_001..20_000_004).map(key).collect();
    let issued = ledger.issue_keys(&keys)?.map_err(|_| "a key could not be issued")?;
    ledger.cancel_key(issued[KEYS as usize + 1].id)?;
    let (bind, credentials) = (([127, 0, 0, 1], 0).into(), Credentials::new("ivr", "hunter2"));
    let config = ServerConfig { bind, credentials, profile: Profile::default() };
    Ok(AuthorizerServer::start(config, ledger)?)
}

/// Mean and the mean's standard error in microseconds, without the slowest twentieth, which is the machine's.
fn mean(times: &mut [Duration]) -> (f64, f64, f64) {
    times.sort_unstable();
    let kept: Vec<f64> = times[..times.len() * 19 / 20].iter().map(|time| time.as_secs_f64() * 1e6).collect();
    let count = kept.len() as f64;
    let mean = kept.iter().sum::<f64>() / count;
    let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt(), variance.sqrt())
}

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::at(jiff::Timestamp::from_second(1_700_000_000)?));
    let server = merchant(&folder.path().join("merchant.sqlite"), Arc::clone(&clock))?;
    let timeouts = Timeouts::answering_within(Duration::from_secs(10));
    let clients = ASKED.map(|(_, _, password)| HttpClient::new(Credentials::new("ivr", password), timeouts));
    let mut times = ASKED.map(|_| Vec::with_capacity(ROUNDS));
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..ROUNDS {
        // In another order each time: an answer's time also depends on what was asked before it.
        let mut order: Vec<usize> = (0..ASKED.len()).collect();
        random.shuffle(&mut order);
        for kind in order {
            let (client, (_, key, _), times) = (&clients[kind], ASKED[kind], &mut times[kind]);
            let body = format!(r#"{{"ivr_key":"{key}","phone_number":null,"local_date":"2026-11-23T10:15:00"}}"#);
            let begun = Instant::now();
            client.post(&server.url(), body.as_bytes())?;
            times.push(begun.elapsed());
            clock.advance(PAUSE);
        }
    }
    println!("{ROUNDS} answers of each kind, {KEYS} keys in the ledger; microseconds");
    println!("{:<28}{:>8}{:>10}{:>10}{:>24}", "answer", "mean", "+-", "spread", "differs from unknown by");
    let unknown = mean(&mut times[0].clone());
    for ((name, ..), times) in ASKED.iter().zip(&mut times) {
        let (mean, error, spread) = mean(times);
        let (differs, noise) = (mean - unknown.0, error.hypot(unknown.1));
        println!("{name:<28}{mean:>8.1}{error:>10.2}{spread:>10.1}{differs:>15.1} +- {noise:.2}");
    }
    Ok(())
}
