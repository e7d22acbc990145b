//! The way in for programs, which have no session: the page's password as HTTP Basic (RFC 7617), with any user's name.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{hmac, rand::SystemRandom};
use zeroize::Zeroizing;

use super::App;

/// The last header that was right, as a keyed hash: a program that comes every few seconds does not cost the slow check
/// of the password each time, and does not wait because somebody else guesses.
pub(super) struct LastRight {
    /// `None` if the system has no randomness to give; nothing is remembered then.
    key: Option<hmac::Key>,
    tag: Mutex<Option<hmac::Tag>>,
}

impl LastRight {
    pub(super) fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok();
        Self { key, tag: Mutex::new(None) }
    }

    fn is(&self, header: &HeaderValue) -> bool {
        let tag = self.tag.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(key), Some(tag)) = (&self.key, &*tag) else { return false };
        hmac::verify(key, header.as_bytes(), tag.as_ref()).is_ok()
    }

    fn remember(&self, header: &HeaderValue) {
        let tag = self.key.as_ref().map(|key| hmac::sign(key, header.as_bytes()));
        *self.tag.lock().unwrap_or_else(PoisonError::into_inner) = tag;
    }
}

impl App {
    /// Lets in who has a session or the password, and anybody of this machine where nobody else reaches the page.
    ///
    /// # Errors
    /// What the program is answered instead.
    pub(super) async fn admit_program(self: &Arc<Self>, from: IpAddr, headers: &HeaderMap) -> Result<(), Response> {
        if self.local || self.gate.admits(headers) {
            return Ok(());
        }
        let Some(header) = headers.get(header::AUTHORIZATION) else { return Err(refusal()) };
        if self.last_right.is(header) {
            return Ok(());
        }
        let Some(password) = password_in(header) else { return Err(refusal()) };
        if !self.gate.may_try(from) {
            return Err(StatusCode::TOO_MANY_REQUESTS.into_response());
        }
        if !Arc::clone(self).verify(password).await {
            tracing::warn!(%from, "status page: a program's password is wrong");
            return Err(refusal());
        }
        self.gate.forgive(from);
        self.last_right.remember(header);
        Ok(())
    }
}

fn refusal() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"tonopago\"")]).into_response()
}

fn password_in(header: &HeaderValue) -> Option<Zeroizing<String>> {
    let (scheme, pair) = header.to_str().ok()?.split_once(' ')?;
    let pair = Zeroizing::new(STANDARD.decode(pair.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?);
    let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some(Zeroizing::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Credentials;

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        let of =
            |header: &str| password_in(&HeaderValue::from_str(header).unwrap()).map(|password| password.to_string());
        assert_eq!(of(Credentials::new("prometheus", "a:b c").header()).as_deref(), Some("a:b c"));
        assert_eq!(of(Credentials::new("", "x").header()).as_deref(), Some("x"));
        for wrong in ["", "Basic", "Basic !", "Bearer OmE=", "Basic YWJj"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
