//! A paying process is killed at random points, over and over, while the gateway fails at random: never two charges for
//! one key, nothing told "paid" that is not, and after reconciliation ledger and gateway agree on everything.
//!
//! `TONOPAGO_KILLS=500 cargo test --release --test payments_survive_kills -- --nocapture` is the long campaign.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig};
use tonopago::card::{Cvv, Expiry, Pan, YearMonth};
use tonopago::clock::SystemClock;
use tonopago::http::{Credentials, Endpoint, Timeouts};
use tonopago::ledger::{Ledger, State};
use tonopago::money::Money;
use tonopago::openpay::sandbox::{Fault, Operation, Sandbox, SandboxConfig};
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{Cashier, CashierConfig, Till};
use tonopago::service::{Authorization, Card, ChargeReply, PaymentKey, Reply, Request};

/// Kills of a run in the test suite.
const QUICK_KILLS: u32 = 15;
/// New keys for each process; few, so that each is tried many times, by several threads at once.
const KEYS: u32 = 24;
/// Processes over which a key is tried.
const GENERATIONS: u32 = 3;
/// Callers of one process.
const CALLERS: usize = 4;
/// Tells this program to be the process that is killed: how many were killed before, where the sandbox is, the ledger.
const WORKER: &str = "TONOPAGO_TEST_WORKER";

fn patience() -> CashierConfig {
    let payer = Payer { name: "Cliente".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    CashierConfig {
        queries: [0, 20, 60].map(Duration::from_millis).to_vec(),
        gateway_limit: Duration::from_millis(150),
        lapse_after: Duration::from_secs(3),
        reservation: Duration::from_millis(500),
        ..CashierConfig::new(payer)
    }
}

fn cashier(url: &str, ledger: &Path) -> Cashier {
    let sandbox = SandboxConfig::default();
    let key = PrivateKey::parse(&sandbox.private_key).unwrap();
    let mut config = Config::new(url, &sandbox.merchant_id, key).unwrap();
    config.charge_timeouts = Timeouts::answering_within(Duration::from_millis(150));
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    let nowhere = Endpoint::parse("http://127.0.0.1:9/").unwrap();
    let authorizer = AuthorizerConfig::new(nowhere, Credentials::new("", ""));
    let authorizer = AuthorizerClient::new(authorizer, Arc::new(SystemClock));
    Cashier::new(authorizer, Till::new(Client::new(&config), ledger, patience()))
}

fn card(number: &str) -> Card {
    let pan = Pan::parse(number).ok().unwrap();
    let expiry = Expiry::parse_mmyy("1230", YearMonth { year: 2026, month: 11 }).ok().unwrap();
    Card { pan, expiry, cvv: Cvv::parse("123", None).ok().unwrap() }
}

/// The process that is killed. Run without the environment variable, as the test suite does, it has nothing to do.
#[test]
fn worker() {
    let Ok(setting) = std::env::var(WORKER) else { return };
    let [generation, url, ledger] = setting.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
    let generation: u32 = generation.parse().unwrap();
    let orders = generation.saturating_sub(GENERATIONS - 1) * KEYS..(generation + 1) * KEYS;
    let cashier = cashier(url, Path::new(ledger));
    cashier.reconcile().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| call_for_ever(&cashier, orders.clone()));
        }
    });
}

fn call_for_ever(cashier: &Cashier, orders: Range<u32>) {
    loop {
        let order_id = format!("order{}", fastrand::u32(orders.clone()));
        let number = if fastrand::u8(0..4) == 0 { "4222222222222220" } else { "4111111111111111" };
        let authorization = Authorization {
            amount: Money::mxn(20_000),
            order_id: order_id.clone(),
            description: "d".into(),
            customer: None,
        };
        let (key, card) = (PaymentKey::new(order_id.clone()), card(number));
        let reply = cashier.perform(Request::Charge { key, authorization, card, months: None });
        let told = match reply {
            Reply::Charge(ChargeReply::Approved { .. } | ChargeReply::AlreadyPaid { .. }) => "paid",
            Reply::Charge(_) => "not-paid",
            Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
        };
        let mut output = std::io::stdout().lock();
        writeln!(output, "told {order_id} {told}").unwrap();
        output.flush().unwrap();
    }
}

/// Runs a worker until it is killed; gives the orders whose callers were told "paid".
fn run_and_kill(generation: u32, url: &str, ledger: &Path, lifetime: Duration) -> BTreeSet<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--nocapture"])
        .env(WORKER, format!("{generation} {url} {}", ledger.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let listener = std::thread::spawn(move || {
        let told = output.lines().map_while(Result::ok).filter_map(|line| {
            let (order, what) = line.strip_prefix("told ")?.split_once(' ')?;
            (what == "paid").then(|| order.to_owned())
        });
        told.collect()
    });
    std::thread::sleep(lifetime);
    child.kill().unwrap(); // SIGKILL: nothing is flushed, nothing is dropped
    child.wait().unwrap();
    listener.join().unwrap()
}

fn break_at_random(sandbox: &Sandbox, random: &mut fastrand::Rng) {
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::DelayAfter { ms: 250 },
        Fault::StallBefore { ms: 250 },
        Fault::Duplicate,
        Fault::ErrorBefore { status: 503 },
        Fault::ErrorAfter { status: 500 },
        Fault::Garbage,
        Fault::Truncated,
        Fault::SlowBody { ms: 5 },
    ];
    let operations = [Operation::Charge, Operation::Charge, Operation::Token, Operation::ListCharges];
    for _ in 0..random.usize(0..6) {
        sandbox.inject(*random.choice(&operations).unwrap(), *random.choice(&faults).unwrap());
    }
}

/// The order a charge belongs to: its order id without an attempt's suffix.
fn order_of(gateway_order_id: &str) -> String {
    gateway_order_id.split('-').next().unwrap_or_default().to_owned()
}

#[test]
fn never_two_charges_for_one_key_and_no_outcome_lost() {
    let kills = std::env::var("TONOPAGO_KILLS").map_or(QUICK_KILLS, |text| text.parse().unwrap());
    let seed = fastrand::u64(..);
    println!("seed {seed} (of the faults; what the machine schedules differs from run to run), {kills} kills");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(SandboxConfig::default()).unwrap();
    let ledger: PathBuf = folder.path().join("ledger.sqlite");
    let mut told_paid = BTreeSet::new();
    for generation in 0..kills {
        break_at_random(&sandbox, &mut random);
        let lifetime = Duration::from_millis(random.u64(20..400));
        told_paid.extend(run_and_kill(generation, &sandbox.base_url(), &ledger, lifetime));
    }

    // Restart for the last time, and find everything out.
    let cashier = cashier(&sandbox.base_url(), &ledger);
    let mut rounds = 0;
    while cashier.reconcile().unwrap().open > 0 {
        rounds += 1;
        assert!(rounds < 200, "an attempt stays open");
        std::thread::sleep(Duration::from_millis(100));
    }

    let mut charged: BTreeMap<String, u32> = BTreeMap::new();
    for charge in sandbox.charges().unwrap().iter().filter(|charge| charge.status == "completed") {
        *charged.entry(order_of(charge.order_id.as_ref().unwrap())).or_default() += 1;
    }
    let ledger = cashier.till().ledger();
    let approved: BTreeSet<String> =
        ledger.attempts_in(State::Approved).unwrap().into_iter().map(|attempt| attempt.order_id).collect();
    let attempts = ledger.latest_attempts(u32::MAX).unwrap();
    let in_state = |state| attempts.iter().filter(|attempt| attempt.state == state).count();
    println!(
        "{} attempts: {}; {} told paid, {} orders charged, {} charged twice",
        attempts.len(),
        State::ALL.map(|state| format!("{state} {}", in_state(state))).join(", "),
        told_paid.len(),
        charged.len(),
        charged.values().filter(|count| **count > 1).count(),
    );
    assert!(charged.values().all(|count| *count == 1), "charged twice: {charged:?}");
    assert_eq!(approved, charged.keys().cloned().collect(), "ledger and gateway disagree");
    assert!(told_paid.is_subset(&approved), "told paid, but not paid: {told_paid:?}");
    assert!(!charged.is_empty(), "nothing was paid at all: the test tests nothing");
}
