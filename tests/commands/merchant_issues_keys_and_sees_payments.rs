#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig};
use tonopago::card::{Cvv, Expiry, Pan, YearMonth};
use tonopago::clock::{ManualClock, SystemClock};
use tonopago::http::{Credentials, Endpoint, HttpClient, Timeouts};
use tonopago::ledger::{Ledger, NewAttempt, Outcome, ToldBefore};
use tonopago::money::Money;
use tonopago::openpay::sandbox::SandboxConfig;
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{Cashier, CashierConfig, Till};
use tonopago::service::{Authorization, AuthorizeReply, Card, ChargeReply, PaymentKey, Reply, Request};

use crate::harness::{Folder, Run, program, tonopago};
use crate::service::Service;

fn secret_file(folder: &Folder, name: &str, secret: &str) -> String {
    let path = folder.path(name);
    fs::write(&path, secret).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn issue(ledger: &str, more: &[&str]) -> Run {
    tonopago([&["keys", "issue", "--ledger", ledger], more].concat())
}

fn client(openpay: &str) -> Client {
    let sandbox = SandboxConfig::default();
    let key = PrivateKey::parse(&sandbox.private_key).unwrap();
    Client::new(&Config::new(openpay, &sandbox.merchant_id, key).unwrap())
}

/// Authorizes and charges key 257139 as the box does.
fn pay(ledger: &str, authorizer: &str, openpay: &str) -> ChargeReply {
    let client = client(openpay);
    let ledger = Arc::new(Ledger::open(Path::new(ledger), Arc::new(SystemClock)).unwrap());
    let config =
        AuthorizerConfig::new(Endpoint::parse(authorizer).unwrap(), Credentials::new("ivr", "hunter2-hunter2-hunter2"));
    let authorizer = AuthorizerClient::new(config, Arc::new(SystemClock));
    let payer = Payer { name: "Cliente".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    let cashier = Cashier::new(authorizer, Till::new(client, ledger, CashierConfig::new(payer)));
    let key = PaymentKey::new("257139");
    let Reply::Authorize(AuthorizeReply::Authorized(authorization)) =
        cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() })
    else {
        panic!("the key is refused")
    };
    let card = Card {
        pan: Pan::parse("4111111111111111").ok().unwrap(),
        expiry: Expiry::parse_mmyy("1230", YearMonth { year: 2026, month: 11 }).ok().unwrap(),
        cvv: Cvv::parse("123", None).ok().unwrap(),
    };
    match cashier.perform(Request::Charge { key, authorization, card, months: None }) {
        Reply::Charge(reply) => reply,
        Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
    }
}

/// Has the sandbox do this to the next refund.
fn order_fault(sandbox: &Service, fault: &str) {
    let key = Credentials::new(&SandboxConfig::default().private_key, "");
    let http = HttpClient::new(key, Timeouts::answering_within(Duration::from_secs(30)));
    let order = format!(r#"{{"operation":"refund","fault":{fault}}}"#);
    let answer = http.post(&format!("{}/admin/faults", sandbox.address), order.as_bytes()).unwrap();
    assert_eq!(answer.status, 204);
}

/// Starts a refund whose answer never comes, and kills the process once the money has gone back.
fn kill_while_refunding(refund: &[&str], ledger: &str, client: &Client) {
    let mut process = Command::new(program()).args(refund).spawn().unwrap();
    let ledger = Ledger::open(Path::new(ledger), Arc::new(SystemClock)).unwrap();
    let is_made = || {
        std::thread::sleep(Duration::from_millis(10));
        let charge = ledger.attempt(1).unwrap().charge_id.unwrap();
        let told = client.charge(&charge).unwrap().refund.and_then(|refund| refund.amount);
        told == Some(Money::mxn(100)) && !ledger.open_refunds().unwrap().is_empty()
    };
    assert!((0..6000).any(|_| is_made()));
    process.kill().unwrap(); // SIGKILL
    process.wait().unwrap();
}

#[test]
fn from_issued_key_to_refund() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2\n");
    let key_file = secret_file(&folder, "openpay.key", &SandboxConfig::default().private_key);
    assert_eq!(issue(&ledger, &["--order", "ord-1", "--amount", "200.5", "--key", "257139"]).out, "257139\n");

    let authorizer = Service::start(&[
        "authorizer",
        "serve",
        "--ledger",
        &ledger,
        "--listen",
        "127.0.0.1:0",
        "--password-file",
        &password,
    ]);
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let table = ["payments", "list", "--ledger", &ledger, "--format", "csv"];
    let header = tonopago(table).out;
    assert_eq!(header.lines().count(), 1, "a table without rows has a header: {header}");
    Ledger::open(Path::new(&ledger), Arc::new(SystemClock)).unwrap().keep_notifications().unwrap();
    let reply = pay(&ledger, &authorizer.address, &sandbox.address);
    let ChargeReply::Approved { reference } = reply else { panic!("{reply:?}") };

    let list = tonopago(["payments", "list", "--ledger", &ledger]);
    assert!(
        list.out.contains("approved") && list.out.contains("200.50 MXN") && list.out.contains("Visa ...1111"),
        "{list:?}"
    );
    let show = tonopago(["payments", "show", "--ledger", &ledger, "--format", "jsonl", &reference]);
    let shown: serde_json::Value = serde_json::from_str(&show.out).unwrap();
    assert_eq!((&shown["amount"], &shown["state"]), (&"200.50".into(), &"approved".into()));
    let csv = tonopago(table).out;
    assert!(csv.starts_with(&header) && header.starts_with("reference,state,") && csv.lines().count() == 2, "{csv}");
    let csv: Vec<&str> = csv.lines().flat_map(|line| line.split(',')).collect();
    let at = |name: &str| csv.iter().position(|cell| *cell == name).map(|at| csv[at + csv.len() / 2]);
    for (name, cell) in [("state", "approved"), ("amount", "200.50"), ("last_four", "1111"), ("currency", "MXN")] {
        assert_eq!(at(name), Some(cell));
    }

    let merchant = SandboxConfig::default().merchant_id;
    let openpay =
        ["--ledger", &ledger, "--openpay", &sandbox.address, "--merchant", &merchant, "--key-file", &key_file];
    let reconciled = tonopago([&["payments", "reconcile"], &openpay[..]].concat());
    assert_eq!(
        (reconciled.code, reconciled.out.trim_end()),
        (0, "approved 0, declined 0, lapsed 0, abandoned 0, still open 0")
    );
    let refunded = tonopago([&["payments", "refund"], &openpay[..], &[&reference, "--amount", "50"]].concat());
    assert_eq!((refunded.code, refunded.out.trim_end()), (0, "refunded 50.00 MXN"), "{refunded:?}");
    for amount in ["0", "150.51"] {
        let run = tonopago([&["payments", "refund"], &openpay[..], &[&reference, "--amount", amount]].concat());
        assert!(run.code == 1 && run.err.contains("at most the 150.50 MXN that are left"), "{run:?}");
    }
    let told = tonopago(["payments", "list", "--ledger", &ledger]).out;
    assert!(told.contains("200.50 MXN") && told.trim_end().ends_with("  refunded 50.00 MXN"), "{told}");
    let shown = tonopago(["payments", "show", "--ledger", &ledger, "--format", "jsonl", &reference]).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["amount"], &shown["refunded"]), (&"200.50".into(), &"50.00".into()));
    let csv = tonopago(["payments", "export", "--ledger", &ledger]).out;
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (names, values) = (rows.next().unwrap(), rows.next().unwrap());
    let column = |name: &str| values[names.iter().position(|known| *known == name).unwrap()];
    assert_eq!((column("amount"), column("refunded"), column("refund_open")), ("200.50", "50.00", "0.00"), "{csv}");
    assert_eq!(names.last(), Some(&"description"), "what it was for, which an order's number need not tell");
    assert_eq!(column("description"), column("order_id"), "the order, where nothing else was given: {csv}");
    // Killed between sending and recording: another process does not send it again.
    let refund = [&["payments", "refund"], &openpay[..], &[&reference, "--amount", "1"]].concat();
    order_fault(&sandbox, r#"{"kind":"delay_after","ms":600000}"#);
    kill_while_refunding(&refund, &ledger, &client(&sandbox.address));
    let run = tonopago(&refund);
    assert!(
        run.code == 1 && run.err.contains("an earlier refund of 1.00 MXN") && run.err.contains("has been made"),
        "{run:?}"
    );
    // The answer is lost, and the money has gone back: it was "refund failed", and asking again paid twice.
    order_fault(&sandbox, r#"{"kind":"drop_after"}"#);
    let refunded = tonopago([&["payments", "refund"], &openpay[..], &[&reference]].concat());
    assert_eq!((refunded.code, refunded.out.trim_end()), (0, "refunded 149.50 MXN"), "{refunded:?}");
    let audit = tonopago(["payments", "audit", "--ledger", &ledger]).out;
    assert!(audit.lines().next().unwrap().contains("refunded"), "{audit}");
    let told = tonopago(["payments", "notify", "--ledger", &ledger, "--list"]).out;
    assert_eq!(told.matches("payment.refunded").count(), 3, "each once, that of the killed process, too: {told}");
    for output in [&list.out, &show.out, &csv, &audit] {
        assert!(!output.contains("257139"), "a payment key is shown: {output}");
    }
}

#[test]
fn keys_are_listed_masked_and_cancelled_once() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    let key = issue(&ledger, &["--order", "ord-1", "--amount", "1", "--digits", "7", "--expires-in", "72h"]).out;
    assert_eq!(key.trim_end().len(), 7);
    let list = |more: &[&str]| tonopago([&["keys", "list", "--ledger", &ledger], more].concat()).out;
    assert!(!list(&[]).contains(key.trim_end()) && list(&[]).contains("*******"));
    assert!(list(&["--reveal"]).contains(key.trim_end()));
    assert_eq!(tonopago(["keys", "cancel", "--ledger", &ledger, "1"]).code, 0);
    assert!(list(&[]).contains("cancelled"));
    let again = tonopago(["keys", "cancel", "--ledger", &ledger, "1"]);
    assert_eq!(again.code, 1);
}

#[test]
fn a_key_that_no_box_may_take_is_issued_with_a_warning() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    let warning = |order: &str, amount: &str, currency: &str| {
        let run = issue(&ledger, &["--order", order, "--amount", amount, "--currency", currency]);
        assert_eq!((run.code, run.out.trim_end().len()), (0, 8), "{run:?}");
        run.err
    };
    assert_eq!(warning("as-a-rule", "10000.00", "MXN"), "");
    assert!(
        warning("dear", "10000.01", "MXN")
            .contains("above 10000.00 MXN only if its configuration has a higher `max_amount`")
    );
    assert!(warning("dollars", "1", "USD").contains("no box takes the key in USD"));
}

#[test]
fn an_operator_settles_what_nobody_else_can() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let old = Ledger::open(Path::new(&ledger), Arc::new(ManualClock::at(hour_ago))).unwrap();
    let pan = Pan::parse("4111111111111111").ok().unwrap();
    for (order, key) in [("ord-1", "257139"), ("ord-2", "257140")] {
        let (amount, order_id, description) = (Money::mxn(100), order.to_owned(), "d".to_owned());
        let authorization = Authorization { amount, order_id, description, customer: None, values: Vec::new() };
        let (brand, last_four, key) = (pan.brand(), pan.last_four(), PaymentKey::new(key));
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        old.mark_sent(old.prepare_attempt(&new).unwrap().ok().unwrap().id).unwrap();
    }
    let settle = |more: &[&str]| {
        let args = ["payments", "settle", "--ledger", &ledger, "--by", "ana", "--reason", "looked it up", "--as"];
        tonopago([&args[..], more].concat())
    };
    assert_eq!(settle(&["paid", "ord-1"]).code, 2, "paid wants the charge");
    assert_eq!(settle(&["unpaid", "ord-1", "--charge", "trx1"]).code, 2);
    assert_eq!(settle(&["elsewhere", "ord-1"]).code, 2, "and so does elsewhere");
    let paid = settle(&["paid", "ord-1", "--charge", "trx1"]);
    assert_eq!((paid.code, paid.out.as_str()), (0, "100001 is approved now\n"), "{paid:?}");
    assert_eq!(settle(&["unpaid", "100002"]).out, "100002 is declined now\n");
    for reference in ["100001", "100002", "nothing"] {
        assert_eq!(settle(&["unpaid", reference]).code, 1, "{reference}");
    }
    assert_eq!(settle(&["not-refunded", "100001"]).code, 1, "no refund of it is open");
    old.begin_refund(1, None, &ToldBefore::default()).unwrap().unwrap();
    let list = tonopago(["payments", "list", "--ledger", &ledger]).out;
    assert!(list.trim_end().ends_with("  perhaps refunded 1.00 MXN"), "{list}");
    assert_eq!(settle(&["not-refunded", "100001"]).out, "the refund of 1.00 MXN of 100001 counts as not made now\n");
    let audit = tonopago(["payments", "audit", "--ledger", &ledger]).out;
    assert_eq!(audit.matches("settled by hand  by ana: looked it up").count(), 2, "{audit}");
}

/// `refund 100003` gave back order 100003's payment, whose reference was 100004; `settle` unblocked another customer's order.
#[test]
fn an_orders_number_is_never_taken_for_another_payments_reference() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let old = Ledger::open(Path::new(&ledger), Arc::new(ManualClock::at(hour_ago))).unwrap();
    let pan = Pan::parse("4111111111111111").ok().unwrap();
    for (order, key) in [("100002", "257139"), ("ord-2", "257140")] {
        let (amount, order_id, description) = (Money::mxn(7_700), order.to_owned(), "d".to_owned());
        let authorization = Authorization { amount, order_id, description, customer: None, values: Vec::new() };
        let (brand, last_four, key) = (pan.brand(), pan.last_four(), PaymentKey::new(key));
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        old.mark_sent(old.prepare_attempt(&new).unwrap().ok().unwrap().id).unwrap();
    }
    old.settle(1, &Outcome::Approved { charge_id: "trx1".into(), authorization: None }).unwrap();
    let settle = |more: &[&str]| {
        let args =
            ["payments", "settle", "--ledger", &ledger, "--by", "ana", "--reason", "looked it up", "--as", "unpaid"];
        tonopago([&args[..], more].concat())
    };
    let refund = ["payments", "refund", "--ledger", &ledger, "--merchant", "m", "100002"];
    for run in [settle(&["100002"]), tonopago(refund)] {
        assert_eq!(run.code, 1, "only one of the two can be meant by either: {run:?}");
        let both = [
            "payment 100001, order \"100002\", 77.00 MXN, approved",
            "payment 100002, order \"ord-2\", 77.00 MXN, sent",
        ];
        assert!(both.into_iter().all(|line| run.err.contains(line)) && run.err.contains("--is reference"), "{run:?}");
    }
    let settled = settle(&["100002", "--is", "reference"]);
    assert_eq!((settled.code, settled.out.as_str()), (0, "100002 is declined now\n"), "{settled:?}");
    assert_eq!(settled.err, "tonopago: payment 100002, order \"ord-2\", 77.00 MXN\n", "told what is touched");
    assert_eq!(settle(&["100002", "--is", "order"]).code, 1, "that one is approved");
    let show = |more: &[&str]| {
        let args = ["payments", "show", "--ledger", &ledger, "--format", "jsonl", "100002"];
        tonopago([&args[..], more].concat()).out.lines().count()
    };
    assert_eq!((show(&[]), show(&["--is", "order"]), show(&["--is", "charge"])), (2, 1, 0));
}

#[test]
fn a_backup_is_a_ledger_and_a_plain_copy_is_none() {
    let folder = Folder::new();
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let [ledger, plain, copy] = ["ledger.sqlite", "plain.sqlite", "copy.sqlite"].map(path);
    let running = Ledger::open(Path::new(&ledger), Arc::new(SystemClock)).unwrap(); // or closing would write the log back
    assert_eq!(issue(&ledger, &["--order", "ord-1", "--amount", "1"]).code, 0);
    let backup = || tonopago(["payments", "backup", "--ledger", &ledger, "--out", &copy]);
    assert_eq!((backup().code, backup().code), (0, 1), "nothing is overwritten");
    fs::copy(&ledger, &plain).unwrap();
    drop(running);
    assert!(tonopago(["keys", "list", "--ledger", &copy]).out.contains("ord-1"));
    for args in [["payments", "list"], ["keys", "list"], ["payments", "audit"]] {
        let run = tonopago([&args[..], &["--ledger", &plain]].concat());
        assert!(run.code == 1 && run.err.contains("there is no ledger in this file"), "{args:?}: {run:?}");
    }
}

#[test]
fn what_can_not_be_done_says_what_to_do() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite").to_str().unwrap().to_owned();
    assert_eq!(issue(&ledger, &["--order", "ord-1", "--amount", "1"]).code, 0);
    let exposed = folder.path("exposed");
    fs::write(&exposed, "sk_1").unwrap();
    fs::set_permissions(&exposed, Permissions::from_mode(0o644)).unwrap();
    let exposed = exposed.to_str().unwrap();
    let short = secret_file(&folder, "short", "15-characters-x");
    let no_ledger = folder.path("missing/ledger.sqlite");
    for (args, code, cure) in [
        (vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1.005"], 2, "--amount"),
        (vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "0"], 1, "zero"),
        (vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "-5"], 2, "\"-5\" is negative"),
        (
            vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1", "--expires-in", "soon"],
            2,
            "write it as 72h, 30m or 1h30m",
        ),
        (
            vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1", "--expires-in", "-1h"],
            2,
            "longer than nothing",
        ),
        (vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1", "--at-openpay"], 2, "--merchant"),
        (vec!["payments", "notify", "--ledger", &ledger, "--to", "http://merchant.example/x"], 2, "use https"),
        (
            vec!["payments", "notify", "--ledger", &ledger, "--to", "https://merchant.example/x"],
            1,
            "TONOPAGO_REPORT_SECRET",
        ),
        (
            vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1", "--currency", "EUR"],
            2,
            "MXN or USD",
        ),
        (
            vec!["keys", "issue", "--ledger", &ledger, "--order", "o", "--amount", "1", "--digits", "4"],
            1,
            "6 to 20 digits",
        ),
        (vec!["keys", "list", "--ledger", no_ledger.to_str().unwrap()], 1, "missing/ledger.sqlite"),
        (vec!["payments", "list", "--ledger", no_ledger.to_str().unwrap()], 1, "no such ledger"),
        (vec!["payments", "show", "--ledger", &ledger, "100017"], 1, "no payment"),
        (vec!["payments", "reconcile", "--ledger", &ledger, "--merchant", "m", "--key-file", exposed], 1, "chmod 600"),
        (vec!["payments", "reconcile", "--ledger", &ledger, "--merchant", "m"], 1, "TONOPAGO_OPENPAY_KEY"),
        (vec!["authorizer", "serve", "--ledger", &ledger], 1, "TONOPAGO_AUTHORIZER_PASSWORD"),
        (vec!["authorizer", "serve", "--ledger", &ledger, "--password-file", &short], 1, "openssl rand -hex 32"),
        (vec!["sandbox", "--secure-from", "much"], 2, "--secure-from"),
    ] {
        let run = tonopago(&args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        assert!(run.err.contains(cure), "{args:?}: {run:?}");
    }
}

#[test]
fn the_wire_contract_is_printed_as_it_is_read() {
    let folder = Folder::new();
    let profile = tonopago(["authorizer", "profile"]);
    assert_eq!(serde_json::from_str::<tonopago::authorizer::Profile>(&profile.out).unwrap(), Default::default());
    let file = folder.path("profile.json");
    fs::write(&file, r#"{"anser":{}}"#).unwrap();
    let ledger = folder.path("ledger.sqlite");
    let password = secret_file(&folder, "password", "hunter2-hunter2-hunter2");
    let run = tonopago([
        "authorizer",
        "serve",
        "--ledger",
        ledger.to_str().unwrap(),
        "--password-file",
        &password,
        "--profile",
        file.to_str().unwrap(),
    ]);
    assert!(run.code == 1 && run.err.contains("profile.json") && run.err.contains("anser"), "{run:?}");
}
