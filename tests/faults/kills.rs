//! A paying process is killed at random points, over and over; now and then the merchant's authorizer and the gateway
//! are killed and started again, too. Each is a real process, and dies by SIGKILL: nothing is flushed, nothing dropped.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tonopago::clock::SystemClock;
use tonopago::ledger::{Ledger, State};
use tonopago::openpay::sandbox::{Sandbox, SandboxConfig};
use tonopago::payment::Cashier;

use super::proxy::Proxy;
use super::setting;
use super::shop::{PASSWORD, SECRET, Told, call, cashier, issue, name_of, notifier, tell_everything};
use super::table::{Books, Heard, faults, merchant_knows, row};

/// Kills of a run in the test suite.
const QUICK_KILLS: u32 = 12;
/// New keys for each process; few, so that each is tried many times, by several threads at once.
const KEYS: u32 = 24;
/// Processes over which a key is tried.
const GENERATIONS: u32 = 3;
/// Callers of one process.
const CALLERS: usize = 4;
/// How long a worker is given to start.
const MOST_PATIENCE: Duration = Duration::from_secs(5);
/// Exchanges that fail, of a hundred.
const FAILING: u8 = 15;
/// Tells this program to be the process that is killed.
const WORKER: &str = "TONOPAGO_TEST_WORKER";

/// The process that is killed. Run without the environment variable, as the test suite does, it has nothing to do.
#[test]
fn worker() {
    let Ok(setting) = std::env::var(WORKER) else { return };
    let [generation, openpay, authorizer, ledger] = setting.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
    let generation: u32 = generation.parse().unwrap();
    let orders = generation.saturating_sub(GENERATIONS - 1) * KEYS..(generation + 1) * KEYS;
    let started = Instant::now();
    let cashier = cashier(openpay, authorizer, Path::new(ledger));
    let _telling = notifier(cashier.till().ledger(), authorizer).start(Duration::from_millis(50)).unwrap();
    let left: Vec<i64> = open_attempts(&cashier).collect();
    cashier.till().reconcile().unwrap();
    let still = open_attempts(&cashier).filter(|id| left.contains(id)).count();
    say(&format!("reconciled {} {} {still}", started.elapsed().as_millis(), left.len()));
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            let (cashier, orders) = (&cashier, orders.clone());
            scope.spawn(move || {
                let mut random = fastrand::Rng::new();
                loop {
                    let order = random.u32(orders.clone());
                    let told = call(cashier, order, &mut random);
                    say(&format!("told {} {told:?}", name_of(order)));
                }
            });
        }
    });
}

fn open_attempts(cashier: &Cashier) -> impl Iterator<Item = i64> + '_ {
    let open = State::ALL.into_iter().filter(|state| state.is_open());
    open.flat_map(|state| cashier.till().ledger().attempts_in(state).unwrap()).map(|attempt| attempt.id)
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").unwrap();
    output.flush().unwrap();
}

/// What a killed process had said.
#[derive(Default)]
struct Life {
    told: Vec<(String, Told)>,
    /// Milliseconds until it had reconciled once, attempts it found open, those of them it left open.
    reconciled: Option<[u64; 3]>,
}

impl Life {
    fn hear(&mut self, line: &str) {
        if let Some((order, what)) = line.strip_prefix("told ").and_then(|told| told.split_once(' ')) {
            let known = [Told::Paid, Told::NotPaid, Told::BeingVerified, Told::KeyRefused, Told::TryLater];
            let told = known.into_iter().find(|told| format!("{told:?}") == what).unwrap();
            self.told.push((order.to_owned(), told));
        } else if let Some(numbers) = line.strip_prefix("reconciled ") {
            let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            self.reconciled = Some(numbers.try_into().unwrap());
        }
    }
}

/// When a worker is killed.
#[derive(Clone, Copy)]
struct Death {
    /// Counted from its start, where it may not have reconciled yet; else from then on.
    while_starting: bool,
    after: Duration,
}

/// Runs a worker until it is killed.
fn run_and_kill(setting: &str, death: Death) -> Life {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::worker", "--nocapture"])
        .env(WORKER, setting)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (begins_work, work) = std::sync::mpsc::channel();
    let listener = std::thread::spawn(move || {
        let mut life = Life::default();
        for line in output.lines().map_while(Result::ok) {
            life.hear(&line);
            if life.reconciled.is_some() {
                let _ = begins_work.send(()); // nobody waits for the second
            }
        }
        life
    });
    if !death.while_starting {
        let _ = work.recv_timeout(MOST_PATIENCE); // a gateway that is down keeps it from starting
    }
    std::thread::sleep(death.after);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    listener.join().unwrap()
}

/// A service of the program's own, on a port it keeps over its deaths.
struct Service {
    child: Child,
    args: Vec<String>,
    url: String,
}

impl Service {
    fn start(args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let (child, url) = Self::spawn(&args, "127.0.0.1:0");
        Self { child, args, url }
    }

    fn spawn(args: &[String], listen: &str) -> (Child, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tonopago"))
            .args(args)
            .args(["--listen", listen])
            .env("TONOPAGO_AUTHORIZER_PASSWORD", PASSWORD)
            .env("TONOPAGO_REPORT_SECRET", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("address ").unwrap().trim().replace("/openpay/authorizer", "");
        (child, url)
    }

    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (child, url) = Self::spawn(&self.args, self.url.trim_start_matches("http://"));
        assert_eq!(url, self.url);
        self.child = child;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn payments_survive_kills() {
    let kills = setting("TONOPAGO_KILLS", QUICK_KILLS);
    let seed = u64::from(setting("TONOPAGO_SEED", fastrand::u32(..)));
    println!("\n== {kills} kill -9 of a paying process, {CALLERS} callers in each, {FAILING} % of exchanges fail");
    println!("seed {seed} (of the faults; what the machine schedules differs from run to run)");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (sandbox_file, merchant_file, box_file) = (file("sandbox.sqlite"), file("merchant.sqlite"), file("box.sqlite"));
    let merchant = Ledger::open(Path::new(&merchant_file), Arc::new(SystemClock)).unwrap();
    let mut sandbox = Service::start(&["sandbox", "--file", &sandbox_file]);
    let unlimited = u32::MAX.to_string();
    let limits = ["--wrong-keys-per-hour", &unlimited, "--requests-per-minute", &unlimited];
    let serve = ["authorizer", "serve", "--ledger", &merchant_file];
    let mut authorizer = Service::start(&[&serve[..], &limits].concat());
    let to_openpay = Proxy::start(&sandbox.url, FAILING, seed);
    let to_authorizer = Proxy::start(&authorizer.url, FAILING, seed + 1);

    let (mut heard, mut rounds, mut service_kills) = (Heard::new(), Vec::new(), 0);
    for generation in 0..kills {
        (generation * KEYS..(generation + 1) * KEYS).for_each(|order| issue(&merchant, order));
        let services = [&mut sandbox, &mut authorizer];
        let victim = random.usize(0..10);
        let lifetime = Duration::from_millis(random.u64(20..400));
        let death = Death { while_starting: random.u8(0..4) == 0, after: lifetime };
        let setting = format!("{generation} {} {} {box_file}", to_openpay.url(), to_authorizer.url());
        let life = std::thread::scope(|scope| {
            let life = scope.spawn(|| run_and_kill(&setting, death));
            if let Some(service) = services.into_iter().nth(victim) {
                std::thread::sleep(lifetime / 2);
                service.kill_and_restart();
                service_kills += 1;
            }
            life.join().unwrap()
        });
        for (order, told) in life.told {
            heard.entry(order).or_default().push(told);
        }
        rounds.extend(life.reconciled);
    }

    // Restart for the last time, and find everything out.
    to_openpay.set_percent(0);
    let begun = Instant::now();
    let cashier = cashier(to_openpay.url(), to_authorizer.url(), Path::new(&box_file));
    let left = open_attempts(&cashier).count();
    while cashier.till().reconcile().unwrap().open > 0 {
        assert!(begun.elapsed() < Duration::from_secs(600), "an attempt stays open");
        std::thread::sleep(Duration::from_millis(100));
    }
    let closed = begun.elapsed();
    to_authorizer.set_percent(0);
    let box_ledger = cashier.till().ledger();
    tell_everything(box_ledger, to_authorizer.url());
    faults(&[to_authorizer.tally(), to_openpay.tally()]);
    row("kills of the paying process", kills as usize);
    row("kills of the services", service_kills);
    tell_restarts(&mut rounds);
    println!("{:<32}{:>10.1}  ({left} attempts were open)", "s from last restart to all closed", closed.as_secs_f64());
    drop(sandbox);
    let books = Sandbox::start(SandboxConfig { file: Some(sandbox_file.into()), ..SandboxConfig::default() }).unwrap();
    // A process that was killed told nobody anything afterwards: what its last call would have heard is not known.
    heard.values_mut().for_each(|told| told.retain(|what| *what != Told::NotPaid));
    Books::compare(box_ledger, &books.charges().unwrap()).judge(&heard);
    merchant_knows(box_ledger, &merchant);
}

fn tell_restarts(rounds: &mut [[u64; 3]]) {
    rounds.sort_unstable();
    let times: Vec<u64> = rounds.iter().map(|[ms, _, _]| *ms).collect();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    println!(
        "{:<32}{:>10}  (worst {}, of {} that lived to say so)",
        "ms from restart to one round, median",
        at(times.len() / 2),
        times.last().copied().unwrap_or_default(),
        times.len()
    );
    row("attempts found open at restarts", rounds.iter().map(|[_, left, _]| *left as usize).sum());
    row("  of them open after one round", rounds.iter().map(|[_, _, still]| *still as usize).sum());
}
