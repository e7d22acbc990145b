//! Sessions: random tokens in memory, forgotten at a restart.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

/// A session ends after so long without a request, and after so long in any case.
const IDLE: Duration = Duration::from_secs(2 * 3600);
pub(super) const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Sessions at once; the one idle for longest makes room.
const MOST: usize = 32;

/// All sessions of a page.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<String, Session>>,
}

struct Session {
    /// What forms of this session carry.
    form_token: String,
    began: Instant,
    used: Instant,
}

impl Session {
    fn lives(&self) -> bool {
        self.used.elapsed() < IDLE && self.began.elapsed() < LONGEST
    }
}

impl Sessions {
    /// A new session's token.
    pub(super) fn begin(&self) -> Option<String> {
        let (token, form_token) = (random_token()?, random_token()?);
        let mut known = self.lock();
        if known.len() >= MOST
            && let Some(oldest) = known.iter().min_by_key(|(_, session)| session.used).map(|(token, _)| token.clone())
        {
            known.remove(&oldest);
        }
        let now = Instant::now();
        known.insert(token.clone(), Session { form_token, began: now, used: now });
        Some(token)
    }

    /// The form token of a session that lives.
    pub(super) fn form_token(&self, token: &str) -> Option<String> {
        let mut known = self.lock();
        known.retain(|_, session| session.lives());
        let session = known.get_mut(token)?;
        session.used = Instant::now();
        Some(session.form_token.clone())
    }

    /// Whether a session lives; to ask is not to use it.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.lock().get(token).is_some_and(Session::lives)
    }

    pub(super) fn end(&self, token: &str) {
        self.lock().remove(token);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner) // a map is whole between two calls
    }
}

/// 256 random bits as text; `None` if the system has none to give.
pub(super) fn random_token() -> Option<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether two tokens are the same, in the same time whether they are or not.
pub(super) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_known_until_they_end_and_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin().unwrap();
        assert!(sessions.form_token(&first).is_some() && sessions.form_token("").is_none());
        assert!(sessions.knows(&first) && !sessions.knows(""));
        sessions.end(&first);
        assert!(sessions.form_token(&first).is_none() && !sessions.knows(&first));
        let tokens: Vec<String> = (0..MOST + 5).map(|_| sessions.begin().unwrap()).collect();
        assert_eq!(tokens.iter().filter(|token| sessions.form_token(token).is_some()).count(), MOST);
        assert!(sessions.form_token(tokens.last().unwrap()).is_some());
    }

    #[test]
    fn tokens_differ_and_empty_ones_are_never_the_same() {
        assert_ne!(random_token(), random_token());
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("", "") && !same("ab", "abc"));
    }
}
