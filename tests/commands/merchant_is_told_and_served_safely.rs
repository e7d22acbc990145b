#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig};
use tonopago::card::Pan;
use tonopago::clock::SystemClock;
use tonopago::http::{Authorities, Credentials, Endpoint, HttpClient, Timeouts};
use tonopago::ledger::{Ledger, NewAttempt, Outcome};
use tonopago::money::Money;
use tonopago::openpay::sandbox::SandboxConfig;
use tonopago::service::{Authorization, AuthorizeReply, PaymentKey, Refusal};

use crate::harness::{Folder, Run, program, tonopago};
use crate::service::Service;

fn secret_file(folder: &Folder, name: &str, secret: &str) -> String {
    let path = folder.path(name);
    fs::write(&path, secret).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text(folder: &Folder, name: &str) -> String {
    folder.path(name).to_str().unwrap().to_owned()
}

/// What a box's ledger holds after an order was paid.
fn pay(ledger: &str, order: &str) {
    let ledger = Ledger::open(Path::new(ledger), Arc::new(SystemClock)).unwrap();
    let (amount, description) = (Money::mxn(20_050), "d".to_owned());
    let authorization =
        Authorization { amount, order_id: order.into(), description, customer: None, values: Vec::new() };
    let pan = Pan::parse("4111111111111111").ok().unwrap();
    let (key, brand, last_four) = (PaymentKey::new("257139"), pan.brand(), pan.last_four());
    let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
    let id = ledger.prepare_attempt(&new).unwrap().unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.settle(id, &Outcome::Approved { charge_id: "trx1".into(), authorization: Some("801585".into()) }).unwrap();
}

fn issue(ledger: &str, more: &[&str]) -> Run {
    tonopago([&["keys", "issue", "--ledger", ledger, "--order", "ord-1", "--amount", "200.5"], more].concat())
}

/// Box and merchant with a ledger each, TLS between them, and the merchant down at first.
#[test]
fn the_merchant_hears_of_a_payment_over_tls_and_the_key_is_paid() {
    let folder = Folder::new();
    let (boxes, merchants) = (text(&folder, "box.sqlite"), text(&folder, "merchant.sqlite"));
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2");
    let secret = secret_file(&folder, "report.secret", "0123456789abcdef");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let cert_file = text(&folder, "cert.pem");
    fs::write(&cert_file, certificate.pem()).unwrap();
    let key_file = secret_file(&folder, "key.pem", &key.serialize_pem());
    assert_eq!(issue(&merchants, &["--key", "257139"]).out, "257139\n");

    drop(Ledger::open(Path::new(&boxes), Arc::new(SystemClock)).unwrap());
    let notify = |to: &str, more: &[&str]| {
        let args =
            ["payments", "notify", "--ledger", &boxes, "--to", to, "--secret-file", &secret, "--ca-file", &cert_file];
        tonopago([&args[..], more].concat())
    };
    let down = "https://127.0.0.1:9/openpay/result";
    assert_eq!(notify(down, &[]).out, "delivered 0, to be tried again 0, given up 0\n"); // switches them on
    pay(&boxes, "ord-1");
    let failed = notify(down, &[]);
    assert_eq!((failed.code, failed.out.as_str()), (1, "delivered 0, to be tried again 1, given up 0\n"));

    let args = ["authorizer", "serve", "--ledger", &merchants, "--listen", "127.0.0.1:0", "--password-file", &password];
    let tls = ["--tls-cert", &cert_file, "--tls-key", &key_file, "--report-secret-file", &secret];
    let server = Service::start(&[&args[..], &tls].concat());
    assert!(server.address.starts_with("https://127.0.0.1:"));
    let to = server.address.replace("/openpay/authorizer", "/openpay/result");
    assert_eq!(notify(&to, &["--retry"]).out, "delivered 1, to be tried again 0, given up 0\n");
    let keys = tonopago(["keys", "list", "--ledger", &merchants]).out;
    assert!(keys.contains("paid"), "{keys}");
    let listed = tonopago(["payments", "notify", "--ledger", &boxes, "--list"]).out;
    assert!(listed.contains("payment.approved  ord-1") && listed.contains("tries 2  evt_"), "{listed}");
    drop(server);
}

#[test]
fn a_wrong_password_is_logged_and_sigterm_ends_the_service_politely() {
    let folder = Folder::new();
    let ledger = text(&folder, "ledger.sqlite");
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2");
    let args = ["authorizer", "serve", "--ledger", &ledger, "--listen", "127.0.0.1:0", "--password-file", &password];
    let server = Service::start(&args);
    let http = HttpClient::new(Credentials::new("ivr", "wrong"), Timeouts::answering_within(Duration::from_secs(20)));
    assert_eq!(http.post(&server.address, b"{}").unwrap().status, 401);
    let (status, said) = server.terminate();
    assert!(status.success(), "{status}: {said}");
    assert!(said.contains("wrong user or password") && said.contains("127.0.0.1"), "{said}");
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    assert!(sandbox.terminate().0.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_sees_cards_leaves_no_core_and_is_locked_where_it_may_be() {
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", sandbox.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    let status = fs::read_to_string(format!("/proc/{}/status", sandbox.id())).unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmLck")).unwrap());
}

#[test]
fn a_key_is_made_at_openpay_and_paid_there() {
    let folder = Folder::new();
    let ledger = text(&folder, "ledger.sqlite");
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let (merchant, key) = (SandboxConfig::default().merchant_id, SandboxConfig::default().private_key);
    let key_file = secret_file(&folder, "openpay.key", &key);
    let openpay = ["--openpay", &sandbox.address, "--merchant", &merchant, "--key-file", &key_file];
    let payer = ["--at-openpay", "--name", "Juan", "--email", "juan@example.com"];
    let issued = issue(&ledger, &[&payer[..], &openpay].concat());
    let fields: Vec<&str> = issued.out.trim_end().split('\t').collect();
    assert!(fields.len() == 3 && fields[0].len() == 6 && fields[1].starts_with("call 52"), "{issued:?}");
    let audit = tonopago(["payments", "audit", "--ledger", &ledger]).out;
    assert!(audit.contains("order ord-1") && audit.contains("key at Openpay") && !audit.contains(fields[0]), "{audit}");
    let again = issue(&ledger, &[&payer[..], &openpay].concat());
    assert!(again.code == 1 && again.err.contains("1006"), "{again:?}");
    let wrong = secret_file(&folder, "wrong.key", "sk_wrong");
    let refused = issue(&ledger, &[&payer[..], &openpay[..4], &["--key-file", &wrong]].concat());
    assert!(refused.code == 1 && refused.err.contains("1002"), "{refused:?}");
}

/// A proxy in the environment would see card data; it is not asked.
#[test]
fn no_proxy_is_taken_from_the_environment() {
    let folder = Folder::new();
    let ledger = text(&folder, "ledger.sqlite");
    drop(Ledger::open(Path::new(&ledger), Arc::new(SystemClock)).unwrap());
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let nowhere = "http://127.0.0.1:9";
    let output = Command::new(program())
        .args(["payments", "reconcile", "--ledger", &ledger, "--openpay", &sandbox.address])
        .args(["--merchant", &SandboxConfig::default().merchant_id])
        .env("TONOPAGO_OPENPAY_KEY", SandboxConfig::default().private_key)
        .envs(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"].map(|name| (name, nowhere)))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn payments_of_some_days_are_exported_for_the_owner_only() {
    let folder = Folder::new();
    let (ledger, out) = (text(&folder, "ledger.sqlite"), text(&folder, "payments.csv"));
    drop(Ledger::open(Path::new(&ledger), Arc::new(SystemClock)).unwrap());
    pay(&ledger, "ord-1");
    let export = |more: &[&str]| tonopago([&["payments", "export", "--ledger", &ledger], more].concat());
    let run = export(&["--from", "2020-01-01", "--to", "2199-12-31", "--out", &out]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{run:?}");
    assert!(run.err.contains("1 payments written"), "{run:?}");
    let written = fs::read_to_string(&out).unwrap();
    assert!(written.lines().count() == 2 && written.contains("ord-1,ord-1,200.50,MXN"), "{written}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(export(&["--state", "declined", "--format", "jsonl"]).out, "");
    assert_eq!(export(&["--to", "2020-01-01", "--format", "jsonl"]).out, "");
    for (more, cure) in [
        (&["--from", "2026-12-01", "--to", "2026-11-01"][..], "is after --to"),
        (&["--from", "yesterday"], "write it as 2026-11-30"),
        (&["--state", "paid"], "one of prepared, sent, approved"),
    ] {
        let run = export(more);
        assert!(run.code == 2 && run.err.contains(cure), "{run:?}");
    }
}

#[test]
fn exported_days_and_times_are_those_of_one_zone() {
    let folder = Folder::new();
    let ledger = text(&folder, "ledger.sqlite");
    drop(Ledger::open(Path::new(&ledger), Arc::new(SystemClock)).unwrap());
    pay(&ledger, "=1+1");
    let export = |more: &[&str]| tonopago([&["payments", "export", "--ledger", &ledger], more].concat());
    for (zone, offset) in [("Asia/Tokyo", "+09:00"), ("America/Phoenix", "-07:00"), ("UTC", "Z")] {
        let line = export(&["--format", "jsonl", "--time-zone", zone]).out;
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let created = line["created"].as_str().unwrap();
        assert!(created.ends_with(offset), "{zone}: {created}");
        let for_people = export(&["--format", "text", "--time-zone", zone]).out;
        assert!(for_people.contains(&format!("  {}{offset}  ", &created[..19])), "{zone}: {for_people}");
        let day = &created[..10];
        assert_eq!(export(&["--from", day, "--to", day, "--time-zone", zone]).out.lines().count(), 2, "{zone}");
        assert_eq!(line["order_id"], "=1+1");
    }
    assert!(export(&[]).out.contains(",'=1+1,'=1+1,"), "no formula for a spreadsheet");
    let run = export(&["--time-zone", "America/Nowhere"]);
    assert!(run.code == 2 && run.err.contains("write it as America/Mexico_City"), "{run:?}");
}

#[test]
fn the_certificate_the_service_shows_is_the_one_given() {
    let folder = Folder::new();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (cert_file, ledger) = (text(&folder, "cert.pem"), text(&folder, "ledger.sqlite"));
    fs::write(&cert_file, certificate.pem()).unwrap();
    let key_file = secret_file(&folder, "key.pem", &key.serialize_pem());
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2");
    let args = ["authorizer", "serve", "--ledger", &ledger, "--listen", "127.0.0.1:0", "--password-file", &password];
    let server = Service::start(&[&args[..], &["--tls-cert", &cert_file, "--tls-key", &key_file]].concat());
    let health = server.address.replace("/openpay/authorizer", "/healthz");
    let timeouts = Timeouts::answering_within(Duration::from_secs(20));
    let trusting = Authorities::from_file(Path::new(&cert_file)).unwrap();
    assert_eq!(HttpClient::trusting(Some(&trusting), None, timeouts).get(&health).unwrap().body, b"ok");
    assert!(HttpClient::trusting(None, None, timeouts).get(&health).is_err());
    let endpoint = Endpoint::parse(&server.address).unwrap();
    let config = AuthorizerConfig::new(endpoint, Credentials::new("ivr", "hunter2-hunter2-hunter2"));
    let ask = |authorities| {
        let config = AuthorizerConfig { authorities, ..config.clone() };
        AuthorizerClient::new(config, Arc::new(SystemClock)).authorize(&PaymentKey::new("257139"))
    };
    assert_eq!(ask(Some(trusting)), AuthorizeReply::Refused(Refusal::Unknown), "the box believes it");
    assert_eq!(ask(None), AuthorizeReply::Unavailable, "a stranger's certificate is not believed");
    fs::set_permissions(&key_file, Permissions::from_mode(0o644)).unwrap();
    let exposed = tonopago([&args[..], &["--tls-cert", &cert_file, "--tls-key", &key_file]].concat());
    assert!(exposed.code == 1 && exposed.err.contains("chmod 600"), "{exposed:?}");
}

/// SIGHUP ended the service, and without it the certificate was shown until it had expired.
#[test]
fn a_renewed_certificate_is_shown_after_a_sighup() {
    let folder = Folder::new();
    let (cert_file, ledger) = (text(&folder, "cert.pem"), text(&folder, "ledger.sqlite"));
    let pair = || {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    };
    let (first, renewed) = (pair(), pair());
    fs::write(&cert_file, first.0).unwrap();
    let key_file = secret_file(&folder, "key.pem", &first.1);
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2");
    let args = ["authorizer", "serve", "--ledger", &ledger, "--listen", "127.0.0.1:0", "--password-file", &password];
    let server = Service::start(&[&args[..], &["--tls-cert", &cert_file, "--tls-key", &key_file]].concat());
    fs::write(&cert_file, renewed.0).unwrap();
    fs::write(&key_file, renewed.1).unwrap();
    let trusting = Authorities::from_file(Path::new(&cert_file)).unwrap();
    let health = server.address.replace("/openpay/authorizer", "/healthz");
    let client = HttpClient::trusting(Some(&trusting), None, Timeouts::answering_within(Duration::from_secs(20)));
    assert!(client.get(&health).is_err(), "the one it began with");
    assert!(Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap().success());
    let shown = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        client.get(&health).is_ok()
    });
    assert!(shown, "the renewed one");
    assert!(server.terminate().0.success());
}
