//! The client the box uses.

use std::sync::Arc;
use std::time::Duration;

use super::{Profile, decode_answer, encode_request};
use crate::clock::Clock;
use crate::http::{Authorities, Credentials, Endpoint, HttpClient, Timeouts};
use crate::money::Money;
use crate::service::{AuthorizeReply, PaymentKey};

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
    /// The most one call may charge, and the currency charged in.
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

impl AuthorizerConfig {
    /// How long the authorizer may take.
    pub const ANSWER: Duration = Duration::from_secs(10);
    /// 10,000.00 MXN: about where card issuers begin to want 3-D Secure, which a telephone can't do.
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

    /// Asks about a key. Whatever is not a readable answer with status 2xx is [`AuthorizeReply::Unavailable`], which is
    /// not a refusal: the key may be good.
    pub fn authorize(&self, key: &PaymentKey) -> AuthorizeReply {
        let body = encode_request(&self.profile, key, None, &self.clock.local_date_time());
        let answer = match self.http.post(&self.url, &body) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "the authorizer gave no answer");
                return AuthorizeReply::Unavailable;
            }
        };
        if !(200..300).contains(&answer.status) {
            tracing::warn!(status = answer.status, "the authorizer failed");
            return AuthorizeReply::Unavailable;
        }
        match decode_answer(&self.profile, &answer.body, self.max_amount) {
            Ok(Ok(authorization)) => AuthorizeReply::Authorized(authorization),
            Ok(Err(refusal)) => AuthorizeReply::Refused(refusal),
            Err(error) => {
                tracing::warn!(%error, "the authorizer's answer can't be used");
                AuthorizeReply::Unavailable
            }
        }
    }
}
