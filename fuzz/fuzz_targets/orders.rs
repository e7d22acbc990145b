//! A merchant's table of orders: every mistake has its place in it, and what is read is as good as the ledger's rules: keys are
//! drawn for all of it or for none.

#![no_main]

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use tonopago::clock::ManualClock;
use tonopago::ledger::{Digits, Ledger, OrderProblem, ReadOrders};
use tonopago::money::Money;

static LEDGER: LazyLock<Ledger> = LazyLock::new(|| {
    let now = "2026-11-30T12:00:00Z".parse().expect("a time");
    Ledger::in_memory(Arc::new(ManualClock::at(now))).expect("SQLite needs no disk for it")
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = LEDGER.clock().now();
    let read = ReadOrders { max_failures: 3, now, zone: TimeZone::UTC };
    let orders = match read.read(text) {
        Ok(orders) => orders,
        Err(problems) => {
            assert!(!problems.is_empty());
            return check(text, &problems);
        }
    };
    check(text, &orders.problems);
    assert_eq!(orders.keys.len(), orders.lines.len());
    assert!(orders.lines.is_sorted() && orders.lines.iter().all(|line| *line >= 2 && *line <= lines(text)));
    let ended_alike = text.replace("\r\n", "\n").replace('\r', "\n");
    for (key, line) in orders.keys.iter().zip(&orders.lines) {
        // What is quoted may be written otherwise, and stand on several lines.
        if !text.contains('"') {
            let line = ended_alike.split('\n').nth(usize::try_from(*line).unwrap_or(0) - 1).unwrap_or_default();
            assert!(line.contains(&key.order_id), "{:?} on {line:?}", key.order_id);
        }
        assert!((1..=Money::MAX_CENTAVOS).contains(&key.amount.centavos), "{:?}", key.amount);
        assert!(key.expires.is_none_or(|expires| expires > now) && !key.order_id.is_empty());
    }
    if !orders.problems.is_empty() || orders.keys.len() > 20 {
        return;
    }
    let count = orders.keys.len();
    match LEDGER.draw_keys(orders.keys).expect("nothing is wrong with the ledger") {
        Ok(drawn) => {
            assert_eq!(drawn.len(), count);
            for key in &drawn {
                let Digits::Given(digits) = &key.digits else { panic!("a key without digits") };
                assert!((6..=20).contains(&digits.expose().len()));
            }
        }
        Err(refused) => assert!(!refused.is_empty() && refused.iter().all(|key| key.place < count)),
    }
});

fn check(text: &str, problems: &[OrderProblem]) {
    for problem in problems {
        assert!(!problem.text.is_empty() && (1..=lines(text)).contains(&problem.line), "{problem:?}");
    }
}

/// Lines end as CSV's do: a carriage return is an end by itself.
fn lines(text: &str) -> u64 {
    1 + text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64
}
