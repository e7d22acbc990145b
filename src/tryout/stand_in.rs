//! Services that answer what the author chooses, at once and without a network.

use crate::card::Pan;
use crate::money::{Currency, Money};
use crate::service::{Authorization, AuthorizeReply, CardField, ChargeReply, Decline, Refusal, Reply, Request};

/// What the authorizer's stand-in answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizerDoes {
    /// Allows this amount, and tells these values besides.
    Allows(Money, Vec<(String, String)>),
    /// Refuses the key.
    Refuses(Refusal),
    /// An earlier charge of this key is still open.
    IsPending,
    /// Is out of order.
    Fails,
    /// Never answers.
    Sleeps,
}

/// What the gateway's stand-in answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayDoes {
    /// What Openpay's test cards are published to do; approves all others.
    AsTheCardSays,
    /// Approves.
    Approves,
    /// Declines.
    Declines(Decline),
    /// Finds a part of the card data wrong.
    Corrects(CardField),
    /// Says that the order was paid before.
    WasPaid,
    /// Leaves the outcome open.
    DoesNotKnow,
    /// Is out of order; nothing was charged.
    Fails,
    /// Never answers.
    Sleeps,
}

/// Openpay's published test cards that are not approved.
const TEST_CARDS: [(&str, GatewayDoes); 5] = [
    ("4222222222222220", GatewayDoes::Declines(Decline::Generic)),
    ("4000000000000069", GatewayDoes::Corrects(CardField::Expiry)),
    ("4444444444444448", GatewayDoes::Declines(Decline::OtherCard)),
    ("4000000000000119", GatewayDoes::Declines(Decline::Generic)),
    ("4000000000000044", GatewayDoes::Declines(Decline::Generic)),
];

/// What a name means, and what it is called in documentation.
const AUTHORIZER: [(&str, AuthorizerDoes); 7] = [
    ("unknown", AuthorizerDoes::Refuses(Refusal::Unknown)),
    ("expired", AuthorizerDoes::Refuses(Refusal::Expired)),
    ("already_paid", AuthorizerDoes::Refuses(Refusal::AlreadyPaid)),
    ("blocked", AuthorizerDoes::Refuses(Refusal::Blocked)),
    ("pending", AuthorizerDoes::IsPending),
    ("unavailable", AuthorizerDoes::Fails),
    ("silent", AuthorizerDoes::Sleeps),
];

const GATEWAY: [(&str, GatewayDoes); 12] = [
    ("by_card", GatewayDoes::AsTheCardSays),
    ("approved", GatewayDoes::Approves),
    ("declined", GatewayDoes::Declines(Decline::Generic)),
    ("other_card", GatewayDoes::Declines(Decline::OtherCard)),
    ("call_bank", GatewayDoes::Declines(Decline::CallYourBank)),
    ("wrong_number", GatewayDoes::Corrects(CardField::Pan)),
    ("wrong_expiry", GatewayDoes::Corrects(CardField::Expiry)),
    ("wrong_cvv", GatewayDoes::Corrects(CardField::Cvv)),
    ("already_paid", GatewayDoes::WasPaid),
    ("unknown", GatewayDoes::DoesNotKnow),
    ("unavailable", GatewayDoes::Fails),
    ("silent", GatewayDoes::Sleeps),
];

impl AuthorizerDoes {
    /// An amount to allow (`200.00`, `49.90 USD`), with what else is told (`200.00 concepto=agua`), or the name of another
    /// answer.
    ///
    /// # Errors
    /// What can be written, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, does)) = AUTHORIZER.iter().find(|(name, _)| *name == text) {
            return Ok(does.clone());
        }
        Self::allowance(text).ok_or_else(|| {
            let names = AUTHORIZER.map(|(name, _)| name).join(", ");
            format!(
                "the authorizer cannot answer {text:?}: give an amount such as 200.00, or one of {names}; behind an amount may \
                 stand what else is told, as concepto=agua"
            )
        })
    }

    fn allowance(text: &str) -> Option<Self> {
        let (told, amount): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(|word| word.contains('='));
        let (number, code) = match amount[..] {
            [number] => (number, "MXN"),
            [number, code] => (number, code),
            _ => return None,
        };
        let amount = Money::parse(number, Currency::parse(code)?).ok().filter(|amount| amount.centavos > 0)?;
        let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self::Allows(amount, told.into_iter().filter_map(pair).collect()))
    }
}

impl GatewayDoes {
    /// The name of an answer.
    ///
    /// # Errors
    /// What can be written, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = GATEWAY.iter().find(|(name, _)| *name == text).map(|(_, does)| does.clone());
        let names = || GATEWAY.map(|(name, _)| name).join(", ");
        found.ok_or_else(|| format!("the gateway cannot answer {text:?}: give one of {}", names()))
    }
}

/// Stand-ins for the merchant's authorizer and the payment gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// What the authorizer answers from now on.
    pub authorizer: AuthorizerDoes,
    /// What the gateway answers from now on.
    pub gateway: GatewayDoes,
    charges: u32,
}

impl Default for StandIn {
    /// Allows 200.00 MXN for every key; the card says what becomes of the charge.
    fn default() -> Self {
        let authorizer = AuthorizerDoes::Allows(Money::mxn(20_000), Vec::new());
        Self { authorizer, gateway: GatewayDoes::AsTheCardSays, charges: 0 }
    }
}

impl StandIn {
    /// The answer to a request; `None` if there will never be one.
    pub fn perform(&mut self, request: &Request) -> Option<Reply> {
        match request {
            Request::Authorize { .. } => self.authorize().map(Reply::Authorize),
            Request::Charge { card, .. } => {
                self.charges += 1;
                self.charge(&card.pan).map(Reply::Charge)
            }
        }
    }

    fn authorize(&self) -> Option<AuthorizeReply> {
        match &self.authorizer {
            AuthorizerDoes::Allows(amount, told) => Some(AuthorizeReply::Authorized(Authorization {
                amount: *amount,
                order_id: "prueba-1".to_owned(),
                description: "Prueba".to_owned(),
                customer: None,
                values: told.clone(),
            })),
            AuthorizerDoes::Refuses(refusal) => Some(AuthorizeReply::Refused(*refusal)),
            AuthorizerDoes::IsPending => Some(AuthorizeReply::Pending { reference: self.reference() }),
            AuthorizerDoes::Fails => Some(AuthorizeReply::Unavailable),
            AuthorizerDoes::Sleeps => None,
        }
    }

    /// Of the last charge.
    fn reference(&self) -> String {
        format!("{:06}", 100_000 + self.charges)
    }

    fn charge(&self, pan: &Pan) -> Option<ChargeReply> {
        let reference = self.reference();
        let by_card = || TEST_CARDS.iter().find(|(number, _)| *number == pan.expose()).map(|(_, does)| does);
        let does = match &self.gateway {
            GatewayDoes::AsTheCardSays => by_card().unwrap_or(&GatewayDoes::Approves),
            other => other,
        };
        Some(match does {
            GatewayDoes::AsTheCardSays | GatewayDoes::Approves => ChargeReply::Approved { reference },
            GatewayDoes::Declines(decline) => ChargeReply::Declined(*decline),
            GatewayDoes::Corrects(field) => ChargeReply::Correct(*field),
            GatewayDoes::WasPaid => ChargeReply::AlreadyPaid { reference },
            GatewayDoes::DoesNotKnow => ChargeReply::Unknown { reference },
            GatewayDoes::Fails => ChargeReply::Unavailable,
            GatewayDoes::Sleeps => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_chosen_by_name_or_amount() {
        assert_eq!(AuthorizerDoes::parse("99.50"), Ok(AuthorizerDoes::Allows(Money::mxn(9950), Vec::new())));
        let told = vec![("concepto".to_owned(), "agua".to_owned())];
        assert_eq!(AuthorizerDoes::parse("5 MXN concepto=agua"), Ok(AuthorizerDoes::Allows(Money::mxn(500), told)));
        assert_eq!(AuthorizerDoes::parse("blocked"), Ok(AuthorizerDoes::Refuses(Refusal::Blocked)));
        assert_eq!(AuthorizerDoes::parse("pending"), Ok(AuthorizerDoes::IsPending));
        for wrong in ["0", "1.234", "bloqued", "5 EUR", "concepto=agua", "5 MXN 6"] {
            assert!(AuthorizerDoes::parse(wrong).unwrap_err().contains("blocked"), "{wrong}");
        }
        assert_eq!(GatewayDoes::parse("silent"), Ok(GatewayDoes::Sleeps));
        assert!(GatewayDoes::parse("ok").unwrap_err().contains("approved"));
    }

    #[test]
    fn test_cards_do_what_openpay_says_unless_told_otherwise() {
        let charge = |stand_in: &StandIn, number| stand_in.charge(&Pan::parse(number).unwrap());
        let mut stand_in = StandIn::default();
        let approved = || Some(ChargeReply::Approved { reference: "100000".to_owned() });
        assert_eq!(charge(&stand_in, "4111111111111111"), approved());
        assert_eq!(charge(&stand_in, "4444444444444448"), Some(ChargeReply::Declined(Decline::OtherCard)));
        stand_in.gateway = GatewayDoes::Approves;
        assert_eq!(charge(&stand_in, "4444444444444448"), approved());
        stand_in.gateway = GatewayDoes::Sleeps;
        assert_eq!(charge(&stand_in, "4111111111111111"), None);
    }
}
