//! HTTP Basic authentication (RFC 7617), for both sides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// Longest `Authorization` header that can be right; longer ones are compared by their start and refused by length.
const COMPARED_BYTES: usize = 512;

/// A user and a password. Not printable; wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    header: Zeroizing<String>,
}

impl Credentials {
    /// Credentials as the header will carry them. `user` must not contain a colon (RFC 7617 section 2).
    pub fn new(user: &str, password: &str) -> Self {
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Self { header: Zeroizing::new(format!("Basic {}", encoded.as_str())) }
    }

    /// The value of the `Authorization` header.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Whether a request's `Authorization` header carries these credentials. Takes the same time whether none, some or
    /// all of it is right.
    pub fn accept(&self, header: Option<&str>) -> bool {
        let given = header.unwrap_or_default();
        let same_length = self.header.len().ct_eq(&given.len());
        let fits = Choice::from(u8::from(self.header.len() <= COMPARED_BYTES));
        (same_length & fits & padded(&self.header)[..].ct_eq(&padded(given)[..])).into()
    }
}

/// The text's first bytes, zeros after it, so that every comparison walks the same number of bytes.
fn padded(text: &str) -> Zeroizing<[u8; COMPARED_BYTES]> {
    let mut bytes = Zeroizing::new([0; COMPARED_BYTES]);
    let length = text.len().min(COMPARED_BYTES);
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_header_is_accepted() {
        let credentials = Credentials::new("ivr", "s3cret");
        assert_eq!(credentials.header(), "Basic aXZyOnMzY3JldA==");
        assert!(credentials.accept(Some("Basic aXZyOnMzY3JldA==")));
        let long = format!("Basic aXZyOnMzY3JldA=={}", "\0".repeat(600));
        for wrong in [None, Some(""), Some("Basic "), Some("Basic aXZyOnMzY3JldB=="), Some("basic"), Some(&long)] {
            assert!(!credentials.accept(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn credentials_too_long_to_compare_are_never_accepted() {
        let credentials = Credentials::new("ivr", &"x".repeat(600));
        assert!(!credentials.accept(Some(credentials.header())));
    }
}
