//! A canary card number and CVV go through every path of a payment at the most verbose log level; then everything
//! written, and this process's memory, is searched for them. The sandbox, which has to see them, is another process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig};
use tonopago::card::{Cvv, Expiry, Pan, SecretDigits, YearMonth};
use tonopago::clock::SystemClock;
use tonopago::http::{Credentials, Endpoint, HttpClient, Timeouts};
use tonopago::ledger::Ledger;
use tonopago::money::Money;
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{Cashier, CashierConfig, Till};
use tonopago::service::{Authorization, Card, ChargeReply, PaymentKey, Reply, Request};

/// Every byte of a secret in this file is combined with this, so that the program's own constants are not found.
const MASK: u8 = 0x5a;
/// `378282246310005`, a published American Express test number.
const PAN: [u8; 15] = masked(*b"378282246310005");
/// `4222222222222220`, Openpay's declined card.
const DECLINED: [u8; 16] = masked(*b"4222222222222220");
/// `0739`: no number in a log starts with a zero.
const CVV: [u8; 4] = masked(*b"0739");
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
}

impl SandboxProcess {
    fn start(folder: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tonopago"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--file"])
            .arg(folder.join("sandbox.sqlite"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("address ").unwrap().trim().to_owned();
        Self { child, url }
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

fn cashier(url: &str, ledger: &std::path::Path) -> Cashier {
    let key = PrivateKey::parse(SANDBOX_KEY).unwrap();
    let mut config = Config::new(url, "mtonopagosandbox0001", key).unwrap();
    config.charge_timeouts = Timeouts::answering_within(Duration::from_secs(1));
    let payer = Payer { name: "Cliente".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    let queries = [0, 50, 200, 1_000].map(Duration::from_millis).to_vec();
    let patience = CashierConfig { queries, gateway_limit: Duration::from_secs(1), ..CashierConfig::new(payer) };
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    let nowhere = Endpoint::parse("http://127.0.0.1:9/openpay/authorizer").unwrap();
    let authorizer = AuthorizerConfig::new(nowhere, Credentials::new("ivr", ""));
    let authorizer = AuthorizerClient::new(authorizer, Arc::new(SystemClock));
    Cashier::new(authorizer, Till::new(Client::new(&config), ledger, patience))
}

fn pay(cashier: &Cashier, order: &str, pan: &[u8]) -> ChargeReply {
    let (order_id, description) = (order.to_owned(), "Cargo IVR".to_owned());
    let authorization = Authorization { amount: Money::mxn(20_000), order_id, description, customer: None };
    let request = Request::Charge { key: PaymentKey::new(order), authorization, card: card(pan), months: None };
    match cashier.perform(request) {
        Reply::Charge(reply) => reply,
        Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
    }
}

/// The ways a secret can be written: plain, in groups, spelt out, in hexadecimal, in Base64 at each of its three
/// alignments. All combined with the mask.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let plain: Vec<u8> = secret.iter().map(|byte| byte ^ MASK).collect();
    let grouped = |separator: &[u8], size: usize| plain.chunks(size).collect::<Vec<_>>().join(separator);
    let hex = |upper: bool| -> Vec<u8> {
        let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        plain.iter().map(digit).collect::<String>().into_bytes()
    };
    let mut forms = vec![plain.clone(), hex(false)];
    for separator in [&b" "[..], b"-", b"\n", b", "] {
        forms.push(grouped(separator, 4));
        forms.push(grouped(separator, 1));
    }
    forms.extend((0..3).map(|shift| base64_core(&plain, shift)));
    for form in &mut forms {
        form.iter_mut().for_each(|byte| *byte ^= MASK);
    }
    forms.retain(|form| form.len() > CVV.len());
    forms
}

/// The characters of the Base64 of `shift` unknown bytes and then `plain` that do not depend on what is around it.
fn base64_core(plain: &[u8], shift: usize) -> Vec<u8> {
    use base64::Engine as _;
    let padded = [&vec![0; shift][..], plain].concat();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&padded);
    let first = (shift * 8).div_ceil(6);
    encoded.as_bytes()[first..padded.len() * 8 / 6].to_vec()
}

/// Places where the masked needle is, once each byte of the haystack is combined with the mask.
fn count(haystack: &[u8], needle: &[u8]) -> usize {
    let first = needle[0] ^ MASK;
    let starts = haystack.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts
        .filter(|(start, _)| {
            let window = haystack.get(*start..start + needle.len());
            window.is_some_and(|window| window.iter().zip(needle).all(|(byte, masked)| byte ^ MASK == *masked))
        })
        .count()
}

/// The CVV on its own: not inside a longer number.
fn count_cvv(haystack: &[u8]) -> usize {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let windows = haystack.windows(CVV.len()).enumerate();
    windows
        .filter(|(start, window)| {
            window.iter().zip(CVV).all(|(byte, masked)| byte ^ MASK == masked)
                && !is_digit(start.checked_sub(1).and_then(|before| haystack.get(before)))
                && !is_digit(haystack.get(start + CVV.len()))
        })
        .count()
}

/// Searches the writable memory of this process, but for the buffer it is read into.
fn count_in_memory(needles: &[Vec<u8>]) -> usize {
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0; 1 << 20];
    let own = chunk.as_ptr() as usize..chunk.as_ptr() as usize + chunk.len();
    let overlap = needles.iter().map(Vec::len).max().unwrap();
    let mut found = 0;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") || rest.contains("[vvar") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let parse = |text| usize::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (parse(start), parse(end));
        while at < end {
            if own.contains(&at) {
                at = own.end;
                continue;
            }
            let limit = if at < own.start { end.min(own.start) } else { end };
            let length = chunk.len().min(limit - at);
            memory.seek(SeekFrom::Start(at as u64)).unwrap();
            if memory.read_exact(&mut chunk[..length]).is_err() {
                break; // a guard page
            }
            found += needles.iter().map(|needle| count(&chunk[..length], needle)).sum::<usize>();
            at += if length == chunk.len() { length - overlap } else { length };
        }
    }
    found
}

#[test]
fn card_data_leaks_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let writer = log.clone();
    // The program leaves out the bridge from `log`; here even what it never prints is searched.
    tracing_log::LogTracer::init().unwrap();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
    let needles: Vec<Vec<u8>> = [&PAN[..], &DECLINED].into_iter().flat_map(forms).collect();

    // The search finds what is there: a control, in memory only for as long as it takes.
    let control = keyed(&PAN);
    assert!(count_in_memory(&needles) > 0, "the memory search is blind");
    drop(control);

    let sandbox = SandboxProcess::start(folder.path());
    let cashier = cashier(&sandbox.url, &folder.path().join("ledger.sqlite"));
    // Memory is searched after every payment, before other allocations can have covered what it left.
    let mut in_memory = 0;
    let mut pay = |order: &str, pan: &[u8]| {
        let reply = pay(&cashier, order, pan);
        in_memory += count_in_memory(&needles);
        reply
    };
    assert!(matches!(pay("100001", &PAN), ChargeReply::Approved { .. }));
    assert!(matches!(pay("100002", &DECLINED), ChargeReply::Declined(_)));
    for (order, operation, fault) in [
        ("100003", "charge", r#"{"kind":"drop_before"}"#),
        ("100004", "charge", r#"{"kind":"drop_after"}"#),
        ("100005", "charge", r#"{"kind":"garbage"}"#),
        ("100006", "charge", r#"{"kind":"error_after","status":500}"#),
        ("100007", "charge", r#"{"kind":"delay_after","ms":2500}"#),
        ("100008", "token", r#"{"kind":"drop_before"}"#),
        ("100009", "token", r#"{"kind":"error_before","status":502}"#),
    ] {
        sandbox.break_next(operation, fault);
        let reply = pay(order, &PAN);
        assert!(matches!(reply, ChargeReply::Approved { .. }), "{order}: {reply:?}");
    }
    sandbox.break_next("token", r#"{"kind":"error_before","status":400}"#);
    assert_eq!(pay("100010", &PAN), ChargeReply::Unavailable);
    drop(sandbox);
    assert_eq!(pay("100011", &PAN), ChargeReply::Unavailable);

    let logged = log.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("ureq"), "the libraries' logs are not captured");
    let mut written = vec![("log".to_owned(), logged)];
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        written.push((path.display().to_string(), fs::read(&path).unwrap()));
    }
    for (place, bytes) in &written {
        let hits: usize = needles.iter().map(|needle| count(bytes, needle)).sum();
        println!("{place}: {} bytes, card number {hits}, CVV {}", bytes.len(), count_cvv(bytes));
        assert_eq!((hits, count_cvv(bytes)), (0, 0), "{place}");
    }
    println!("memory: card number {in_memory}");
    assert_eq!(in_memory, 0, "memory");
}
