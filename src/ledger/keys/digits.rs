//! A key's digits: drawn, or the merchant's own; never those of another key, and never a card number.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};
use zeroize::Zeroizing;

use super::Digits;
use crate::card::Pan;

/// Lengths of keys, in digits: short enough to key in, long enough not to be guessed.
const KEY_DIGITS: std::ops::RangeInclusive<usize> = 6..=20;
/// At most one in so many keys of a length may be open, so that guessing takes this many calls on average.
const SPARSITY: i64 = 10_000;
/// Draws before giving up on finding a number nobody has; with the sparsity kept one is nearly always enough.
const DRAWS: usize = 100;

/// Digits for a new key, or why there are none; the reason repeats no digit.
type Chosen = Result<Result<Zeroizing<String>, String>, rusqlite::Error>;

/// How many keys of each length are open, counted once in a transaction however many it issues: counting reads every key.
#[derive(Default)]
pub(super) struct OpenKeys(HashMap<usize, i64>);

impl OpenKeys {
    fn count(&mut self, connection: &Connection, length: usize) -> Result<i64, rusqlite::Error> {
        if let Some(open) = self.0.get(&length) {
            return Ok(*open);
        }
        let count = "SELECT count(*) FROM payment_key WHERE status = 'open' AND length(digits) = ?1";
        let digits = i64::try_from(length).unwrap_or(i64::MAX); // longer than any key: there is none
        let open = connection.query_row(count, [digits], |row| row.get(0))?;
        self.0.insert(length, open);
        Ok(open)
    }

    /// A key of this length has been issued.
    pub(super) fn issued(&mut self, length: usize) {
        self.change(length, 1);
    }

    /// A key of this length is open no more.
    pub(super) fn ended(&mut self, length: usize) {
        self.change(length, -1);
    }

    fn change(&mut self, length: usize, by: i64) {
        if let Some(open) = self.0.get_mut(&length) {
            *open += by;
        }
    }
}

pub(super) fn choose(transaction: &Transaction<'_>, digits: &Digits, open: &mut OpenKeys) -> Chosen {
    let key = match digits {
        Digits::Given(key) => key.expose(),
        Digits::Random(length) => return draw(transaction, *length, open),
    };
    if !KEY_DIGITS.contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Err(format!("{} and nothing else", a_key_has())));
    }
    if is_card_number(key) {
        return Ok(Err("the key looks like a card number, which must not be kept: take another".to_owned()));
    }
    if is_known(transaction, key)? {
        return Ok(Err("this key has been issued before".to_owned()));
    }
    Ok(Ok(Zeroizing::new(key.to_owned())))
}

fn a_key_has() -> String {
    format!("a key has {} to {} digits", KEY_DIGITS.start(), KEY_DIGITS.end())
}

fn draw(transaction: &Transaction<'_>, length: usize, open: &mut OpenKeys) -> Chosen {
    let Some(digits) = u32::try_from(length).ok().filter(|_| KEY_DIGITS.contains(&length)) else {
        return Ok(Err(a_key_has()));
    };
    let open = open.count(transaction, length)?;
    let space = 10_i64.saturating_pow(digits);
    if open >= space / SPARSITY {
        return Ok(Err(format!("{open} keys of {length} digits are open: use longer keys")));
    }
    for _ in 0..DRAWS {
        let drawn = match random(length) {
            Ok(drawn) => drawn,
            Err(error) => return Ok(Err(format!("no random numbers: {error}"))),
        };
        if !is_card_number(&drawn) && !is_known(transaction, &drawn)? {
            return Ok(Ok(drawn));
        }
    }
    Ok(Err(format!("no unused key of {length} digits was found: use longer keys")))
}

/// Digits from the operating system's random numbers, each equally likely.
fn random(length: usize) -> Result<Zeroizing<String>, getrandom::Error> {
    let mut digits = Zeroizing::new(String::with_capacity(length));
    while digits.len() < length {
        let mut byte = [0];
        getrandom::fill(&mut byte)?;
        if byte[0] < 250 {
            digits.push(char::from(b'0' + byte[0] % 10)); // 250 is the largest multiple of ten a byte can count
        }
    }
    Ok(digits)
}

/// A menu refuses what could be a card's number where a key is asked for: as a key it could not be keyed in.
fn is_card_number(digits: &str) -> bool {
    Pan::parse(digits).is_ok()
}

/// Whether these digits have been a key, good or not: none comes back.
fn is_known(connection: &Connection, digits: &str) -> Result<bool, rusqlite::Error> {
    connection.prepare_cached("SELECT 1 FROM payment_key WHERE digits = ?1")?.exists([digits])
}
