//! For `fuzz/` only: what is made of Openpay's answers, whatever they are.

use jiff::Timestamp;

use super::Alarms;
use super::finding::{Finding, Verdict, decline_reply};
use crate::http::Answer;
use crate::ledger::{Attempt, State};
use crate::money::Money;
use crate::openpay::{Error, read_charge, read_charges};
use crate::service::{ChargeReply, PaymentKey};

/// What an answer says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is paid, by it or by another.
    Paid,
    /// It is not, and never will be; what the caller hears.
    NotPaid(ChargeReply),
    /// The charge was refused before it was made, or made under this order id before.
    NotMade,
    /// There is no charge of it.
    Absent,
    /// Anything may be.
    Open,
}

/// The attempt that answers are about: 200.00 MXN of order `ord-234`, of a Visa that ends in 1111.
pub fn attempt() -> Attempt {
    let created = Timestamp::constant(1_790_000_000, 0);
    let amount = Money::mxn(20_000);
    Attempt {
        id: 1,
        key: PaymentKey::new("257139"),
        order_id: "ord-234".to_owned(),
        gateway_order_id: "ord-234".to_owned(),
        amount,
        description: "Cargo".to_owned(),
        brand: "Visa".to_owned(),
        last_four: "1111".to_owned(),
        months: None,
        state: State::Sent,
        charge_id: None,
        authorization: None,
        error_code: None,
        refunded: Money::mxn(0),
        refund_open: Money::mxn(0),
        created,
        sent: Some(created),
        updated: created,
    }
}

/// What the answer to a charge says, and why it can't be read, if it can't.
pub fn told_by_answer(status: u16, body: &[u8]) -> (Told, Option<Error>) {
    let answer = read_charge(&Answer { status, body: body.to_vec(), date: None });
    let error = answer.as_ref().err().cloned();
    let told = match Verdict::of(answer, &attempt(), &Alarms::default()) {
        Verdict::Paid(_) => Told::Paid,
        Verdict::NotPaid(code) => Told::NotPaid(decline_reply(code)),
        Verdict::BadToken | Verdict::Failed | Verdict::AlreadyProcessed => Told::NotMade,
        Verdict::NotSent | Verdict::Unclear => Told::Open,
    };
    (told, error)
}

/// What a list of the order's charges says.
pub fn told_by_list(status: u16, body: &[u8], settled: bool) -> Told {
    let list = read_charges(&Answer { status, body: body.to_vec(), date: None });
    match Finding::of(list, &attempt(), settled, &Alarms::default()) {
        Finding::Paid(_) | Finding::Elsewhere(_) | Finding::Earlier(_) => Told::Paid,
        Finding::NotPaid(code) => Told::NotPaid(decline_reply(code)),
        Finding::OlderFailure => Told::NotMade,
        Finding::Absent => Told::Absent,
        Finding::Undecided => Told::Open,
    }
}
