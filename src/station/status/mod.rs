//! The status page: what the box is doing, live, for people and for Prometheus. Read-only.
//!
//! Without a password the page is for whoever reaches it, which the configuration allows on this machine only. With one,
//! everything but `/healthz` wants a session, and `/metrics` and `/handover` a session or the password itself, but on this
//! machine neither.

mod guesses;
mod login;
mod metrics;
mod pages;
mod program;
mod session;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use prometheus_client::registry::Registry;

use super::board::Board;
use super::config::StatusConfig;
use super::services::Shop;
use crate::http::{Peer, Server, ServerError};

use login::Gate;
pub use login::{PasswordError, hash_password};

/// What a browser may do with the page: nothing that does not come from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where a dial plan asks; behind it stands a call's UUID.
const HANDOVER: &str = "/handover/";

/// What handlers share.
pub(super) struct App {
    board: Arc<Board>,
    shop: Arc<Shop>,
    gate: Gate,
    last_right: program::LastRight,
    registry: Registry,
    /// Only this machine reaches the page: it listens here, and no proxy in front of it lets others in.
    local: bool,
}

/// Serves the status page until the value is dropped.
pub(super) fn serve(settings: &StatusConfig, board: &Arc<Board>, shop: &Arc<Shop>) -> Result<Server, ServerError> {
    Server::start("status", settings.listen, router(settings, board, shop))
}

fn router(settings: &StatusConfig, board: &Arc<Board>, shop: &Arc<Shop>) -> Router {
    let app = Arc::new(App {
        board: Arc::clone(board),
        shop: Arc::clone(shop),
        gate: Gate::new(settings.password_hash.clone(), settings.https),
        last_right: program::LastRight::new(),
        registry: metrics::registry(board, shop),
        local: settings.listen.ip().is_loopback() && !settings.https,
    });
    let inside = Router::new()
        .route("/", get(pages::page))
        .route("/api/state", get(pages::state))
        .route("/api/events", get(pages::events))
        .route("/api/payments", get(pages::payments))
        .route("/api/search", get(pages::search))
        .route("/logout", post(login::logout))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), login::admit));
    Router::new()
        .merge(inside)
        .route("/login", get(login::form).post(login::enter))
        .route("/page.js", get(pages::script))
        .route("/page.css", get(pages::style))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .route("/healthz", get(healthz))
        .route("/metrics", get(read_metrics))
        .route(&format!("{HANDOVER}{{call}}"), get(handover))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .layer(middleware::from_fn(say_only_numbers))
        .with_state(app)
}

/// A dial plan takes all that it is answered for a number, whatever the status: it hears of no refusal, whoever refuses.
async fn say_only_numbers(request: Request, next: Next) -> Response {
    let asks_for_number = request.uri().path().starts_with(HANDOVER);
    let mut response = next.run(request).await;
    if asks_for_number && !response.status().is_success() {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

/// Headers of every answer; and requests that a foreign name brought here are refused where no password protects.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = if app.gate.is_open() && !names_this_machine(request.headers()) {
        (StatusCode::FORBIDDEN, "this page is reached by this machine's address only\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the `Host` is an address or `localhost`: a page elsewhere can make its own name mean this machine. Browsers
/// always send one; a program that speaks HTTP/1.0 need not.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let host = host.to_str().unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

async fn healthz(State(app): State<Arc<App>>) -> Response {
    let ailments = app.board.ailments();
    if ailments.is_empty() {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, ailments.join("\n") + "\n").into_response()
}

/// Where the caller of a call goes, by the call's UUID; nothing where it goes nowhere.
async fn handover(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(call): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = app.admit_program(peer.ip(), &headers).await {
        return refusal;
    }
    match app.board.handovers.number_for(&call.to_ascii_lowercase(), Instant::now()) {
        Some(number) => number.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn read_metrics(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = app.admit_program(peer.ip(), &headers).await {
        return refusal;
    }
    // The ledger waits for the disk: that is done where waiting holds up nobody.
    match tokio::task::spawn_blocking(move || metrics::text(&app.registry)).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
