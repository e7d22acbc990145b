//! Many callers at once, over real HTTP and real SQLite, on a network that fails at every step.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tonopago::authorizer::{AuthorizerServer, GuessLimits, Profile, Protection, ServerConfig};
use tonopago::clock::SystemClock;
use tonopago::http::Credentials;
use tonopago::ledger::Ledger;
use tonopago::openpay::sandbox::{OrderIds, Sandbox, SandboxConfig};
use tonopago::payment::Cashier;

use super::proxy::Proxy;
use super::setting;
use super::shop::{PASSWORD, Told, call, cashier, issue, name_of, notifier, secret, tell_everything};
use super::table::{Books, Heard, faults, merchant_knows, row};

/// Payments of a run in the test suite.
const QUICK_PAYMENTS: u32 = 120;
/// Callers at once.
const CALLERS: usize = 16;
/// Exchanges that fail, of a hundred.
const FAILING: u8 = 20;
/// A caller who was not told "paid" calls again, at most so often.
const CALLS: usize = 4;

/// A paying public: orders to be paid, and what was heard.
struct Public<'a> {
    cashier: &'a Cashier,
    waiting: Mutex<VecDeque<u32>>,
    heard: Mutex<Heard>,
}

impl Public<'_> {
    fn pay_all(&self, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        while let Some(order) = self.next() {
            self.pay(order, &mut random);
        }
    }

    fn next(&self) -> Option<u32> {
        self.waiting.lock().unwrap().pop_front()
    }

    fn pay(&self, order: u32, random: &mut fastrand::Rng) {
        for _ in 0..CALLS {
            let told = call(self.cashier, order, random);
            self.heard.lock().unwrap().entry(name_of(order)).or_default().push(told);
            if matches!(told, Told::Paid | Told::KeyRefused) {
                return;
            }
        }
    }
}

/// Every eighth order has two callers, who call at the same time.
const fn has_two_callers(order: u32) -> bool {
    order.is_multiple_of(8)
}

fn serve_merchant(ledger: &Path) -> (AuthorizerServer, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    let (bind, credentials) = ("127.0.0.1:0".parse().unwrap(), Credentials::new("ivr", PASSWORD));
    let config = ServerConfig { bind, credentials, profile: Profile::default() };
    let protection = Protection { guesses: GuessLimits::none(), reports: Some(secret()), ..Protection::default() };
    (AuthorizerServer::start_with(config, Arc::clone(&ledger), protection).unwrap(), ledger)
}

#[test]
fn payments_survive_faults() {
    let payments = setting("TONOPAGO_PAYMENTS", QUICK_PAYMENTS);
    let seed = u64::from(setting("TONOPAGO_SEED", fastrand::u32(..)));
    for rule in [OrderIds::AmongAll, OrderIds::AmongSuccessful] {
        run(payments / 2, seed, rule);
    }
}

fn run(payments: u32, seed: u64, rule: OrderIds) {
    println!("\n== {payments} payments, {CALLERS} callers at once, {FAILING} % of exchanges fail, order ids {rule:?}");
    println!("seed {seed} (of the faults; what the machine schedules differs from run to run)");
    let folder = tempfile::tempdir().unwrap();
    let file = Some(folder.path().join("sandbox.sqlite"));
    let sandbox = Sandbox::start(SandboxConfig { file, order_ids: rule, ..SandboxConfig::default() }).unwrap();
    let (server, merchant) = serve_merchant(&folder.path().join("merchant.sqlite"));
    let authorizer = Proxy::start(server.url().trim_end_matches(AuthorizerServer::PATH), FAILING, seed);
    let openpay = Proxy::start(&sandbox.base_url(), FAILING, seed + 1);
    let cashier = cashier(openpay.url(), authorizer.url(), &folder.path().join("box.sqlite"));
    let telling = notifier(cashier.till().ledger(), authorizer.url()).start(Duration::from_millis(100)).unwrap();

    let mut waiting = VecDeque::new();
    for order in 0..payments {
        issue(&merchant, order);
        waiting.extend(std::iter::repeat_n(order, if has_two_callers(order) { 2 } else { 1 }));
    }
    let public = Public { cashier: &cashier, waiting: Mutex::new(waiting), heard: Mutex::default() };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        (0..CALLERS as u64).for_each(|caller| {
            drop(scope.spawn({
                let public = &public;
                move || public.pay_all(seed + caller)
            }))
        });
    });
    let paying = begun.elapsed();

    openpay.set_percent(0);
    authorizer.set_percent(0);
    let begun = Instant::now();
    while cashier.till().reconcile().unwrap().open > 0 {
        assert!(begun.elapsed() < Duration::from_secs(600), "an attempt stays open");
        std::thread::sleep(Duration::from_millis(100));
    }
    let reconciled = begun.elapsed();
    drop(telling);
    let box_ledger = cashier.till().ledger();
    tell_everything(box_ledger, authorizer.url());
    faults(&[authorizer.tally(), openpay.tally()]);
    row("seconds of payments", paying.as_secs() as usize);
    println!("{:<32}{:>10.1}", "seconds until reconciled", reconciled.as_secs_f64());
    let mut heard = public.heard.into_inner().unwrap();
    // Of two callers with one key, one may rightly hear "not paid" of the own card while the other's is charged.
    let twins =
        heard.iter_mut().filter(|(order, _)| order.trim_start_matches("order").parse().is_ok_and(has_two_callers));
    twins.for_each(|(_, told)| told.retain(|what| *what != Told::NotPaid));
    Books::compare(box_ledger, &sandbox.charges().unwrap()).judge(&heard);
    merchant_knows(box_ledger, &merchant);
}
