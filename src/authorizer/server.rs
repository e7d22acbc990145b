//! The service a merchant runs: looks payment keys up in the ledger, and hears what became of them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;

use super::guard::{Asker, Guard, GuessLimits};
use super::metrics::{Answered, Metrics};
use super::report::{ReportError, SIGNATURE_HEADER, take};
use super::wire::{Question, decode_question};
use super::{Profile, encode_answer};
use crate::http::{Credentials, Peer, Server, ServerError, ServerLimits, SigningSecret, TlsIdentity};
use crate::ledger::{KeyRecord, KeyStatus, Ledger, LedgerError, Receipt};
use crate::limits::Locked;
use crate::service::{Authorization, PaymentKey, Refusal};

/// Largest question that is read, in bytes; a real one has about 100, a report about 500.
const MAX_BODY_BYTES: usize = 4096;
/// Every answer about a key is given this long after the question: how long the looking up took tells nobody whether the
/// key exists. A caller does not notice, and a ledger is nearly always faster.
const ANSWER_AFTER: Duration = Duration::from_millis(20);

/// Whoever has no right credentials hears so after this time: all that the connections there may be can try is some 1300
/// passwords a second, against the 2^64 of 16 random hexadecimal digits. Those with the right ones never wait for it.
const REFUSED_AFTER: Duration = Duration::from_millis(200);

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

/// What stands between the service and the world.
#[derive(Clone)]
pub struct Protection {
    /// The certificate it shows; without one it speaks in the clear, which is for this machine or behind a proxy.
    pub tls: Option<TlsIdentity>,
    /// What one client may cost.
    pub limits: ServerLimits,
    /// How much guessing is borne.
    pub guesses: GuessLimits,
    /// The secret boxes sign their reports with; without one no reports are taken.
    pub reports: Option<SigningSecret>,
}

impl Default for Protection {
    /// No TLS, bodies of 4 KiB, the default limits, no reports.
    fn default() -> Self {
        let limits = ServerLimits { body_bytes: MAX_BODY_BYTES, ..ServerLimits::default() };
        Self { tls: None, limits, guesses: GuessLimits::default(), reports: None }
    }
}

/// The running service; dropping it stops it at once.
pub struct AuthorizerServer {
    server: Server,
}

struct App {
    credentials: Credentials,
    profile: Profile,
    ledger: Arc<Ledger>,
    guard: Guard,
    reports: Option<SigningSecret>,
    metrics: Metrics,
}

impl AuthorizerServer {
    /// The path of Openpay's page.
    pub const PATH: &str = "/openpay/authorizer";
    /// Where boxes report payments.
    pub const REPORT_PATH: &str = "/openpay/result";

    /// Starts the service with the default protection; it is listening when this returns.
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start(config: ServerConfig, ledger: Arc<Ledger>) -> Result<Self, ServerError> {
        Self::start_with(config, ledger, Protection::default())
    }

    /// Starts the service; it is listening when this returns.
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start_with(config: ServerConfig, ledger: Arc<Ledger>, protection: Protection) -> Result<Self, ServerError> {
        let ServerConfig { bind, credentials, profile } = config;
        let Protection { tls, limits, guesses, reports } = protection;
        let guard = Guard::new(&guesses);
        let routes = Router::new()
            .route(Self::PATH, post(authorize))
            .route(Self::REPORT_PATH, post(report))
            .route("/healthz", get(health))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(App { credentials, profile, ledger, guard, reports, metrics: Metrics::default() }));
        Ok(Self { server: Server::start_with("authorizer", bind, routes, limits, tls)? })
    }

    /// The full address for [`super::AuthorizerConfig`].
    pub fn url(&self) -> String {
        format!("{}{}", self.server.url(), Self::PATH)
    }

    /// Takes no more questions and lets the answers under way end, for `grace` at most; `true` if all did.
    pub fn stop(self, grace: Duration) -> bool {
        self.server.stop(grace)
    }

    /// Blocks for as long as it serves.
    pub fn wait(self) {
        self.server.wait();
    }
}

type Shared = State<Arc<App>>;
type Client = Extension<Peer>;

async fn authorize(State(app): Shared, Extension(Peer(peer)): Client, headers: HeaderMap, body: Bytes) -> Response {
    let begun = Instant::now();
    let (answered, response) = match app.admit(peer.ip(), &headers).await {
        Err(refused) => *refused,
        Ok(now) => {
            let answer = answer(&app, peer.ip(), &body, now).await;
            tokio::time::sleep(ANSWER_AFTER.saturating_sub(begun.elapsed())).await;
            answer
        }
    };
    app.metrics.count(answered, begun.elapsed());
    response
}

impl App {
    /// Checks who asks; gives the time of the request.
    async fn admit(&self, source: IpAddr, headers: &HeaderMap) -> Result<Timestamp, Box<(Answered, Response)>> {
        let now = self.ledger.clock().now();
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if self.credentials.accept(given) {
            return self.guard.admit(source, now).map(|()| now).map_err(|locked| Box::new(limited(locked, now)));
        }
        let refused = self.wrong_password(source, now);
        tokio::time::sleep(REFUSED_AFTER).await;
        Err(Box::new(refused))
    }

    fn wrong_password(&self, source: IpAddr, now: Timestamp) -> (Answered, Response) {
        match self.guard.wrong_password(source, now) {
            Err(locked) => return limited(locked, now),
            Ok(Some(locked)) => self.note_lock("address", source, locked),
            Ok(None) => {}
        }
        tracing::warn!(%source, "wrong user or password");
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"authorizer\"")];
        (Answered::WrongPassword, (StatusCode::UNAUTHORIZED, challenge).into_response())
    }

    /// Checks a report's signature as [`Self::admit`] checks a password.
    fn admit_report(&self, source: IpAddr, headers: &HeaderMap, body: &[u8]) -> Result<(), Box<(Answered, Response)>> {
        let now = self.ledger.clock().now();
        let refused = |status: StatusCode| Box::new((Answered::ReportRefused, status.into_response()));
        let turned_away = |locked| Box::new(limited(locked, now));
        let Some(secret) = &self.reports else { return Err(refused(StatusCode::NOT_FOUND)) }; // none are taken here
        let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        if let Err(error) = secret.verify(signature.unwrap_or_default(), body, now) {
            self.guard.wrong_signature(source, now).map_err(turned_away)?;
            tracing::warn!(%source, %error, "a report was not taken");
            return Err(refused(StatusCode::UNAUTHORIZED));
        }
        self.guard.admit(source, now).map_err(turned_away)
    }

    fn note_lock(&self, what: &str, source: IpAddr, locked: Locked) {
        self.metrics.count_lock();
        tracing::warn!(%source, until = %locked.until, "ALARM: too many wrong tries: this {what} is locked");
    }
}

async fn answer(app: &Arc<App>, source: IpAddr, body: &[u8], now: Timestamp) -> (Answered, Response) {
    let Question { key, caller } = match decode_question(&app.profile, body) {
        Ok(question) => question,
        Err(error) => return (Answered::BadRequest, (StatusCode::BAD_REQUEST, error.to_string()).into_response()),
    };
    let asker = Asker { source, caller: caller.as_deref() };
    if let Err(locked) = app.guard.may_ask(asker, now) {
        return limited(locked, now);
    }
    let shared = Arc::clone(app);
    let found = tokio::task::spawn_blocking(move || look_up(&shared.ledger, &key)).await;
    match found {
        Ok(Ok(Some(answer))) => {
            if is_wrong(&answer)
                && let Some((what, locked)) = app.guard.wrong_key(asker, now)
            {
                app.note_lock(what, source, locked);
            }
            let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            (answered(&answer), (json, encode_answer(&app.profile, &answer)).into_response())
        }
        Ok(Ok(None)) => {
            (Answered::Undecided, (StatusCode::CONFLICT, "a charge of this order is not decided yet").into_response())
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "ALARM: the authorizer's ledger failed");
            (Answered::Failed, StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Err(_) => (Answered::Failed, StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

/// Whoever is locked hears only until when: to a box this is "unavailable", not a refusal.
fn limited(locked: Locked, now: Timestamp) -> (Answered, Response) {
    let seconds = locked.until.duration_since(now).as_secs().max(1).to_string();
    (Answered::Limited, (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)]).into_response())
}

/// A paid key was right once; all other refusals may be guesses.
const fn is_wrong(answer: &Result<Authorization, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Unknown | Refusal::Expired | Refusal::Blocked))
}

const fn answered(answer: &Result<Authorization, Refusal>) -> Answered {
    match answer {
        Ok(_) => Answered::Authorized,
        Err(Refusal::Unknown) => Answered::Unknown,
        Err(Refusal::Expired) => Answered::Expired,
        Err(Refusal::AlreadyPaid) => Answered::AlreadyPaid,
        Err(Refusal::Blocked) => Answered::Blocked,
    }
}

async fn report(State(app): Shared, Extension(Peer(peer)): Client, headers: HeaderMap, body: Bytes) -> Response {
    let begun = Instant::now();
    let (answered, response) = match app.admit_report(peer.ip(), &headers, &body) {
        Err(refused) => *refused,
        Ok(()) => {
            let shared = Arc::clone(&app);
            let taken = tokio::task::spawn_blocking(move || take(&shared.ledger, &body)).await;
            let status = taken.map_or(StatusCode::INTERNAL_SERVER_ERROR, |result| report_status(&result, peer.ip()));
            let answered = if status.is_success() { Answered::ReportTaken } else { Answered::ReportRefused };
            (answered, status.into_response())
        }
    };
    app.metrics.count(answered, begun.elapsed());
    response
}

fn report_status(result: &Result<Receipt, ReportError>, source: IpAddr) -> StatusCode {
    match result {
        Ok(Receipt::Taken | Receipt::Repeated) => StatusCode::NO_CONTENT,
        Ok(Receipt::UnknownOrder) => {
            tracing::warn!(%source, "a report of an order no key was issued for here");
            StatusCode::NOT_FOUND
        }
        Err(error) => {
            tracing::warn!(%source, %error, "a report was not taken");
            match error {
                ReportError::Unreadable { .. } => StatusCode::BAD_REQUEST,
                ReportError::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    }
}

async fn health(State(app): Shared) -> Response {
    let readable = tokio::task::spawn_blocking(move || app.ledger.audit(1).is_ok()).await;
    if matches!(readable, Ok(true)) { "ok".into_response() } else { StatusCode::SERVICE_UNAVAILABLE.into_response() }
}

/// For those who may ask about keys: the counts say how many keys there are to be found.
async fn metrics(State(app): Shared, Extension(Peer(peer)): Client, headers: HeaderMap) -> Response {
    match app.admit(peer.ip(), &headers).await {
        Ok(_) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text()).into_response(),
        Err(refused) => refused.1,
    }
}

/// What is known of a key; nothing may be said of one whose order a charge of another box may have paid.
fn look_up(ledger: &Ledger, key: &PaymentKey) -> Result<Option<Result<Authorization, Refusal>>, LedgerError> {
    let Some(record) = ledger.find_key(key)? else { return Ok(Some(Err(Refusal::Unknown))) };
    Ok(match record.status {
        KeyStatus::Open if ledger.is_reported_pending(&record.order_id)? => None,
        KeyStatus::Open => Some(Ok(authorization(record))),
        KeyStatus::Expired => Some(Err(Refusal::Expired)),
        KeyStatus::Paid => Some(Err(Refusal::AlreadyPaid)),
        KeyStatus::Locked | KeyStatus::Cancelled => Some(Err(Refusal::Blocked)),
    })
}

fn authorization(record: KeyRecord) -> Authorization {
    let KeyRecord { amount, order_id, description, customer, .. } = record;
    Authorization { amount, order_id, description, customer, values: Vec::new() }
}

#[cfg(test)]
mod tests;
