//! How to reach Openpay and with whose key.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::http::{Authorities, Credentials, Endpoint, EndpointError, Timeouts};

/// The merchant's private key. Not printable; wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<String>);

/// What is sent as `device_session_id`, which a browser would make and a telephone can't.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceSession {
    /// Nothing is sent.
    #[default]
    Omitted,
    /// The same text with every charge, at most 255 characters.
    Fixed(String),
    /// 32 random letters and digits for every charge.
    Generated,
}

/// A merchant's access to Openpay.
#[derive(Clone)]
pub struct Config {
    /// Sandbox, production, or the local stand-in.
    pub endpoint: Endpoint,
    /// The merchant's id, part of every path.
    pub merchant_id: String,
    /// The merchant's private key.
    pub private_key: PrivateKey,
    /// Time-outs of a charge; Openpay's own SDKs wait 80 to 90 s.
    pub charge_timeouts: Timeouts,
    /// Time-outs of everything else.
    pub query_timeouts: Timeouts,
    /// What is sent as `device_session_id`.
    pub device_session: DeviceSession,
    /// Certificate authorities to trust instead of the public ones, which are this program's own and as old as it is.
    pub authorities: Option<Authorities>,
    /// Whether charges say `is_phone_order` (two of Openpay's SDKs know it).
    pub phone_order: bool,
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The address.
    #[error("Openpay's address: {0}")]
    Endpoint(#[from] EndpointError),
    /// The merchant's id.
    #[error("Openpay's merchant id {0:?} is not letters and digits; copy it from Openpay's dashboard")]
    MerchantId(String),
    /// Not a private key. The key itself is not shown.
    #[error("Openpay's private key must start with sk_ (pk_ is the public one, which can't charge)")]
    PrivateKey,
}

impl PrivateKey {
    /// Checks that a key looks like a private one, `sk_...`.
    ///
    /// # Errors
    /// [`ConfigError::PrivateKey`], which does not repeat the key.
    pub fn parse(key: &str) -> Result<Self, ConfigError> {
        let rest = key.strip_prefix("sk_").ok_or(ConfigError::PrivateKey)?;
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ConfigError::PrivateKey);
        }
        Ok(Self(Zeroizing::new(key.to_owned())))
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials::new(&self.0, "") // Openpay: the key is the user, the password is empty
    }
}

impl Config {
    /// Openpay's sandbox.
    pub const SANDBOX: &str = "https://sandbox-api.openpay.mx";
    /// Openpay's production service.
    pub const PRODUCTION: &str = "https://api.openpay.mx";
    /// How long a charge may take to be answered.
    pub const CHARGE_ANSWER: Duration = Duration::from_secs(75);
    /// How long anything else may take to be answered.
    pub const QUERY_ANSWER: Duration = Duration::from_secs(15);

    /// A configuration with the default time-outs, no device session, not marked as a telephone order.
    ///
    /// # Errors
    /// [`ConfigError`] names what is wrong.
    pub fn new(base_url: &str, merchant_id: &str, private_key: PrivateKey) -> Result<Self, ConfigError> {
        if merchant_id.is_empty() || !merchant_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ConfigError::MerchantId(merchant_id.to_owned()));
        }
        Ok(Self {
            endpoint: Endpoint::parse(base_url)?,
            merchant_id: merchant_id.to_owned(),
            private_key,
            charge_timeouts: Timeouts::answering_within(Self::CHARGE_ANSWER),
            query_timeouts: Timeouts::answering_within(Self::QUERY_ANSWER),
            device_session: DeviceSession::default(),
            authorities: None,
            phone_order: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_checked_when_it_is_made() {
        let key = || PrivateKey::parse("sk_e568c42a6c384b7ab02cd47d2e407cab").unwrap();
        assert!(Config::new(Config::PRODUCTION, "mzdtln0bmtms6o3kck8f", key()).is_ok());
        assert!(Config::new("http://127.0.0.1:1", "m", key()).is_ok());
        let error = |url, merchant| Config::new(url, merchant, key()).err().unwrap();
        assert!(matches!(error("http://api.openpay.mx", "m"), ConfigError::Endpoint(_)));
        assert!(matches!(error(Config::SANDBOX, "m/../x"), ConfigError::MerchantId(_)));
    }

    #[test]
    fn a_public_key_is_refused_without_repeating_it() {
        for key in ["", "sk_", "pk_123456", "sk_a b", "secret"] {
            let error = PrivateKey::parse(key).err().unwrap();
            assert!(!error.to_string().contains("123456"));
        }
    }
}
