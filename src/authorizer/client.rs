//! The client the box uses.

use std::sync::Arc;
use std::time::Duration;

use super::{Profile, WireError, decode_answer, encode_request};
use crate::clock::Clock;
use crate::http::{Answer, Authorities, Credentials, Endpoint, HttpClient, Timeouts, TransportError, redirected};
use crate::money::Money;
use crate::service::{Authorization, AuthorizeReply, PaymentKey, Refusal};

/// How to reach a merchant's authorizer.
#[derive(Clone)]
pub struct AuthorizerConfig {
    /// The full address, path and all.
    pub endpoint: Endpoint,
    /// Basic authentication.
    pub credentials: Credentials,
    /// Names and codes.
    pub profile: Profile,
    /// Time-outs; a caller is listening to silence meanwhile.
    pub timeouts: Timeouts,
    /// The most one call may charge, and the only currency charged in.
    pub max_amount: Money,
    /// Certificate authorities to trust instead of the public ones, for a merchant with a certificate of its own making.
    pub authorities: Option<Authorities>,
}

/// Asks a merchant's authorizer about payment keys.
pub struct AuthorizerClient {
    url: String,
    profile: Profile,
    max_amount: Money,
    http: HttpClient,
    clock: Arc<dyn Clock>,
}

/// Why a question about a key has no answer this box can act upon. The key may be good.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No answer came.
    #[error("the authorizer gave no answer: {0}")]
    Transport(#[from] TransportError),
    /// The answer's status is none of 2xx.
    #[error("the authorizer answered with status {status}{hint}", status = .0, hint = redirected(*.0))]
    Status(u16),
    /// The answer is none of the contract, or authorizes what this box does not charge.
    #[error("the authorizer's answer can't be used: {0}")]
    Answer(#[from] WireError),
}

impl AskError {
    /// Whether the service is down or out of order, so that the next question would fare no better: no answer, or a
    /// status of 5xx. Any other answer shows that it works, and may be about this key alone.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Status(status) => *status >= 500,
            Self::Answer(_) => false,
        }
    }

    /// Whether the service takes neither this box's user nor its password.
    pub const fn refuses_password(&self) -> bool {
        matches!(self, Self::Status(401 | 403))
    }

    /// Whether the same comes again until somebody mends it. An outage and 429, the service's own limit, pass, and so does
    /// 409, an undecided charge; what is about one key is that key's merchant's business.
    pub const fn is_to_mend(&self) -> bool {
        match self {
            Self::Status(status) => *status < 500 && !matches!(status, 409 | 429),
            Self::Answer(error) => matches!(error, WireError::Empty | WireError::Json { .. } | WireError::Field(_)),
            Self::Transport(_) => false,
        }
    }

    /// Alarms are raised by whoever takes payments.
    fn log(&self) {
        tracing::warn!(error = %self, "no answer about a key");
    }
}

impl AuthorizerConfig {
    /// How long the authorizer may take.
    pub const ANSWER: Duration = Duration::from_secs(10);
    /// The most one call may charge where nothing else is configured, 10,000.00 MXN: about where card issuers begin to
    /// want 3-D Secure, which a telephone can't do.
    pub const MAX_AMOUNT: Money = Money::mxn(1_000_000);

    /// The default profile, time-outs and limit.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        let (profile, timeouts) = (Profile::default(), Timeouts::answering_within(Self::ANSWER));
        Self { endpoint, credentials, profile, timeouts, max_amount: Self::MAX_AMOUNT, authorities: None }
    }
}

impl AuthorizerClient {
    /// A client; nothing is sent yet.
    pub fn new(config: AuthorizerConfig, clock: Arc<dyn Clock>) -> Self {
        let AuthorizerConfig { endpoint, credentials, profile, timeouts, max_amount, authorities } = config;
        let http = HttpClient::trusting(authorities.as_ref(), Some(credentials), timeouts);
        Self { url: endpoint.as_str().to_owned(), profile, max_amount, http, clock }
    }

    /// Asks about a key, for a caller's ears: whatever is no usable answer is [`AuthorizeReply::Unavailable`], which is
    /// not a refusal.
    pub fn authorize(&self, key: &PaymentKey) -> AuthorizeReply {
        reply_to(self.ask(key, &[]))
    }

    /// Asks about a key, with what else a menu has to tell.
    ///
    /// # Errors
    /// [`AskError`]: the key may be good.
    pub fn ask(
        &self,
        key: &PaymentKey,
        values: &[(String, String)],
    ) -> Result<Result<Authorization, Refusal>, AskError> {
        self.ask_unlogged(key, values).inspect_err(AskError::log)
    }

    /// The same for who tells the error.
    ///
    /// # Errors
    /// [`AskError`]: the key may be good.
    pub fn ask_unlogged(
        &self,
        key: &PaymentKey,
        values: &[(String, String)],
    ) -> Result<Result<Authorization, Refusal>, AskError> {
        let body = encode_request(&self.profile, key, values, None, &self.clock.local_date_time());
        self.read(&self.http.post(&self.url, &body)?)
    }

    /// Shows user and password without asking about a key: an empty object is no question, so it can't count as a guess.
    /// Gives the answer, whose status says that they are good unless there is something else at this address.
    ///
    /// # Errors
    /// [`AskError`] if there is no answer, the service is down behind a proxy, it refuses them, or has had enough requests.
    pub fn show_credentials(&self) -> Result<Answer, AskError> {
        let answer = self.http.post(&self.url, b"{}")?;
        match answer.status {
            status @ (401 | 403 | 429 | 502..=504) => Err(AskError::Status(status)),
            // 500 too: whoever stumbles over such a body has looked at the password before.
            _ => Ok(answer),
        }
    }

    fn read(&self, answer: &Answer) -> Result<Result<Authorization, Refusal>, AskError> {
        if !(200..300).contains(&answer.status) {
            return Err(AskError::Status(answer.status));
        }
        Ok(decode_answer(&self.profile, &answer.body, self.max_amount)?)
    }
}

/// What a caller is told of an answer.
pub(crate) fn reply_to(answer: Result<Result<Authorization, Refusal>, AskError>) -> AuthorizeReply {
    match answer {
        Ok(Ok(authorization)) => AuthorizeReply::Authorized(authorization),
        Ok(Err(refusal)) => AuthorizeReply::Refused(refusal),
        Err(_) => AuthorizeReply::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_no_answer_and_5xx_are_outages() {
        assert!(AskError::from(TransportError::NotSent(String::new())).is_outage());
        assert!(AskError::from(TransportError::NoAnswer(String::new())).is_outage());
        for (status, outage) in [(302, false), (400, false), (401, false), (429, false), (500, true), (503, true)] {
            assert_eq!(AskError::Status(status).is_outage(), outage, "{status}");
        }
        let (amount, limit) = (Money::mxn(1_200_000), AuthorizerConfig::MAX_AMOUNT);
        for error in [WireError::Limit { amount, limit }, WireError::Currency, WireError::Json { line: 1, column: 1 }] {
            assert!(!AskError::from(error).is_outage());
        }
    }
}
