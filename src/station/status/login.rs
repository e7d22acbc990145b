//! Who may look: the password, the session's cookie, forms that only our own page can send.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::App;
use super::guesses::Guesses;
use super::session::{self, Sessions, random_token, same};
use crate::http::Peer;

/// Shortest password.
const SHORTEST: usize = 10;
/// Longest password looked at.
const LONGEST: usize = 200;
const SESSION_COOKIE: &str = "tonopago";
const FORM_COOKIE: &str = "tonopago-form";
/// A login form that lay open for longer is to be filled in again.
const FORM_LASTS: Duration = Duration::from_secs(3600);

/// Why a password can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// The system has no randomness to give, or no memory.
    #[error("the password can't be hashed on this machine now")]
    Failed,
}

/// A password's hash (Argon2id with its recommended cost), to be kept in a file.
///
/// # Errors
/// [`PasswordError`] if it is too short or too long.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordError::Failed)?;
    Ok(hash.to_string())
}

/// Lets people in.
pub(super) struct Gate {
    hash: Option<String>,
    https: bool,
    sessions: Sessions,
    guesses: Guesses,
}

/// What the login form sends.
#[derive(Deserialize)]
pub(super) struct Login {
    password: String,
    form: String,
}

/// What other forms send.
#[derive(Deserialize)]
pub(super) struct Confirmed {
    form: String,
}

impl Gate {
    pub(super) fn new(hash: Option<String>, https: bool) -> Self {
        Self { hash, https, sessions: Sessions::default(), guesses: Guesses::default() }
    }

    /// Whether there is no password.
    pub(super) const fn is_open(&self) -> bool {
        self.hash.is_none()
    }

    /// Whether a request may see what is inside.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.is_open() || self.form_token(headers).is_some()
    }

    /// Whether it still may, by a session that goes on living without this question.
    pub(super) fn still_admits(&self, headers: &HeaderMap) -> bool {
        self.is_open() || cookie(headers, SESSION_COOKIE).is_some_and(|token| self.sessions.knows(&token))
    }

    /// What this session's forms carry.
    pub(super) fn form_token(&self, headers: &HeaderMap) -> Option<String> {
        self.sessions.form_token(&cookie(headers, SESSION_COOKIE)?)
    }

    fn cookie(&self, name: &str, value: &str, lasts: Duration) -> Option<HeaderValue> {
        let seconds = lasts.as_secs();
        let secure = if self.https { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// Whether the password is right. Blocking, and slow on purpose.
    fn verify(&self, password: &str) -> bool {
        let Some(hash) = self.hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok()) else { return false };
        password.len() <= 4 * LONGEST && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
    }

    /// Whether a password from this address is looked at now; a guesser waits.
    pub(super) fn may_try(&self, from: IpAddr) -> bool {
        self.guesses.may_try(from, Instant::now())
    }

    pub(super) fn forgive(&self, from: IpAddr) {
        self.guesses.forgive(from);
    }
}

impl App {
    /// Whether the password is right; found out where waiting holds up nobody.
    pub(super) async fn verify(self: Arc<Self>, password: Zeroizing<String>) -> bool {
        tokio::task::spawn_blocking(move || self.gate.verify(&password)).await.unwrap_or(false)
    }
}

/// Sends those without a session to the login form; programs get a plain 401.
pub(super) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if app.gate.admits(request.headers()) {
        next.run(request).await
    } else if request.uri().path() == "/" {
        Redirect::to("/login").into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// The login form.
pub(super) async fn form(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if app.gate.admits(&headers) {
        return Redirect::to("/").into_response();
    }
    show_form(&app, &headers, StatusCode::OK, "")
}

/// Takes the login form.
pub(super) async fn enter(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Response {
    let spanish = wants_spanish(&headers);
    let password = Zeroizing::new(login.password);
    let ours = cookie(&headers, FORM_COOKIE).is_some_and(|token| same(&token, &login.form));
    if !ours {
        let text = if spanish { "Intente de nuevo" } else { "Try again" };
        return show_form(&app, &headers, StatusCode::FORBIDDEN, text);
    }
    if !app.gate.may_try(peer.ip()) {
        let text = if spanish { "Espere un momento" } else { "Wait a moment" };
        return show_form(&app, &headers, StatusCode::TOO_MANY_REQUESTS, text);
    }
    if !Arc::clone(&app).verify(password).await {
        tracing::warn!(from = %peer.ip(), "status page: wrong password");
        let text = if spanish { "Contraseña incorrecta" } else { "Wrong password" };
        return show_form(&app, &headers, StatusCode::UNAUTHORIZED, text);
    }
    app.gate.forgive(peer.ip());
    let session = app.gate.sessions.begin();
    let Some(cookie) = session.and_then(|token| app.gate.cookie(SESSION_COOKIE, &token, session::LONGEST)) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

/// Ends the session.
pub(super) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap, Form(sent): Form<Confirmed>) -> Response {
    let ours = app.gate.form_token(&headers).is_some_and(|token| same(&token, &sent.form));
    if !ours {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(token) = cookie(&headers, SESSION_COOKIE) {
        app.gate.sessions.end(&token);
    }
    let gone = app.gate.cookie(SESSION_COOKIE, "", Duration::ZERO);
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().extend(gone.map(|gone| (header::SET_COOKIE, gone)));
    response
}

fn show_form(app: &App, headers: &HeaderMap, status: StatusCode, message: &str) -> Response {
    let Some(token) = random_token() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let spanish = wants_spanish(headers);
    let (language, title, label, button) =
        if spanish { ("es", "Entrar", "Contraseña", "Entrar") } else { ("en", "Sign in", "Password", "Sign in") };
    let page = include_str!("page/login.html")
        .replace("{language}", language)
        .replace("{title}", title)
        .replace("{label}", label)
        .replace("{button}", button)
        .replace("{message}", message)
        .replace("{token}", &token);
    let mut response = (status, Html(page)).into_response();
    response
        .headers_mut()
        .extend(app.gate.cookie(FORM_COOKIE, &token, FORM_LASTS).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn wants_spanish(headers: &HeaderMap) -> bool {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("es");
    let place = |language: &str| wanted.to_ascii_lowercase().find(language).unwrap_or(usize::MAX);
    place("es") <= place("en")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_verified_by_its_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("horse"));
        let gate = Gate::new(Some(hash), false);
        assert!(gate.verify("correct horse") && !gate.verify("correct horsf") && !gate.verify(""));
        assert!(!Gate::new(None, false).verify(""));
        assert_eq!(hash_password("short"), Err(PasswordError::Length));
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; tonopago=xyz; b"));
        assert_eq!(cookie(&headers, "tonopago").as_deref(), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), None);
    }
}
