//! Openpay's published test cards and what becomes of them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::errors::Refusal;
use crate::card::{Brand, Cvv, CvvError, Expiry, ExpiryError, Pan, PanError, YearMonth};

/// Test cards that are declined, and the code they are declined with. All others are approved.
const DECLINED: [(&str, u32); 5] = [
    ("4222222222222220", 3001),
    ("4000000000000069", 3002),
    ("4444444444444448", 3003),
    ("4000000000000119", 3004),
    ("4000000000000044", 3005),
];

/// A card as it arrives. Borrowed from the body wherever JSON allows.
#[derive(Deserialize)]
pub(super) struct CardBody<'a> {
    #[serde(borrow, default)]
    holder_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    card_number: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cvv2: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    expiration_month: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    expiration_year: Option<Cow<'a, str>>,
}

/// A card as it is kept and shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MaskedCard {
    #[serde(rename = "type")]
    kind: String,
    brand: String,
    card_number: String,
    holder_name: String,
    expiration_year: String,
    expiration_month: String,
    allows_charges: bool,
    allows_payouts: bool,
    bank_name: String,
    bank_code: String,
}

/// A checked card: what may be kept, and whether a charge of it succeeds.
pub(super) struct CheckedCard {
    pub(super) masked: MaskedCard,
    pub(super) decline: Option<u32>,
}

impl CardBody<'_> {
    /// Checks a card as Openpay does before any bank is asked.
    pub(super) fn check(&self, today: YearMonth) -> Result<CheckedCard, Refusal> {
        let holder_name = self.holder_name.as_deref().filter(|name| !name.is_empty());
        let holder_name = holder_name.ok_or(Refusal::missing("holder_name"))?;
        let number = self.card_number.as_deref().ok_or(Refusal::missing("card_number"))?;
        let pan = Pan::parse(number).map_err(refuse_pan)?;
        let month = self.expiration_month.as_deref().ok_or(Refusal::missing("expiration_month"))?;
        let year = self.expiration_year.as_deref().ok_or(Refusal::missing("expiration_year"))?;
        let expiry = Expiry::parse_mmyy(&format!("{month}{year}"), today).map_err(refuse_expiry)?;
        check_cvv(self.cvv2.as_deref(), pan.brand())?;
        let decline = DECLINED.iter().find(|(number, _)| *number == pan.expose()).map(|(_, code)| *code);
        Ok(CheckedCard { masked: mask(&pan, &expiry, holder_name), decline })
    }
}

fn refuse_pan(error: PanError) -> Refusal {
    match error {
        PanError::CheckDigit => Refusal::new(422, 2004, "The check digit of the card number is invalid"),
        PanError::NotDigits | PanError::Length(_) | PanError::BrandLength { .. } => {
            Refusal::new(400, 1001, "card_number length is invalid")
        }
    }
}

fn refuse_expiry(error: ExpiryError) -> Refusal {
    match error {
        ExpiryError::Expired => Refusal::new(400, 2005, "The expiration date has already passed"),
        ExpiryError::Malformed | ExpiryError::BadMonth | ExpiryError::TooFar => {
            Refusal::new(400, 1001, "expiration_month or expiration_year is invalid")
        }
    }
}

fn check_cvv(cvv: Option<&str>, brand: Brand) -> Result<(), Refusal> {
    match cvv.map(|cvv| Cvv::parse(cvv, Some(brand))) {
        None => Err(Refusal::new(400, 2006, "The CVV2 security code is required")),
        Some(Ok(_)) => Ok(()),
        Some(Err(CvvError::WrongLength { .. })) => Err(Refusal::new(412, 2009, "The CVV2 security code is invalid")),
        Some(Err(CvvError::NotDigits)) => Err(Refusal::new(400, 1001, "cvv2 must be digits")),
    }
}

fn mask(pan: &Pan, expiry: &Expiry, holder_name: &str) -> MaskedCard {
    let digits = pan.expose();
    let hidden = "X".repeat(digits.len() - 10); // first six and last four digits stay
    MaskedCard {
        kind: "debit".to_owned(),
        brand: pan.brand().name().to_lowercase().replace(' ', "_"),
        card_number: format!("{}{hidden}{}", &digits[..6], pan.last_four()),
        holder_name: holder_name.to_owned(),
        expiration_year: expiry.year2().to_owned(),
        expiration_month: expiry.month2().to_owned(),
        allows_charges: true,
        allows_payouts: false,
        bank_name: "Banco de Pruebas".to_owned(),
        bank_code: "999".to_owned(),
    }
}
