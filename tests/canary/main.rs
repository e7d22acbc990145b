//! A canary card number and CVV go through every path of a payment at the most verbose log level; then everything
//! written, and this process's memory, is searched for them. The sandbox, which has to see them, is another process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod forms;
mod memory;
#[path = "../peers/mod.rs"]
mod peers;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig, AuthorizerServer, Profile, ServerConfig};
use tonopago::card::{Cvv, Expiry, Pan, SecretDigits, YearMonth};
use tonopago::clock::SystemClock;
use tonopago::http::{Credentials, Endpoint, HttpClient, Timeouts};
use tonopago::ledger::{Digits, Ledger, NewKey};
use tonopago::money::Money;
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{Cashier, CashierConfig, Till};
use tonopago::service::{AuthorizeReply, Card, ChargeReply, PaymentKey, Reply, Request};

use forms::{Form, KINDS, Kind, Table, count, forms};
use memory::count_in_memory;
use peers::PEERS;

/// Every byte of a secret in this file is combined with this, so that the program's own constants are not found.
const MASK: u8 = 0x5a;
/// `378282246310005`, a published American Express test number.
const PAN: [u8; 15] = masked(*b"378282246310005");
/// `4222222222222220`, Openpay's declined card.
const DECLINED: [u8; 16] = masked(*b"4222222222222220");
/// `340000000000009`, a number that is only looked for to see that it would be found.
const CONTROL: [u8; 15] = masked(*b"340000000000009");
/// So many secrets are dropped one after another: more than an allocator keeps at hand, which it treats otherwise.
const DROPPED: usize = 64;
/// `0739`: no number in a log starts with a zero.
const CVV: [u8; 4] = masked(*b"0739");
/// The demo's cards and their CVVs.
const DEMO_CARDS: [(&[u8], &[u8]); 2] =
    [(&masked(*b"4111111111111111"), &masked(*b"737")), (&masked(*b"4222222222222220"), &masked(*b"481"))];
/// The sandbox's well-known private key, which is no secret.
const SANDBOX_KEY: &str = "sk_sandbox00000000000000000000000000";

const fn masked<const N: usize>(mut text: [u8; N]) -> [u8; N] {
    let mut place = 0;
    while place < N {
        text[place] ^= MASK;
        place += 1;
    }
    text
}

/// Types a secret in as a caller does, key by key.
fn keyed(secret: &[u8]) -> SecretDigits {
    let mut digits = SecretDigits::new();
    assert!(secret.iter().all(|byte| digits.push(char::from(byte ^ MASK))));
    digits
}

fn card(pan: &[u8]) -> Card {
    let pan = Pan::parse(keyed(pan).expose()).ok().unwrap();
    let expiry = Expiry::parse_mmyy("1230", YearMonth { year: 2026, month: 11 }).ok().unwrap();
    let cvv = &CVV[..pan.brand().cvv_length()];
    Card { cvv: Cvv::parse(keyed(cvv).expose(), Some(pan.brand())).ok().unwrap(), pan, expiry }
}

/// Everything logged, by this program and by every library in it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct SandboxProcess {
    child: Child,
    url: String,
    logged: Option<JoinHandle<Vec<u8>>>,
}

impl SandboxProcess {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tonopago"))
            .args(["--log", "trace", "sandbox", "--listen", "127.0.0.1:0", "--file"])
            .arg(folder.join("sandbox.sqlite"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("address ").unwrap().trim().to_owned();
        let mut stderr = child.stderr.take().unwrap();
        let logged = std::thread::spawn(move || {
            let mut logged = Vec::new();
            stderr.read_to_end(&mut logged).unwrap();
            logged
        });
        Self { child, url, logged: Some(logged) }
    }

    /// Ends it; gives everything it logged.
    fn end(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.logged.take().unwrap().join().unwrap()
    }

    fn break_next(&self, operation: &str, fault: &str) {
        let http =
            HttpClient::new(Credentials::new(SANDBOX_KEY, ""), Timeouts::answering_within(Duration::from_secs(5)));
        let order = format!(r#"{{"operation":"{operation}","fault":{fault}}}"#);
        assert_eq!(http.post(&format!("{}/admin/faults", self.url), order.as_bytes()).unwrap().status, 204);
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The merchant's service, with a key for each payment of the test.
fn merchant(ledger: &Path) -> AuthorizerServer {
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    for number in 100_001..=100_011_u32 {
        let order_id = number.to_string();
        let (digits, description) = (Digits::Given(PaymentKey::new(order_id.clone())), "Cargo IVR".to_owned());
        let (amount, customer, expires) = (Money::mxn(20_000), None, None);
        ledger.issue_key(NewKey { digits, amount, order_id, description, customer, expires, max_failures: 3 }).unwrap();
    }
    let (bind, credentials) = ("127.0.0.1:0".parse().unwrap(), Credentials::new("ivr", "hunter2"));
    AuthorizerServer::start(ServerConfig { bind, credentials, profile: Profile::default() }, ledger).unwrap()
}

fn cashier(url: &str, authorizer: &str, ledger: &Path) -> Cashier {
    let key = PrivateKey::parse(SANDBOX_KEY).unwrap();
    let mut config = Config::new(url, "mtonopagosandbox0001", key).unwrap();
    config.charge_timeouts = Timeouts::answering_within(Duration::from_secs(1));
    let payer = Payer { name: "Cliente".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    let queries = [0, 50, 200, 1_000].map(Duration::from_millis).to_vec();
    let patience = CashierConfig { queries, gateway_limit: Duration::from_secs(1), ..CashierConfig::new(payer) };
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    let authorizer = Endpoint::parse(authorizer).unwrap();
    let authorizer = AuthorizerConfig::new(authorizer, Credentials::new("ivr", "hunter2"));
    let authorizer = AuthorizerClient::new(authorizer, Arc::new(SystemClock));
    Cashier::new(authorizer, Till::new(Client::new(&config), ledger, patience))
}

fn pay(cashier: &Cashier, order: &str, pan: &[u8]) -> ChargeReply {
    let key = PaymentKey::new(order);
    let Reply::Authorize(AuthorizeReply::Authorized(authorization)) =
        cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() })
    else {
        panic!("key {order} is not good")
    };
    let request = Request::Charge { key, authorization, card: card(pan), months: None };
    match cashier.perform(request) {
        Reply::Charge(reply) => reply,
        Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
    }
}

#[test]
fn card_data_leaks_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let writer = log.clone();
    // The program leaves out the bridge from `log`; here even what it never prints is searched.
    tracing_log::LogTracer::init().unwrap();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
    let forms: Vec<Form> = [&PAN[..], &DECLINED].into_iter().flat_map(forms).collect();

    // The search finds what is there: a control, in memory only for as long as it takes.
    let control = keyed(&PAN);
    assert!(count_in_memory(&forms).0[Kind::Plain as usize] > 0, "the memory search is blind");
    drop(control);

    what_is_dropped_is_wiped();

    let sandbox = SandboxProcess::start(folder.path());
    let merchant = merchant(&folder.path().join("merchant.sqlite"));
    let cashier = cashier(&sandbox.url, &merchant.url(), &folder.path().join("box.sqlite"));
    cashier.till().ledger().keep_notifications().unwrap();
    // Memory is searched after every payment, before other allocations can have covered what it left.
    let (mut in_memory, mut searched) = ([0; KINDS.len()], 0);
    let mut pay = |order: &str, pan: &[u8]| {
        let reply = pay(&cashier, order, pan);
        let (found, bytes) = count_in_memory(&forms);
        in_memory.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
        searched = bytes;
        reply
    };
    assert!(matches!(pay("100001", &PAN), ChargeReply::Approved { .. }));
    assert!(matches!(pay("100002", &DECLINED), ChargeReply::Declined(_)));
    for (order, operation, fault) in FAULTS {
        sandbox.break_next(operation, fault);
        let reply = pay(order, &PAN);
        assert!(matches!(reply, ChargeReply::Approved { .. }), "{order}: {reply:?}");
    }
    sandbox.break_next("token", r#"{"kind":"error_before","status":400}"#);
    assert_eq!(pay("100010", &PAN), ChargeReply::Unavailable);
    let mut written = vec![("HTTP log of the gateway's stand-in".to_owned(), sandbox.end())];
    assert_eq!(pay("100011", &PAN), ChargeReply::Unavailable);

    let logged = log.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("ureq"), "the libraries' logs are not captured");
    written.push(("log, everything at trace".to_owned(), logged));
    let told = cashier.till().ledger().latest_notifications(100).unwrap();
    assert_eq!(told.len(), 9, "of 11 payments two were never sent");
    written.push(("notifications".to_owned(), told.into_iter().flat_map(|one| one.body.into_bytes()).collect()));
    written.push(("the merchant's metrics".to_owned(), metrics(&merchant)));
    written.extend(files_below(folder.path()));
    let mut table = Table::default();
    written.iter().for_each(|(place, bytes)| table.search(place, bytes, &forms, &[&CVV]));
    table.add("memory, after each of 11 payments", searched, in_memory);
    table.judge();
}

/// Of what is freed an allocator overwrites the first bytes, and with them so much of a card number that no search for all of it
/// finds the rest: digits that were dropped as they are would not be found. So their end is looked for.
fn what_is_dropped_is_wiped() {
    // The control: as much memory as those digits have, dropped as it is.
    let plain = || {
        Box::new(std::array::from_fn::<u8, { SecretDigits::CAPACITY }, _>(|place| {
            CONTROL.get(place).map_or(0, |byte| byte ^ MASK)
        }))
    };
    assert!(left_of(&CONTROL, plain) > 0, "what is freed is not seen");
    assert_eq!(left_of(&PAN, || keyed(&PAN)), 0, "dropped digits stay in memory");
}

/// Makes many of a secret and drops them; gives how often the end of its number is in memory then.
fn left_of<T>(number: &[u8], make: impl Fn() -> T) -> usize {
    let end = Form { kind: Kind::Plain, masked: number[number.len() - 7..].to_vec() };
    // What lies between them stays, so that what is freed is not soon part of something large, and used again.
    let (mut secrets, mut between) = (Vec::with_capacity(DROPPED), Vec::with_capacity(DROPPED));
    for made in 0..DROPPED {
        secrets.push(make());
        if made % 8 == 7 {
            between.push(SecretDigits::new());
        }
    }
    let mut secrets = std::hint::black_box(secrets);
    while secrets.pop().is_some() {} // the last first: each is then joined to a free one before it, whose head is written to
    let left = count_in_memory(&[end]).0[Kind::Plain as usize];
    drop(std::hint::black_box(between));
    left
}

fn metrics(merchant: &AuthorizerServer) -> Vec<u8> {
    let credentials = Credentials::new("ivr", "hunter2");
    let http = HttpClient::new(credentials, Timeouts::answering_within(Duration::from_secs(5)));
    let answer = http.get(&merchant.url().replace(AuthorizerServer::PATH, "/metrics")).unwrap();
    assert!(answer.status == 200 && answer.body.starts_with(b"# HELP"));
    answer.body
}

/// What goes wrong with each payment, all of which succeed in the end.
const FAULTS: [(&str, &str, &str); 7] = [
    ("100003", "charge", r#"{"kind":"drop_before"}"#),
    ("100004", "charge", r#"{"kind":"drop_after"}"#),
    ("100005", "charge", r#"{"kind":"garbage"}"#),
    ("100006", "charge", r#"{"kind":"error_after","status":500}"#),
    ("100007", "charge", r#"{"kind":"delay_after","ms":2500}"#),
    ("100008", "token", r#"{"kind":"drop_before"}"#),
    ("100009", "token", r#"{"kind":"error_before","status":502}"#),
];

/// Every file below a folder: databases, their write-ahead logs, recordings, timelines.
fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(folder).unwrap().display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Whole calls, sound and all, as a process at its most verbose: what it prints, logs, writes and records.
#[test]
fn whole_calls_leave_no_card_data() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tonopago"))
        .args(["--log", "trace", "demo", "--scenario", "all", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let forms: Vec<Form> = DEMO_CARDS.iter().flat_map(|(number, _)| forms(number)).collect();
    let cvvs: Vec<&[u8]> = DEMO_CARDS.iter().map(|(_, cvv)| &cvv[..]).collect();
    let mut table = Table::default();
    table.search("printed", &output.stdout, &forms, &cvvs);
    table.search("logged at trace", &output.stderr, &forms, &cvvs);
    for (place, bytes) in files_below(folder.path()) {
        // Three given bytes turn up in any long recording; what can be heard in it is for decoders to find.
        let recorded = place.ends_with(".wav");
        table.search(&place, &bytes, &forms, if recorded { &[] } else { &cvvs });
        if recorded {
            table.add(&format!("{place}, by ear"), bytes.len(), heard(&bytes, &forms));
        }
    }
    table.judge();
}

/// What decoders that are not ours hear in a recording, searched like text. No run of the card's digits is long enough
/// to be told from a payment key, so digits beyond key and menu are counted as a card's.
fn heard(wav: &[u8], forms: &[Form]) -> [usize; KINDS.len()] {
    let mut reader = hound::WavReader::new(wav).unwrap();
    let samples: Vec<f32> = reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32768.0).collect();
    let mut found = [0; KINDS.len()];
    for channel in [0, 1] {
        let one: Vec<f32> = samples.iter().skip(channel).step_by(2).copied().collect();
        for (peer, decode) in PEERS {
            let Some(digits) = decode(&one) else { continue };
            println!("  {peer}, channel {channel}: {digits:?}");
            forms.iter().for_each(|form| found[form.kind as usize] += count(digits.as_bytes(), &form.masked));
            let of_the_card = DEMO_CARDS.iter().any(|(number, _)| {
                let plain: String = number[..6].iter().map(|byte| char::from(byte ^ MASK)).collect();
                digits.contains(&plain)
            });
            found[Kind::Plain as usize] += usize::from(of_the_card);
        }
    }
    found
}
