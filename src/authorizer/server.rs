//! The service a merchant runs: looks payment keys up in the ledger.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::{Profile, decode_request, encode_answer};
use crate::http::{Credentials, Server, ServerError};
use crate::ledger::{KeyRecord, KeyStatus, Ledger, LedgerError};
use crate::service::{Authorization, PaymentKey, Refusal};

/// Largest question that is read, in bytes; a real one has about 100.
const MAX_BODY_BYTES: usize = 4096;

/// How the service is set up.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where it listens; port 0 takes any free one.
    pub bind: SocketAddr,
    /// What the box must authenticate with.
    pub credentials: Credentials,
    /// Names and codes.
    pub profile: Profile,
}

/// The running service; dropping it stops it.
pub struct AuthorizerServer {
    server: Server,
}

struct App {
    credentials: Credentials,
    profile: Profile,
    ledger: Arc<Ledger>,
}

impl AuthorizerServer {
    /// The path of Openpay's page.
    pub const PATH: &str = "/openpay/authorizer";

    /// Starts the service; it is listening when this returns.
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start(config: ServerConfig, ledger: Arc<Ledger>) -> Result<Self, ServerError> {
        let ServerConfig { bind, credentials, profile } = config;
        let routes = Router::new()
            .route(Self::PATH, post(authorize))
            .route("/healthz", get(health))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(Arc::new(App { credentials, profile, ledger }));
        Ok(Self { server: Server::start("authorizer", bind, routes)? })
    }

    /// The full address for [`super::AuthorizerConfig`].
    pub fn url(&self) -> String {
        format!("{}{}", self.server.url(), Self::PATH)
    }

    /// Blocks for as long as it serves.
    pub fn wait(self) {
        self.server.wait();
    }
}

async fn authorize(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !app.credentials.accept(given) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"authorizer\"")]).into_response();
    }
    let key = match decode_request(&app.profile, &body) {
        Ok(key) => key,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let shared = Arc::clone(&app);
    let found = tokio::task::spawn_blocking(move || look_up(&shared.ledger, &key)).await;
    match found {
        Ok(Ok(answer)) => {
            let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            (json, encode_answer(&app.profile, &answer)).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the authorizer's ledger failed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let readable = tokio::task::spawn_blocking(move || app.ledger.audit(1).is_ok()).await;
    if matches!(readable, Ok(true)) { "ok".into_response() } else { StatusCode::SERVICE_UNAVAILABLE.into_response() }
}

fn look_up(ledger: &Ledger, key: &PaymentKey) -> Result<Result<Authorization, Refusal>, LedgerError> {
    let Some(record) = ledger.find_key(key)? else { return Ok(Err(Refusal::Unknown)) };
    Ok(match record.status {
        KeyStatus::Open => Ok(authorization(record)),
        KeyStatus::Expired => Err(Refusal::Expired),
        KeyStatus::Paid => Err(Refusal::AlreadyPaid),
        KeyStatus::Locked | KeyStatus::Cancelled => Err(Refusal::Blocked),
    })
}

fn authorization(record: KeyRecord) -> Authorization {
    let KeyRecord { amount, order_id, description, customer, .. } = record;
    Authorization { amount, order_id, description, customer }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{AuthorizerClient, AuthorizerConfig};
    use super::*;
    use crate::clock::SystemClock;
    use crate::http::{Endpoint, HttpClient, Timeouts};
    use crate::ledger::{Digits, NewKey};
    use crate::money::Money;
    use crate::service::AuthorizeReply;

    fn ledger_with_key() -> Arc<Ledger> {
        let ledger = Ledger::in_memory(Arc::new(SystemClock)).unwrap();
        let digits = Digits::Given(PaymentKey::new("257139"));
        let (order_id, description) = ("ord-234".to_owned(), "Cargo IVR".to_owned());
        let (customer, expires, max_failures) = (None, None, 3);
        let amount = Money::mxn(20_000);
        ledger.issue_key(NewKey { digits, amount, order_id, description, customer, expires, max_failures }).unwrap();
        Arc::new(ledger)
    }

    fn start(ledger: Arc<Ledger>) -> AuthorizerServer {
        let (bind, credentials) = ("127.0.0.1:0".parse().unwrap(), Credentials::new("ivr", "secret"));
        AuthorizerServer::start(ServerConfig { bind, credentials, profile: Profile::default() }, ledger).unwrap()
    }

    fn client(url: &str, password: &str) -> AuthorizerClient {
        let config = AuthorizerConfig::new(Endpoint::parse(url).unwrap(), Credentials::new("ivr", password));
        AuthorizerClient::new(config, Arc::new(SystemClock))
    }

    #[test]
    fn a_good_key_gives_amount_order_and_description() {
        let server = start(ledger_with_key());
        let AuthorizeReply::Authorized(found) = client(&server.url(), "secret").authorize(&PaymentKey::new("257139"))
        else {
            panic!("refused")
        };
        assert_eq!((found.amount, found.order_id.as_str()), (Money::mxn(20_000), "ord-234"));
    }

    #[test]
    fn refused_is_not_unavailable() {
        let ledger = ledger_with_key();
        let server = start(Arc::clone(&ledger));
        let good = client(&server.url(), "secret");
        assert_eq!(good.authorize(&PaymentKey::new("257138")), AuthorizeReply::Refused(Refusal::Unknown));
        ledger.cancel_key(1).unwrap();
        assert_eq!(good.authorize(&PaymentKey::new("257139")), AuthorizeReply::Refused(Refusal::Blocked));
        let key = PaymentKey::new("257139");
        assert_eq!(client(&server.url(), "wrong").authorize(&key), AuthorizeReply::Unavailable);
        let other_path = server.url().replace("authorizer", "nothing");
        assert_eq!(client(&other_path, "secret").authorize(&key), AuthorizeReply::Unavailable);
        drop(server);
        assert_eq!(good.authorize(&key), AuthorizeReply::Unavailable);
    }

    #[test]
    fn bad_requests_are_answered_and_health_is_open() {
        let server = start(ledger_with_key());
        let timeouts = Timeouts::answering_within(Duration::from_secs(5));
        let http = HttpClient::new(Credentials::new("ivr", "secret"), timeouts);
        let status = |body: &[u8]| http.post(&server.url(), body).unwrap().status;
        assert_eq!(status(b"{}"), 400);
        assert_eq!(status(b"garbage"), 400);
        assert_eq!(status(&vec![b' '; MAX_BODY_BYTES + 1]), 413);
        assert_eq!(http.get(&server.url()).unwrap().status, 405);
        let anonymous = HttpClient::new(Credentials::new("x", ""), timeouts);
        assert_eq!(anonymous.post(&server.url(), b"{}").unwrap().status, 401);
        let health = server.url().replace(AuthorizerServer::PATH, "/healthz");
        assert_eq!(anonymous.get(&health).unwrap().status, 200);
    }
}
