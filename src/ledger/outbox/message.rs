//! What the merchant is told of an outcome, or of a refund: what kind of message, and its JSON.

use serde::Serialize;

use crate::ledger::column::time;
use crate::ledger::{Attempt, End, LedgerError, Outcome, RefundState, State};
use crate::money::Money;

/// The kind of a message to the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Paid.
    Approved,
    /// The order is paid, by another charge.
    Elsewhere,
    /// Not paid by this try.
    Declined,
    /// Nobody knows yet.
    Pending,
    /// Not paid: given up, as the gateway never heard of it.
    Lapsed,
    /// Some or all of what was paid has been given back.
    Refunded,
}

/// What a message tells.
pub(super) enum Told<'a> {
    /// How a try to pay ended, or that nobody knows.
    Outcome(&'a Outcome),
    /// So much of it was given back this time.
    Refund(Money),
}

impl MessageKind {
    /// All of them, with their names on the wire.
    pub const NAMED: [(Self, &'static str); 6] = [
        (Self::Approved, "payment.approved"),
        (Self::Elsewhere, "payment.elsewhere"),
        (Self::Declined, "payment.declined"),
        (Self::Pending, "payment.pending"),
        (Self::Lapsed, "payment.lapsed"),
        (Self::Refunded, "payment.refunded"),
    ];

    /// What is told of an attempt that has come to this state, if anything is.
    pub(super) const fn of(state: State) -> Option<Self> {
        match state {
            State::Approved => Some(Self::Approved),
            State::Elsewhere => Some(Self::Elsewhere),
            State::Declined => Some(Self::Declined),
            State::Unknown => Some(Self::Pending),
            State::Lapsed => Some(Self::Lapsed),
            State::Prepared | State::Sent | State::Abandoned => None,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        Self::NAMED.into_iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind with this name; newer boxes may know more.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }

    /// What such a message is to the ledger of the merchant who gets it.
    pub const fn end(self, counts_as_failure: bool) -> End {
        match self {
            Self::Approved | Self::Elsewhere => End::Paid,
            Self::Declined if counts_as_failure => End::Failed,
            Self::Declined | Self::Lapsed => End::NotPaid,
            Self::Pending => End::Pending,
            Self::Refunded => End::Refunded,
        }
    }
}

/// The JSON of a notification. Amounts are decimal text; there is neither a payment key nor a card number in it.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    r#type: &'a str,
    created: String,
    order_id: &'a str,
    amount: String,
    currency: &'static str,
    status: &'static str,
    counts_as_failure: bool,
    attempt: String,
    reference: String,
    charge_id: Option<&'a str>,
    authorization: Option<&'a str>,
    error_code: Option<u32>,
    card: CardBody<'a>,
    months: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundBody>,
}

#[derive(Serialize)]
struct CardBody<'a> {
    brand: &'a str,
    last_four: &'a str,
}

/// How much was given back this time, and how much of the payment has been altogether: reports come in any order.
#[derive(Serialize)]
struct RefundBody {
    amount: String,
    total: String,
}

impl Told<'_> {
    /// The kind of message it makes of an attempt as it is now, if any.
    pub(super) const fn kind(&self, attempt: &Attempt) -> Option<MessageKind> {
        match self {
            Self::Outcome(_) => MessageKind::of(attempt.state),
            Self::Refund(_) => Some(MessageKind::Refunded),
        }
    }

    /// Never `approved` of a refund: whoever goes by it alone would book the payment again.
    const fn status(&self, attempt: &Attempt) -> &'static str {
        match self {
            Self::Outcome(_) => attempt.state.name(),
            Self::Refund(_) => RefundState::Refunded.name(),
        }
    }
}

/// `name` is the attempt's among those of all ledgers.
pub(super) fn body(
    attempt: &Attempt,
    name: &str,
    told: &Told<'_>,
    kind: MessageKind,
    event_id: &str,
    now: i64,
) -> String {
    let refund = match told {
        Told::Outcome(_) => None,
        Told::Refund(amount) => Some(RefundBody { amount: amount.decimal(), total: attempt.refunded.decimal() }),
    };
    let body = Body {
        id: event_id,
        r#type: kind.name(),
        created: time(now).to_string(),
        order_id: &attempt.order_id,
        amount: attempt.amount.decimal(),
        currency: attempt.amount.currency.code(),
        status: told.status(attempt),
        counts_as_failure: matches!(told, Told::Outcome(Outcome::Declined { counts: true, .. })),
        attempt: name.to_owned(),
        reference: attempt.reference(),
        charge_id: attempt.charge_id.as_deref(),
        authorization: attempt.authorization.as_deref(),
        error_code: attempt.error_code,
        card: CardBody { brand: &attempt.brand, last_four: &attempt.last_four },
        months: attempt.months,
        refund,
    };
    serde_json::to_string(&body).expect("texts and numbers always serialize")
}

pub(super) fn new_event_id() -> Result<String, LedgerError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| LedgerError::Random(error.to_string()))?;
    Ok(format!("evt_{:032x}", u128::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a box tells and what a merchant's ledger makes of it were written down apart.
    #[test]
    fn a_merchants_ledger_makes_of_each_message_what_the_box_meant() {
        for state in State::ALL {
            let told = MessageKind::of(state).and_then(|kind| MessageKind::parse(kind.name()));
            let end = told.map(|kind| [true, false].map(|counts| kind.end(counts)));
            let expected = match state {
                State::Approved | State::Elsewhere => Some([End::Paid; 2]),
                State::Declined => Some([End::Failed, End::NotPaid]),
                State::Lapsed => Some([End::NotPaid; 2]),
                State::Unknown => Some([End::Pending; 2]),
                State::Prepared | State::Sent | State::Abandoned => None,
            };
            assert_eq!(end, expected, "{state}");
        }
        assert_eq!(MessageKind::parse("payment.unheard"), None);
    }

    #[test]
    fn the_merchants_documentation_has_every_kind() {
        let documentation = include_str!("../../../docs/merchant.md");
        for (_, name) in MessageKind::NAMED {
            assert!(documentation.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
