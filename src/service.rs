//! What a call asks of the outside world and what comes back: the vocabulary between the menu runtime and the drivers.
//!
//! A call never performs these requests. It emits them as effects; the driver performs them (over HTTP, with the
//! ledger, in a test by hand) and delivers the answer. Nothing here touches a socket, a clock or a file.

use std::fmt;

use zeroize::Zeroizing;

use crate::card::{Cvv, Expiry, Pan};
use crate::money::Money;

/// Identifies one request of one call; the answer carries it back. Unique within a call, ascending from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u32);

/// The key a merchant gave its customer. A credential: it prints masked, as its length only.
///
/// A key is paid once. What stands in its place may be paid again and again, each time under another order: the number of an
/// account that a customer keeps, or nothing at all, as for a donation.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentKey {
    digits: Zeroizing<String>,
    reuse: Reuse,
}

/// How often a key may be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reuse {
    Once,
    OncePerOrder,
}

/// Between an account's digits and the order, in what the ledger keeps for a key: no key of digits has it.
const OF_ORDER: char = '@';
/// What comes right after it in the order of bytes: behind an account's digits it comes after whatever its orders are called.
const AFTER_ORDERS: char = 'A';

impl PaymentKey {
    /// Takes the keyed digits.
    pub fn new(digits: impl Into<String>) -> Self {
        Self { digits: Zeroizing::new(digits.into()), reuse: Reuse::Once }
    }

    /// The number of an account: its orders are paid once each, one after the other.
    pub fn account(digits: impl Into<String>) -> Self {
        Self { digits: Zeroizing::new(digits.into()), reuse: Reuse::OncePerOrder }
    }

    /// No key: what is asked of the authorizer is all there is.
    pub fn none() -> Self {
        Self::account(String::new())
    }

    /// Whether there is no key.
    pub fn is_none(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether all there is to pay under this key is one order.
    pub const fn is_paid_once(&self) -> bool {
        matches!(self.reuse, Reuse::Once)
    }

    /// The digits, for the authorizer's request and the ledger only.
    pub fn expose(&self) -> &str {
        &self.digits
    }

    /// What the ledger keeps as the key of an order's charge, so that its rule of one charge for each key is one for each
    /// order where the key may be paid again.
    pub fn recorded(&self, order_id: &str) -> Zeroizing<String> {
        match self.reuse {
            Reuse::Once => self.digits.clone(),
            Reuse::OncePerOrder => Zeroizing::new(format!("{}{OF_ORDER}{order_id}", self.expose())),
        }
    }

    /// Two texts between which, in the order of bytes, is all that the ledger may have kept for this key, and nothing else. Of no
    /// key there are none: whose charges they were is not known.
    pub fn all_recorded(&self) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
        match self.reuse {
            _ if self.is_none() => None,
            Reuse::Once => Some((self.digits.clone(), self.digits.clone())),
            Reuse::OncePerOrder => {
                Some((self.recorded(""), Zeroizing::new(format!("{}{AFTER_ORDERS}", self.expose()))))
            }
        }
    }
}

impl fmt::Debug for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentKey({} digits)", self.digits.len())
    }
}

/// Who pays, as far as the merchant told us; Openpay wants a name and an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Customer {
    /// Given name.
    pub name: String,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number, digits.
    pub phone_number: Option<String>,
}

/// The merchant's permission to charge: what, how much, for which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The amount the caller confirms and the card is charged.
    pub amount: Money,
    /// The merchant's order number; the base of Openpay's `order_id`, our idempotency key.
    pub order_id: String,
    /// Shown on the charge, at most [`Self::MAX_DESCRIPTION`] characters.
    pub description: String,
    /// The payer, where the merchant sent one.
    pub customer: Option<Customer>,
    /// What else the merchant tells of the order, by name, for the menu to go by: no secret.
    pub values: Vec<(String, String)>,
}

/// Card data on its way to one charge. Not `Debug`, `Clone` or `Serialize`; wiped when dropped.
pub struct Card {
    /// Card number.
    pub pan: Pan,
    /// Month and year of expiry.
    pub expiry: Expiry,
    /// Card verification value; good for this one attempt.
    pub cvv: Cvv,
}

/// A service request emitted by a call.
#[expect(clippy::large_enum_variant, reason = "a call makes a handful, each moved once")]
pub enum Request {
    /// Ask the merchant's authorizer about a payment key.
    Authorize {
        /// The key as keyed in.
        key: PaymentKey,
        /// What else the authorizer is to know, by name: amounts as decimal text, digits as they were keyed. No secret.
        values: Vec<(String, String)>,
    },
    /// Charge a card for what was authorized and confirmed by the caller.
    Charge {
        /// The key that was authorized; the exactly-once rule is per key, and per order.
        key: PaymentKey,
        /// What the authorizer allowed.
        authorization: Authorization,
        /// The card to charge.
        card: Card,
        /// Months without interest (3, 6, 9, 12, 18), if the caller chose a plan.
        months: Option<u8>,
    },
}

impl Authorization {
    /// Most characters of a description: more the gateway does not take.
    pub const MAX_DESCRIPTION: usize = 250;
}

impl Request {
    /// What a call is told if nobody could even be asked.
    pub const fn unavailable(&self) -> Reply {
        match self {
            Self::Authorize { .. } => Reply::Authorize(AuthorizeReply::Unavailable),
            Self::Charge { .. } => Reply::Charge(ChargeReply::Unavailable),
        }
    }

    /// The service's name for traces and logs; never any of its data.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Authorize { .. } => "authorize",
            Self::Charge { .. } => "charge",
        }
    }
}

/// Why an authorizer refused a key. Callers hear the same words for [`Refusal::Unknown`] and [`Refusal::Expired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such key.
    Unknown,
    /// The key was good once.
    Expired,
    /// The order is paid; nothing is owed.
    AlreadyPaid,
    /// Too many failures, or cancelled by the merchant.
    Blocked,
}

impl Refusal {
    /// It in two words, for a merchant's developer and for traces.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "unknown key",
            Self::Expired => "expired key",
            Self::AlreadyPaid => "already paid",
            Self::Blocked => "blocked key",
        }
    }
}

/// The authorizer's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeReply {
    /// The key is good; the amount is to be confirmed by the caller.
    Authorized(Authorization),
    /// The authorizer answered no.
    Refused(Refusal),
    /// An earlier charge of this key is still open: "being verified, do not pay again". No card need be asked for.
    Pending {
        /// Digits to speak.
        reference: String,
    },
    /// No usable answer: time-out, HTTP error, or a body that does not parse. Not the same as a refusal.
    Unavailable,
}

/// The part of the card data the gateway found wrong, to be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardField {
    /// The card number.
    Pan,
    /// Month and year of expiry.
    Expiry,
    /// The card verification value.
    Cvv,
}

/// What a caller can do about a declined charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decline {
    /// Try another card.
    OtherCard,
    /// The bank must be asked (restricted, or authorization needed).
    CallYourBank,
    /// Stolen, lost, fraud, or unexplained: one sentence for all, and this card is not tried again in this call.
    Generic,
}

/// The outcome of a charge, as far as a caller may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeReply {
    /// Paid: the gateway said `completed`. The reference is digits the caller can write down.
    Approved {
        /// Digits to speak.
        reference: String,
    },
    /// Not paid.
    Declined(Decline),
    /// Not tried by the bank: one part of the card data is wrong and can be asked for again.
    Correct(CardField),
    /// The order had been paid before; nothing was charged now.
    AlreadyPaid {
        /// Digits to speak.
        reference: String,
    },
    /// Nobody knows yet: "being verified, do not pay again", reconciled in the background.
    Unknown {
        /// Digits to speak.
        reference: String,
    },
    /// Not paid, and trying again in this call makes no sense (our configuration, or the gateway is down).
    Unavailable,
}

/// An answer for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To [`Request::Authorize`].
    Authorize(AuthorizeReply),
    /// To [`Request::Charge`].
    Charge(ChargeReply),
}
