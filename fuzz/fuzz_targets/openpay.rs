//! Openpay's answers: two bytes of HTTP status, and a body. Paid and not paid are only said of what says so in so many words;
//! everything else stays open; and no text of an error repeats the body.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use tonopago::payment::fuzzing::{Told, told_by_answer, told_by_list};
use tonopago_fuzz::canary;

const ORDER: &str = "ord-234";
const AMOUNT: f64 = 200.0;
/// Statuses of a charge that took no money or gave it back; the last where it waits for a browser.
const OVER: [&str; 4] = ["failed", "cancelled", "refunded", "charge_pending"];
/// Payment required: the bank's no, whatever the body says.
const DECLINED: u16 = 402;

fuzz_target!(init: canary::keep_logs(), |data: &[u8]| {
    let Some((&[high, low], body)) = data.split_first_chunk() else { return };
    let status = u16::from_be_bytes([high, low]);
    // What nobody reads may be in another encoding.
    let text = String::from_utf8_lossy(body);
    let charge: Charge = serde_json::from_str(&text).unwrap_or_default();
    let charges: Option<Vec<Charge>> = serde_json::from_str(&text).ok();
    let (told, error) = told_by_answer(status, body);
    match &told {
        Told::Paid => assert!(status == 200 && is_paid(&charge) && order(&charge).is_none_or(|id| id == ORDER)),
        Told::NotPaid(_) if (400..500).contains(&status) => {
            let code = words(&field(&charge, "error_code")).and_then(|code| code.parse::<u32>().ok());
            assert!(status == DECLINED || code.is_some_and(|code| code > 0), "{status} {text}");
        }
        Told::NotPaid(_) => assert!(status == 200 && is_over(&charge), "{status} {text}"),
        Told::NotMade => assert!(!(200..300).contains(&status), "{status} {text}"),
        Told::Absent => panic!("an answer is no list"),
        Told::Open => {}
    }
    if status >= 500 {
        assert!(matches!(told, Told::Open | Told::NotMade), "{told:?}");
    }
    let shown = format!("{error:?} {}", error.as_ref().map(ToString::to_string).unwrap_or_default());
    let code = words(&field(&charge, "error_code")).unwrap_or_default();
    assert!(!canary::tells(&shown) || canary::tells(&code), "{shown}");
    for settled in [false, true] {
        list(status, body, charges.as_deref(), settled);
    }
    // A charge's id is told: an operator must find it.
    let logged = canary::take_logs();
    let tells_by_id = |charge: &Charge| words(&field(charge, "id")).is_some_and(|id| canary::tells(&id));
    let by_id = charges.iter().flatten().chain([&charge]).any(tells_by_id);
    assert!(by_id || !canary::tells(&logged), "{logged}");
});

/// A transaction's fields as they stand.
type Charge = BTreeMap<String, Box<RawValue>>;

fn list(status: u16, body: &[u8], charges: Option<&[Charge]>, settled: bool) {
    let all = charges.unwrap_or_default();
    let mut ours = all.iter().filter(|charge| order(charge).is_some_and(|id| id == ORDER));
    match told_by_list(status, body, settled) {
        Told::Paid => assert!(ours.any(is_paid), "{all:?}"),
        Told::NotPaid(_) => assert!(ours.any(is_over), "{all:?}"),
        Told::NotMade => assert!(settled && ours.next().is_some(), "{all:?}"),
        Told::Absent => assert!((200..300).contains(&status) && charges.is_some() && ours.next().is_none(), "{all:?}"),
        Told::Open => {}
    }
}

fn is_paid(charge: &Charge) -> bool {
    let amount = words(&field(charge, "amount")).and_then(|amount| amount.parse::<f64>().ok());
    field(charge, "status") == "completed" && amount.is_some_and(|amount| (amount - AMOUNT).abs() < 1e-6)
}

fn is_over(charge: &Charge) -> bool {
    OVER.iter().any(|status| field(charge, "status") == *status)
}

fn order(charge: &Charge) -> Option<String> {
    words(&field(charge, "order_id"))
}

fn field(charge: &Charge, name: &str) -> Value {
    charge.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// A string, or a number's digits.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
