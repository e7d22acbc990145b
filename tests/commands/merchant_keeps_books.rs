//! What the merchant's bookkeeper asks of a ledger: payments and refunds by their days, whoever keyed what.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tonopago::card::Pan;
use tonopago::clock::{Clock, ManualClock};
use tonopago::ledger::{Ledger, NewAttempt, Outcome, RefundState, ToldBefore};
use tonopago::money::Money;
use tonopago::service::{Authorization, PaymentKey};

use crate::harness::{Folder, tonopago};

/// A payment of an account in the last minute of a year in Mexico, of which two parts are given back in the next year.
fn at_the_years_end(path: &Path) -> Ledger {
    let clock = Arc::new(ManualClock::at("2027-01-01T05:59:00Z".parse::<Timestamp>().unwrap()));
    let ledger = Ledger::open(path, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let (order_id, description, amount) = ("=2026-12".to_owned(), "d".to_owned(), Money::mxn(20_050));
    let authorization = Authorization { amount, order_id, description, customer: None, values: Vec::new() };
    let (pan, key) = (Pan::parse("4111111111111111").ok().unwrap(), PaymentKey::account("20230017"));
    let (brand, last_four) = (pan.brand(), pan.last_four());
    let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
    let id = ledger.prepare_attempt(&new).unwrap().ok().unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.settle(id, &Outcome::Approved { charge_id: "trx1".into(), authorization: None }).unwrap();
    for (centavos, state) in
        [(5_000, RefundState::Refunded), (15_050, RefundState::Failed), (1_005, RefundState::Unknown)]
    {
        clock.advance(SignedDuration::from_hours(24));
        let refund = ledger.begin_refund(id, Some(Money::mxn(centavos)), &ToldBefore::default()).unwrap().unwrap();
        clock.advance(SignedDuration::from_mins(5));
        ledger.settle_refund(refund.id, state, "").unwrap();
    }
    ledger
}

/// The export of a year that was closed changed with the next year's refunds, and no table had these by their days.
#[test]
fn refunds_are_exported_by_their_own_days() {
    let folder = Folder::new();
    let path = folder.path("ledger.sqlite");
    let _ledger = at_the_years_end(&path);
    let path = path.to_str().unwrap();
    let export = |more: &[&str]| {
        let export = ["payments", "export", "--ledger", path, "--time-zone", "America/Mexico_City"];
        let run = tonopago([&export[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.out
    };
    let december = ["--from", "2026-12-01", "--to", "2026-12-31"];
    let paid = export(&december);
    assert!(paid.lines().count() == 2 && paid.contains("2026-12-31T23:59:00-06:00"), "{paid}");
    let head = "refund,state,amount,currency,reference,order_id,charge_id,paid,paid_created,created,updated\n";
    assert_eq!(export(&[&december[..], &["--refunds"]].concat()), head);
    let first = "1,refunded,50.00,MXN,100001,'=2026-12,trx1,200.50,2026-12-31T23:59:00-06:00,\
                 2027-01-01T23:59:00-06:00,2027-01-02T00:04:00-06:00\n";
    assert_eq!(export(&["--refunds", "--from", "2027-01-01", "--to", "2027-01-01"]), format!("{head}{first}"));
    let lines = export(&["--refunds", "--format", "jsonl"]);
    let states: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| format!("{} {} {}", line["state"], line["amount"], line["order_id"]))
        .collect();
    assert_eq!(
        states,
        [("refunded", "50.00"), ("failed", "150.50"), ("unknown", "10.05")]
            .map(|(state, amount)| format!("\"{state}\" \"{amount}\" \"=2026-12\""))
    );
    let usage = tonopago(["payments", "export", "--ledger", path, "--refunds", "--state", "approved"]);
    assert_eq!(usage.code, 2, "{usage:?}");
}

/// A caller on the phone knows the account and wants to know when the money came back.
#[test]
fn a_payment_is_shown_by_its_account_with_its_refunds() {
    let folder = Folder::new();
    let path = folder.path("ledger.sqlite");
    let _ledger = at_the_years_end(&path);
    let show = |more: &[&str]| {
        let show = ["payments", "show", "--ledger", path.to_str().unwrap()];
        tonopago([&show[..], more].concat())
    };
    let shown = show(&["20230017"]).out;
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("100001  2027-01-01T05:59:00Z  approved"), "{shown}");
    assert_eq!(
        lines[1..],
        [
            "2027-01-02T05:59:00Z  refunded        50.00 MXN  refund 1",
            "2027-01-03T06:04:00Z  failed         150.50 MXN  refund 2",
            "2027-01-04T06:09:00Z  unknown         10.05 MXN  refund 3",
        ]
    );
    assert_eq!(show(&["20230017", "--is", "keyed", "--format", "jsonl"]).out.lines().count(), 1);
    assert_eq!((show(&["2023001"]).code, show(&["20230017", "--is", "order"]).code), (1, 1));
}

/// "3 payments written" was said of a disk that had no room for them.
#[test]
fn an_export_that_finds_no_room_says_so_in_every_form() {
    let folder = Folder::new();
    let path = folder.path("ledger.sqlite");
    let _ledger = at_the_years_end(&path);
    for format in ["text", "jsonl", "csv"] {
        let export =
            ["payments", "export", "--ledger", path.to_str().unwrap(), "--format", format, "--out", "/dev/full"];
        let run = tonopago(export);
        assert!(run.code == 1 && run.err.contains("No space left"), "{format}: {run:?}");
    }
}
