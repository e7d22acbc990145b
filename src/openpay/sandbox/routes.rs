//! The sandbox's HTTP: paths, credentials, faults.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Deserialize;

use super::SandboxConfig;
use super::errors::Refusal;
use super::faults::{Fault, Faults, Operation};
use super::rules::{self, Answer};
use super::store::Store;
use crate::http::Credentials;

/// Largest body that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Pieces of a slow body.
const SLOW_PIECES: usize = 10;

/// What all requests share.
pub(super) struct App {
    pub(super) config: SandboxConfig,
    pub(super) store: Store,
    pub(super) faults: Faults,
    private: Credentials,
    public: Credentials,
}

/// A fault ordered over HTTP.
#[derive(Deserialize)]
struct FaultOrder {
    operation: Operation,
    fault: Fault,
    #[serde(default)]
    times: Option<u32>,
}

impl App {
    pub(super) fn new(config: SandboxConfig, store: Store, private: Credentials, public: Credentials) -> Self {
        Self { config, store, faults: Faults::default(), private, public }
    }

    /// Openpay's rules: no or a wrong key is 401/1002, the public key where the private one is needed 403/1010, another
    /// merchant's path 404/1005.
    fn admit(&self, merchant: &str, headers: &HeaderMap, operation: Operation) -> Result<(), Refusal> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if !self.private.accept(header) {
            if !self.public.accept(header) {
                return Err(Refusal::new(401, 1002, "The api key or merchant id are invalid"));
            }
            if operation != Operation::Token {
                return Err(Refusal::new(403, 1010, "You are using the public key to access a private resource"));
            }
        }
        if merchant == self.config.merchant_id { Ok(()) } else { Err(Refusal::not_found()) }
    }
}

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/{merchant}", get(merchant))
        .route("/v1/{merchant}/tokens", post(create_token))
        .route("/v1/{merchant}/charges", post(create_charge).get(list))
        .route("/v1/{merchant}/charges/{id}", get(charge))
        .route("/v1/{merchant}/charges/{id}/refund", post(refund))
        .route("/admin/faults", post(order_fault))
        .route("/healthz", get(async || "ok"))
        .fallback(async || answer(Err(Refusal::not_found())))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response_with_state(Arc::clone(&app), dated))
        .with_state(app)
}

/// Every answer tells the time, by the sandbox's own clock.
async fn dated(State(app): Shared, mut response: Response) -> Response {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&app.config.clock.now());
    if let Some(date) = date.ok().and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

type Shared = State<Arc<App>>;

async fn merchant(State(app): Shared, Path(merchant): Path<String>, headers: HeaderMap) -> Response {
    perform(app, &merchant, &headers, Operation::Merchant, rules::merchant).await
}

async fn create_token(State(app): Shared, Path(merchant): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    perform(app, &merchant, &headers, Operation::Token, move |app| rules::create_token(app, &body)).await
}

async fn create_charge(State(app): Shared, Path(merchant): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    perform(app, &merchant, &headers, Operation::Charge, move |app| rules::create_charge(app, &body)).await
}

async fn list(
    State(app): Shared,
    Path(merchant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    perform(app, &merchant, &headers, Operation::ListCharges, move |app| rules::list(app, &query)).await
}

async fn charge(State(app): Shared, Path((merchant, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    perform(app, &merchant, &headers, Operation::GetCharge, move |app| rules::charge(app, &id)).await
}

async fn refund(
    State(app): Shared,
    Path((merchant, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    perform(app, &merchant, &headers, Operation::Refund, move |app| rules::refund(app, &id, &body)).await
}

async fn order_fault(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let merchant = app.config.merchant_id.clone();
    if let Err(refusal) = app.admit(&merchant, &headers, Operation::Merchant) {
        return answer(Err(refusal));
    }
    let Ok(order) = serde_json::from_slice::<FaultOrder>(&body) else {
        return answer(Err(Refusal::new(
            400,
            1001,
            "write {\"operation\":\"charge\",\"fault\":{\"kind\":\"drop_after\"}}",
        )));
    };
    (0..order.times.unwrap_or(1)).for_each(|_| app.faults.push(order.operation, order.fault));
    StatusCode::NO_CONTENT.into_response()
}

/// Admits, then works, with the fault that waits for this operation.
async fn perform(
    app: Arc<App>,
    merchant: &str,
    headers: &HeaderMap,
    operation: Operation,
    work: impl Fn(&App) -> Answer + Send + Sync + 'static,
) -> Response {
    if let Err(refusal) = app.admit(merchant, headers, operation) {
        return answer(Err(refusal));
    }
    let fault = app.faults.take(operation);
    let work = Arc::new(work);
    let run = || run_apart(Arc::clone(&app), Arc::clone(&work));
    match fault {
        None => answer(run().await),
        Some(Fault::DropBefore) => closed_connection(),
        Some(Fault::StallBefore { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            closed_connection()
        }
        Some(Fault::ErrorBefore { status }) => html(status),
        Some(Fault::ApiError { status, code }) => answer(Err(Refusal::new(status, code, "As ordered"))),
        Some(Fault::Duplicate) => {
            drop(run().await);
            answer(run().await)
        }
        Some(after) => spoil(after, run().await).await,
    }
}

/// On a thread of its own, so that a caller who hangs up does not stop what has been asked for.
async fn run_apart(app: Arc<App>, work: Arc<impl Fn(&App) -> Answer + Send + Sync + 'static>) -> Answer {
    let result = tokio::task::spawn_blocking(move || work(&app)).await;
    result.unwrap_or_else(|_| Err(Refusal::new(500, 1000, "Internal server error")))
}

/// What arrives of an answer to a request that has been processed.
async fn spoil(fault: Fault, result: Answer) -> Response {
    match fault {
        Fault::DelayAfter { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer(result)
        }
        Fault::ErrorAfter { status } => html(status),
        Fault::Garbage => Response::new(Body::from("\u{1f4a5} not json {")),
        Fault::Truncated => truncated(result),
        Fault::SlowBody { ms } => slow(result, Duration::from_millis(ms)),
        _ => closed_connection(),
    }
}

fn answer(result: Answer) -> Response {
    let (status, body) = status_and_body(result);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json;charset=UTF-8")], body).into_response()
}

fn status_and_body(result: Answer) -> (u16, String) {
    match result {
        Ok(json) => (200, json),
        Err(refusal) => (refusal.status, refusal.to_json()),
    }
}

fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, "text/html")], "<html><body>Bad gateway</body></html>").into_response()
}

/// A body that fails before its first byte makes the server close the connection.
fn closed_connection() -> Response {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Response::new(Body::from_stream(stream::once(async { Err::<Bytes, _>(reset) })))
}

fn truncated(result: Answer) -> Response {
    let (_, body) = status_and_body(result);
    let half = body.as_bytes()[..body.len() / 2].to_vec();
    let mut response = Response::new(Body::from_stream(stream::iter([
        Ok(Bytes::from(half)),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ])));
    response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    response
}

fn slow(result: Answer, gap: Duration) -> Response {
    let (status, body) = status_and_body(result);
    let piece = body.len().div_ceil(SLOW_PIECES).max(1);
    let pieces = stream::unfold(Bytes::from(body), move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(gap).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, Infallible>(next), rest))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
}
