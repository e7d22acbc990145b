//! The blocking client. Every method sends one request, once.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::transaction::{object, parse_charge, parse_charges};
use super::{ApiError, Charge, ChargeRequest, Config, DeviceSession, IvrChargeRequest, Merchant, Token, TokenRequest};
use crate::http::{Answer, HttpClient, Timeouts, TransportError};
use crate::money::Money;

/// Letters and digits of a generated device session.
const DEVICE_SESSION_CHARACTERS: usize = 32;

/// A merchant's connection to Openpay. Cheap to share between threads.
pub struct Client {
    base: String,
    device_session: DeviceSession,
    phone_order: bool,
    charges: HttpClient,
    queries: HttpClient,
}

/// Why a request gave no result. No text in it comes from a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer arrived.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Openpay answered with an error.
    #[error("Openpay: {0}")]
    Api(ApiError),
    /// Openpay answered 2xx with something that is no answer.
    #[error("Openpay's answer can't be read: {0}")]
    Unreadable(String),
}

/// What an error leaves known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Openpay never got the request: try again.
    NotSent,
    /// Openpay may have acted on it: query.
    Unclear,
    /// Openpay refused it, see the error's action.
    Refused,
}

/// Which charges to list: those of one order, newest first.
#[derive(Debug, Clone, Copy)]
pub struct OrderFilter<'a> {
    /// The order id.
    pub order_id: &'a str,
    /// At most so many, 1 to 100.
    pub limit: u32,
    /// How many of the newest to skip.
    pub offset: u32,
}

impl Error {
    /// What it leaves known.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(TransportError::NotSent(_)) => ErrorKind::NotSent,
            Self::Transport(TransportError::NoAnswer(_)) | Self::Unreadable(_) => ErrorKind::Unclear,
            Self::Api(error) if error.http_status >= 500 || error.http_status < 400 => ErrorKind::Unclear,
            Self::Api(_) => ErrorKind::Refused,
        }
    }

    /// Openpay's error, if it sent one.
    pub const fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Transport(_) | Self::Unreadable(_) => None,
        }
    }
}

impl Client {
    /// A client for one merchant. Nothing is sent yet.
    pub fn new(config: &Config) -> Self {
        Self {
            base: config.endpoint.join(&format!("/v1/{}", config.merchant_id)),
            device_session: config.device_session.clone(),
            phone_order: config.phone_order,
            charges: reaching(config, config.charge_timeouts),
            queries: reaching(config, config.query_timeouts),
        }
    }

    /// Asks who the credentials belong to: the check to make before taking calls.
    ///
    /// # Errors
    /// [`Error`]; code 1002 is a wrong key, 1010 the public one.
    pub fn merchant(&self) -> Result<Merchant, Error> {
        self.merchant_and_date().map(|(merchant, _)| merchant)
    }

    /// The same, with what Openpay's clock shows, if it tells.
    ///
    /// # Errors
    /// As of [`Client::merchant`].
    pub fn merchant_and_date(&self) -> Result<(Merchant, Option<Timestamp>), Error> {
        let answer = self.queries.get(&self.base)?;
        Ok((parse(&answer)?, answer.date))
    }

    /// Tokenizes a card. No money moves.
    ///
    /// # Errors
    /// [`Error`]; an error of kind [`ErrorKind::Unclear`] may have left a token nobody knows, which is harmless.
    pub fn create_token(&self, request: &TokenRequest<'_>) -> Result<Token, Error> {
        parse(&self.queries.post(&self.url("/tokens"), &request.to_json())?)
    }

    /// Charges a token. Sent once, whatever happens.
    ///
    /// # Errors
    /// [`Error`]; kind [`ErrorKind::Unclear`] means that the card may have been charged.
    pub fn create_charge(&self, request: &ChargeRequest<'_>) -> Result<Charge, Error> {
        let body = request.to_json(self.device_session_id(), self.phone_order);
        read_charge(&self.charges.post(&self.url("/charges"), &body)?)
    }

    /// Has Openpay make a payment key (`confirm: ivr`).
    ///
    /// # Errors
    /// [`Error`].
    pub fn create_ivr_charge(&self, request: &IvrChargeRequest<'_>) -> Result<Charge, Error> {
        read_charge(&self.queries.post(&self.url("/charges"), &request.to_json())?)
    }

    /// Reads a charge by its id.
    ///
    /// # Errors
    /// [`Error`]; code 1005 means there is none.
    pub fn charge(&self, id: &str) -> Result<Charge, Error> {
        read_charge(&self.queries.get(&self.url(&format!("/charges/{}", escaped(id))))?)
    }

    /// Lists an order's charges, newest first; none is an empty list.
    ///
    /// # Errors
    /// [`Error`].
    pub fn charges_of_order(&self, filter: OrderFilter<'_>) -> Result<Vec<Charge>, Error> {
        let OrderFilter { order_id, limit, offset } = filter;
        let query = format!("/charges?order_id={}&limit={limit}&offset={offset}", escaped(order_id));
        read_charges(&self.queries.get(&self.url(&query))?)
    }

    /// Gives a charge back, wholly or in part.
    ///
    /// # Errors
    /// [`Error`]; kind [`ErrorKind::Unclear`] means that it may have been given back: read the charge.
    pub fn refund(&self, id: &str, description: &str, amount: Option<Money>) -> Result<Charge, Error> {
        let description = serde_json::Value::from(description);
        let amount = amount.map(|amount| format!(r#","amount":{}"#, amount.decimal())).unwrap_or_default();
        let body = format!(r#"{{"description":{description}{amount}}}"#);
        let url = self.url(&format!("/charges/{}/refund", escaped(id)));
        read_charge(&self.charges.post(&url, body.as_bytes())?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn device_session_id(&self) -> Option<String> {
        match &self.device_session {
            DeviceSession::Omitted => None,
            DeviceSession::Fixed(id) => Some(id.clone()),
            DeviceSession::Generated => {
                let character = || char::from_digit(fastrand::u32(0..36), 36).expect("below 36");
                Some(std::iter::repeat_with(character).take(DEVICE_SESSION_CHARACTERS).collect())
            }
        }
    }
}

fn reaching(config: &Config, timeouts: Timeouts) -> HttpClient {
    HttpClient::trusting(config.authorities.as_ref(), Some(config.private_key.credentials()), timeouts)
}

/// The body of a 2xx answer.
fn success(answer: &Answer) -> Result<&[u8], Error> {
    if (200..300).contains(&answer.status) {
        Ok(&answer.body)
    } else {
        Err(Error::Api(ApiError::of(answer.status, &answer.body)))
    }
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    object(success(answer)?).map_err(Error::Unreadable)
}

/// The answer to a question for an order's charges.
pub(crate) fn read_charges(answer: &Answer) -> Result<Vec<Charge>, Error> {
    parse_charges(success(answer)?).map_err(Error::Unreadable)
}

/// Paid means status 200: any other 2xx is not what Openpay answers, and to be asked about.
pub(crate) fn read_charge(answer: &Answer) -> Result<Charge, Error> {
    let body = success(answer)?;
    if answer.status != 200 {
        return Err(Error::Unreadable(format!("status {}", answer.status)));
    }
    parse_charge(body).map_err(Error::Unreadable)
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~` (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_are_escaped() {
        assert_eq!(escaped("ord-1_a.b~"), "ord-1_a.b~");
        assert_eq!(escaped("a/b?c=d&é "), "a%2Fb%3Fc%3Dd%26%C3%A9%20");
    }

    #[test]
    fn a_charge_is_read_from_a_200_only() {
        let charge = |status| {
            let body = br#"{"id":"a","amount":1.00,"status":"completed"}"#.to_vec();
            read_charge(&Answer { status, body, date: None })
                .map(|charge| charge.is_paid())
                .map_err(|error| error.kind())
        };
        assert_eq!(charge(200), Ok(true));
        assert_eq!(charge(202), Err(ErrorKind::Unclear));
        assert_eq!(charge(402), Err(ErrorKind::Refused));
        assert_eq!(charge(502), Err(ErrorKind::Unclear));
    }

    #[test]
    fn errors_say_what_is_known() {
        let api = |status| Error::Api(ApiError::of(status, b""));
        assert_eq!(Error::Transport(TransportError::NotSent(String::new())).kind(), ErrorKind::NotSent);
        assert_eq!(Error::Transport(TransportError::NoAnswer(String::new())).kind(), ErrorKind::Unclear);
        assert_eq!(Error::Unreadable(String::new()).kind(), ErrorKind::Unclear);
        for (status, kind) in [(402, ErrorKind::Refused), (503, ErrorKind::Unclear), (301, ErrorKind::Unclear)] {
            assert_eq!(api(status).kind(), kind, "{status}");
        }
    }
}
