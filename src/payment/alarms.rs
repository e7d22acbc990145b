//! What an operator must know of the payments: what keeps them from being taken, for as long as it does, and what happened
//! once. Told in the log, and kept here for whoever shows it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::ledger::LedgerError;

/// Alarms kept for a page.
const MOST: usize = 100;
/// A fault that comes and goes is told again only after so long.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// Why payments can't be taken now, or not all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The ledger can't be read or written.
    Ledger,
    /// Openpay refuses the private key or the account.
    Account,
    /// Openpay gives no answer, or makes no tokens.
    Gateway,
    /// The authorizer refuses the box's user or password.
    Password,
    /// The authorizer gives no answer.
    Authorizer,
    /// This machine's clock is not Openpay's.
    Clock,
}

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub text: String,
}

/// The faults that stand and the alarms told. Shared by everything that takes payments, and by whoever shows it.
#[derive(Debug, Default)]
pub struct Alarms {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: [Known; Fault::ALL.len()],
    told: VecDeque<Alarm>,
    count: u64,
}

/// What is known of a fault.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    stands: bool,
    told: Option<Instant>,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ledger, Self::Account, Self::Gateway, Self::Password, Self::Authorizer, Self::Clock];

    /// Its name, for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Account => "account",
            Self::Gateway => "gateway",
            Self::Password => "password",
            Self::Authorizer => "authorizer",
            Self::Clock => "clock",
        }
    }

    /// What it means, for people. It names no file and no address: whoever asks for the box's health may read it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ledger => "the ledger can't be read or written; no payments are taken",
            Self::Account => "Openpay refuses the account; no payments are taken until it is mended",
            Self::Gateway => "Openpay gives no usable answers; no payments are taken",
            Self::Password => "the authorizer refuses this box's user or password; no keys are taken",
            Self::Authorizer => "the authorizer gives no answers; no keys are taken",
            Self::Clock => "this machine's clock is wrong; good cards may be taken for expired, and reports be refused",
        }
    }
}

impl Alarms {
    /// A fault stands from now on, for a cause. It is told when it begins.
    pub(crate) fn raise(&self, fault: Fault, cause: &dyn std::fmt::Display) {
        let mut state = self.lock();
        let known = &mut state.faults[fault as usize];
        let (stood, quiet) = (known.stands, known.told.is_some_and(|told| told.elapsed() < QUIET));
        known.stands = true;
        if stood || quiet {
            tracing::debug!(%cause, "{}", fault.meaning());
            return;
        }
        known.told = Some(Instant::now());
        state.tell(format!("{}: {cause}", fault.meaning()));
    }

    /// A fault is no more.
    pub(crate) fn clear(&self, fault: Fault) {
        let stood = std::mem::take(&mut self.lock().faults[fault as usize].stands);
        if stood {
            tracing::info!("no more: {}", fault.meaning());
        }
    }

    /// What the ledger could not do: that it can't be read or written stands until it can, anything else is told.
    pub(super) fn ledger_failed(&self, what: &str, error: &LedgerError) {
        match error {
            LedgerError::Storage(_) => self.raise(Fault::Ledger, error),
            _ => self.tell(format!("the ledger failed while {what}: {error}")),
        }
    }

    /// Something happened that an operator must know. A text that is among those kept is not told again.
    pub(super) fn tell(&self, text: String) {
        let mut state = self.lock();
        if state.told.iter().any(|alarm| alarm.text == text) {
            tracing::debug!("{text}");
        } else {
            state.tell(text);
        }
    }

    /// Whether a fault stands.
    pub fn stands(&self, fault: Fault) -> bool {
        self.lock().faults[fault as usize].stands
    }

    /// The faults that stand.
    pub fn standing(&self) -> Vec<Fault> {
        let state = self.lock();
        Fault::ALL.into_iter().filter(|fault| state.faults[*fault as usize].stands).collect()
    }

    /// The last alarms told, newest first.
    pub fn told(&self) -> Vec<Alarm> {
        self.lock().told.iter().cloned().collect()
    }

    /// How many have been told since the start.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // whole after every step
    }
}

impl State {
    fn tell(&mut self, text: String) {
        tracing::error!("ALARM: {text}");
        self.count += 1;
        self.told.push_front(Alarm { at: Timestamp::now(), text });
        self.told.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_when_it_begins_and_stands_until_it_is_cleared() {
        let alarms = Alarms::default();
        for _ in 0..1000 {
            alarms.raise(Fault::Ledger, &"disk full");
        }
        alarms.raise(Fault::Password, &"status 401");
        assert_eq!(alarms.standing(), [Fault::Ledger, Fault::Password]);
        let told = alarms.told();
        assert_eq!(told.len(), 2);
        assert!(told[1].text.ends_with("no payments are taken: disk full"), "{told:?}");
        alarms.clear(Fault::Ledger);
        assert_eq!(alarms.standing(), [Fault::Password]);
        alarms.raise(Fault::Ledger, &"disk full");
        assert_eq!(
            (alarms.standing().len(), alarms.count()),
            (2, 2),
            "it came back at once: it stands and is not told"
        );
    }

    #[test]
    fn the_same_is_told_once_and_many_take_bounded_room() {
        let alarms = Alarms::default();
        for attempt in 0..500 {
            alarms.tell(format!("attempt {attempt}"));
            alarms.tell(format!("attempt {attempt}"));
        }
        assert_eq!((alarms.count(), alarms.told().len(), alarms.told()[0].text.as_str()), (500, 100, "attempt 499"));
        for (index, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, index);
        }
    }
}
