//! What a call has learned so far: fields, the authorization, the card's brand. Wiped when the call ends.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::card::{Brand, Cvv, Expiry, ExpiryError, LastFour, Pan, SecretDigits, YearMonth};
use crate::service::{Authorization, Card, PaymentKey};

use super::event::Rule;
use super::model::{Charge, FieldId, FieldKind, FieldSpec, Menu};

/// The variables of one call.
pub(super) struct Session {
    today: YearMonth,
    values: Vec<Option<SecretDigits>>,
    authorization: Option<Authorization>,
    /// The key it was given for.
    authorized_key: Option<PaymentKey>,
    /// Set only by a confirm state, for exactly the authorization heard there.
    confirmed: bool,
    /// The authorization has been charged, or nobody knows: it cannot be confirmed a second time.
    settled: bool,
    /// A charge without a key may have been made: nobody but this call knows whose it was.
    doubts_charge_without_key: bool,
    pub(super) reference: String,
    pub(super) last_four: Option<LastFour>,
    brand: Option<Brand>,
    /// Cards refused for good in this call, as keyed hashes: the numbers themselves are not kept.
    refused_cards: Vec<u64>,
    card_hash_key: RandomState,
    last_charged: Option<u64>,
    /// Variables by their index.
    pub(super) variables: Vec<Option<String>>,
    /// The months without interest chosen for the authorized amount.
    pub(super) months: Option<u8>,
}

impl Session {
    pub(super) fn new(menu: &Menu, today: YearMonth) -> Self {
        Self {
            today,
            values: menu.fields.iter().map(|_| None).collect(),
            authorization: None,
            authorized_key: None,
            confirmed: false,
            settled: false,
            doubts_charge_without_key: false,
            reference: String::new(),
            last_four: None,
            brand: None,
            refused_cards: Vec::new(),
            card_hash_key: RandomState::new(),
            last_charged: None,
            variables: vec![None; menu.variables.len()],
            months: None,
        }
    }

    /// The brand of the card number collected last.
    pub(super) const fn brand(&self) -> Option<Brand> {
        self.brand
    }

    /// What the authorizer allowed, for prompts; charges use [`Self::confirmed_authorization`].
    pub(super) const fn authorization(&self) -> Option<&Authorization> {
        self.authorization.as_ref()
    }

    /// The authorizer is asked about a key; until it answers nothing is allowed.
    pub(super) fn ask_about(&mut self, key: PaymentKey) {
        self.withdraw_authorization();
        self.authorized_key = Some(key);
    }

    /// The authorizer allows an amount, which the caller has yet to confirm.
    pub(super) fn authorize(&mut self, allowed: Authorization) {
        let key = self.authorized_key.take();
        self.withdraw_authorization();
        self.authorized_key = key;
        self.authorization = Some(allowed);
    }

    /// Nothing is authorized any more.
    pub(super) fn withdraw_authorization(&mut self) {
        self.authorization = None;
        self.authorized_key = None;
        self.confirmed = false;
        self.settled = false;
        self.months = None;
    }

    /// The caller says yes to the authorized amount.
    pub(super) const fn confirm(&mut self) {
        self.confirmed = self.authorization.is_some() && !self.settled;
    }

    /// The amount has been charged, or may have been: it must not be charged again in this call.
    pub(super) const fn settle(&mut self) {
        self.confirmed = false;
        self.settled = true;
    }

    /// Nobody knows whether the amount has been charged. Of a key the ledger tells so when it is asked about again.
    pub(super) fn doubt(&mut self) {
        self.doubts_charge_without_key |= self.authorized_key.as_ref().is_some_and(PaymentKey::is_none);
        self.settle();
    }

    /// Whether a charge of this call that had no key may have been made.
    pub(super) const fn doubts_charge_without_key(&self) -> bool {
        self.doubts_charge_without_key
    }

    /// Whether what was authorized last has been charged, or may have been.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// What may be charged, and under which key: the amount the authorizer allowed for it and the caller said yes to.
    pub(super) fn confirmed_authorization(&self) -> Option<(PaymentKey, Authorization)> {
        let confirmed = self.authorization.clone().filter(|_| self.confirmed);
        self.authorized_key.clone().zip(confirmed)
    }

    /// The fields collected so far with what may be shown of them: of card data nothing but the last four digits.
    pub(super) fn shown_fields(&self, menu: &Menu) -> Vec<(String, String)> {
        let shown = |(field, value): (&FieldSpec, &Option<SecretDigits>)| {
            let value = value.as_ref()?;
            let text = match (field.kind, self.last_four) {
                (FieldKind::CardNumber, Some(last_four)) => format!("•••• {last_four}"),
                (kind, _) if kind.is_masked() => "•".repeat(value.len()),
                _ => value.expose().to_owned(),
            };
            Some((field.name.clone(), text))
        };
        menu.fields.iter().zip(&self.values).filter_map(shown).collect()
    }

    /// Checks an entry and keeps it.
    pub(super) fn store(&mut self, menu: &Menu, id: FieldId, entry: SecretDigits) -> Result<(), Rule> {
        let text = entry.expose();
        let field = menu.field(id);
        match field.kind {
            FieldKind::PaymentKey => {}
            FieldKind::CardNumber => self.check_card(text)?,
            FieldKind::Expiry => self.check_expiry(text)?,
            FieldKind::Cvv => {
                Cvv::parse(text, self.brand).map_err(|_| Rule::Cvv)?;
            }
            FieldKind::Digits => within(field, text.parse().ok())?,
            FieldKind::Amount => {
                let centavos = field.centavos_of(text).ok_or(Rule::OutOfBounds)?;
                within(field, Some(centavos))?;
            }
            FieldKind::YesNo => {}
        }
        if field.kind == FieldKind::PaymentKey || menu.is_authorized_for(id) {
            self.withdraw_authorization();
        }
        self.values[id.0] = Some(entry);
        Ok(())
    }

    /// A field's digits as they were keyed.
    pub(super) fn digits(&self, id: FieldId) -> Option<&str> {
        self.values[id.0].as_ref().map(SecretDigits::expose)
    }

    /// A field is as if it had not been collected.
    pub(super) fn forget(&mut self, id: FieldId) {
        self.values[id.0] = None;
    }

    fn check_card(&mut self, text: &str) -> Result<(), Rule> {
        let pan = Pan::parse(text).map_err(|_| Rule::CardNumber)?;
        if self.refused_cards.contains(&self.hash(&pan)) {
            return Err(Rule::RefusedCard);
        }
        self.brand = Some(pan.brand());
        self.last_four = Some(pan.last_four());
        Ok(())
    }

    fn check_expiry(&self, text: &str) -> Result<(), Rule> {
        match Expiry::parse_mmyy(text, self.today) {
            Ok(_) => Ok(()),
            Err(ExpiryError::Expired) => Err(Rule::Expired),
            Err(_) => Err(Rule::Expiry),
        }
    }

    fn hash(&self, pan: &Pan) -> u64 {
        self.card_hash_key.hash_one(pan.expose())
    }

    /// The payment key, or the account's number, collected in this field.
    pub(super) fn payment_key(&self, menu: &Menu, id: FieldId) -> Option<PaymentKey> {
        let digits = self.digits(id)?;
        Some(match menu.field(id).kind {
            FieldKind::PaymentKey => PaymentKey::new(digits),
            _ => PaymentKey::account(digits),
        })
    }

    /// The card for one charge. The CVV leaves the session: another attempt asks for it again.
    pub(super) fn take_card(&mut self, charge: &Charge) -> Option<Card> {
        let cvv = self.values[charge.cvv.0].take()?;
        let pan = Pan::parse(self.values[charge.pan.0].as_ref()?.expose()).ok()?;
        let expiry = Expiry::parse_mmyy(self.values[charge.expiry.0].as_ref()?.expose(), self.today).ok()?;
        let cvv = Cvv::parse(cvv.expose(), Some(pan.brand())).ok()?;
        self.last_charged = Some(self.hash(&pan));
        Some(Card { pan, expiry, cvv })
    }

    /// Forgets card number, expiry and CVV. The last four digits and the brand stay, for prompts.
    pub(super) fn forget_card(&mut self, menu: &Menu) {
        for (value, field) in self.values.iter_mut().zip(&menu.fields) {
            if field.kind.is_card_data() {
                *value = None;
            }
        }
    }

    /// The card charged last is not to be tried again in this call.
    pub(super) fn refuse_last_card(&mut self) {
        self.refused_cards.extend(self.last_charged.take());
    }

    /// Whether nothing keyed in is kept.
    #[cfg(test)]
    pub(super) fn holds_nothing(&self) -> bool {
        self.authorization.is_none() && self.values.iter().all(Option::is_none)
    }

    /// Forgets everything keyed in.
    pub(super) fn wipe(&mut self) {
        self.values.iter_mut().for_each(|value| *value = None);
        self.variables.iter_mut().for_each(|value| *value = None);
        self.withdraw_authorization();
    }
}

/// A number too large to be one is out of every bound but none at all.
fn within(field: &FieldSpec, number: Option<u64>) -> Result<(), Rule> {
    let unbounded = field.bounds == (0..=u64::MAX);
    let fits = number.is_some_and(|number| field.bounds.contains(&number));
    if fits || unbounded { Ok(()) } else { Err(Rule::OutOfBounds) }
}
