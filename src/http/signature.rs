//! Signed messages: HMAC-SHA256 over a time stamp and the body, in a header `t=SECONDS,v1=HEX`.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use zeroize::Zeroizing;

/// Fewest bytes of a secret that is worth signing with.
const MIN_SECRET_BYTES: usize = 16;

/// A secret two sides share to sign messages. Not printable; wiped when dropped.
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The secret is too short to be one.
    #[error("a signing secret has at least {MIN_SECRET_BYTES} bytes; make one with: openssl rand -hex 32")]
    ShortSecret,
    /// No `t=...,v1=...`.
    #[error("the signature is missing or not of the form t=SECONDS,v1=HEX")]
    Malformed,
    /// Signed by somebody else, or changed on the way.
    #[error("the signature is wrong")]
    Wrong,
    /// Signed too long ago, or in the future: perhaps sent again by somebody who listened.
    #[error("the signature's time is too far from now")]
    Stale,
}

impl SigningSecret {
    /// How far a signature's time may be from the receiver's.
    pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

    /// Takes the secret's text as it is, as bytes.
    ///
    /// # Errors
    /// [`SignatureError::ShortSecret`].
    pub fn new(text: &str) -> Result<Self, SignatureError> {
        if text.len() < MIN_SECRET_BYTES {
            return Err(SignatureError::ShortSecret);
        }
        Ok(Self(Zeroizing::new(text.as_bytes().to_vec())))
    }

    /// The header's value for a body sent now: HMAC-SHA256 over `SECONDS.BODY`.
    pub fn sign(&self, body: &[u8], now: Timestamp) -> String {
        let seconds = now.as_second();
        let mut header = format!("t={seconds},v1=");
        for byte in hmac::sign(&self.key(), &signed_text(seconds, body)).as_ref() {
            let _ = write!(header, "{byte:02x}"); // writing to a String can't fail
        }
        header
    }

    /// Checks a header against the body as it arrived, byte for byte, in constant time.
    ///
    /// # Errors
    /// [`SignatureError`] says why the message is not to be believed.
    pub fn verify(&self, header: &str, body: &[u8], now: Timestamp) -> Result<(), SignatureError> {
        let (seconds, tag) = parse(header).ok_or(SignatureError::Malformed)?;
        hmac::verify(&self.key(), &signed_text(seconds, body), &tag).map_err(|_| SignatureError::Wrong)?;
        let age = i128::from(now.as_second()) - i128::from(seconds);
        if age.unsigned_abs() > u128::from(Self::TOLERANCE.as_secs().unsigned_abs()) {
            return Err(SignatureError::Stale);
        }
        Ok(())
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

fn signed_text(seconds: i64, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{seconds}.").into_bytes();
    text.extend_from_slice(body);
    text
}

fn parse(header: &str) -> Option<(i64, Vec<u8>)> {
    let field = |name: &str| header.split(',').find_map(|part| part.trim().strip_prefix(name));
    let hex = field("v1=")?;
    if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None; // a sign would pass for a digit
    }
    let byte = |place: usize| u8::from_str_radix(hex.get(place..place + 2)?, 16).ok();
    let tag = (0..hex.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some((field("t=")?.parse().ok()?, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SigningSecret {
        SigningSecret::new("0123456789abcdef").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The expected value was made with OpenSSL: printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    #[test]
    fn signs_as_openssl_does() {
        let header = secret().sign(b"{}", at(1_700_000_000));
        assert_eq!(header, "t=1700000000,v1=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e");
    }

    #[test]
    fn a_message_is_believed_for_five_minutes_and_only_unchanged() {
        let header = secret().sign(b"{}", at(1_700_000_000));
        let verify = |header: &str, body: &[u8], second| secret().verify(header, body, at(second));
        assert_eq!(verify(&header, b"{}", 1_700_000_300), Ok(()));
        assert_eq!(verify(&header, b"{}", 1_700_000_301), Err(SignatureError::Stale));
        assert_eq!(verify(&header, b"{}", 1_699_999_699), Err(SignatureError::Stale));
        assert_eq!(verify(&header, b"{} ", 1_700_000_000), Err(SignatureError::Wrong));
        assert_eq!(verify(&header.replace("t=17", "t=18"), b"{}", 1_800_000_000), Err(SignatureError::Wrong));
        let other = SigningSecret::new("0123456789abcdeg").unwrap();
        assert_eq!(other.verify(&header, b"{}", at(1_700_000_000)), Err(SignatureError::Wrong));
        for bad in ["", "t=1", "v1=ab", "t=x,v1=ab", "t=1,v1=abc", "t=1,v1=zz", "t=1,v1=é", "t=1,v1=+a"] {
            assert_eq!(verify(bad, b"{}", 1), Err(SignatureError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn a_short_secret_is_none() {
        assert_eq!(SigningSecret::new("hunter2").err(), Some(SignatureError::ShortSecret));
    }
}
