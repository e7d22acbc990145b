//! Finding out what became of attempts that were left open: at start, in the background, and when their key is keyed again.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Till;
use super::finding::Finding;
use super::owner::paid_by;
use crate::ledger::{Attempt, LedgerError, Outcome, State};

/// How long a charge that was given up is still looked for.
const LAPSED_WATCH: SignedDuration = SignedDuration::from_hours(24);

/// What a reconciliation found, in attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReconcileReport {
    /// Found paid.
    pub approved: u32,
    /// Their order is paid, by another charge.
    pub elsewhere: u32,
    /// Found not paid.
    pub declined: u32,
    /// The gateway never heard of them, and never will.
    pub lapsed: u32,
    /// Had not been sent.
    pub abandoned: u32,
    /// Still open: try again later.
    pub open: u32,
}

impl Till {
    /// Looks every open attempt up. Run it at start and every few minutes; any number of processes may.
    ///
    /// # Errors
    /// [`LedgerError`]; attempts not reached stay as they are.
    pub fn reconcile(&self) -> Result<ReconcileReport, LedgerError> {
        self.reconcile_while(&mut |_, _| true)
    }

    /// The same, asking before each attempt whether to go on; told how many open ones have been looked up, of how many.
    ///
    /// # Errors
    /// [`LedgerError`]; attempts not reached stay as they are.
    pub fn reconcile_while(&self, go_on: &mut dyn FnMut(usize, usize) -> bool) -> Result<ReconcileReport, LedgerError> {
        self.ledger.bring_back_from_future()?;
        let mut report = ReconcileReport::default();
        let mut open = Vec::new();
        for state in [State::Prepared, State::Sent, State::Unknown] {
            open.extend(self.ledger.attempts_in(state)?);
        }
        for (place, attempt) in open.iter().enumerate() {
            if !go_on(place, open.len()) {
                return Ok(report);
            }
            report.count(self.reconcile_attempt(attempt)?);
        }
        let since = self.now().checked_sub(LAPSED_WATCH).unwrap_or(Timestamp::MIN);
        for attempt in self.ledger.lapsed_since(since)? {
            if !go_on(open.len(), open.len()) {
                return Ok(report);
            }
            if self.reconcile_attempt(&attempt)? == State::Approved {
                let attempt = attempt.ledger_reference();
                self.alarms.tell(format!("attempt {attempt}: its charge turned up after it had been given up"));
                report.count(State::Approved);
            }
        }
        if report != ReconcileReport::default() {
            tracing::info!("open charges were looked up: {report}");
        }
        Ok(report)
    }

    /// Whether so much time has passed since then.
    pub(super) fn is_past(&self, since: Timestamp, limit: Duration) -> bool {
        SignedDuration::try_from(limit).is_ok_and(|limit| self.now().duration_since(since) >= limit)
    }

    /// Looks one attempt up, records what is certain, and gives the state it is in now.
    pub(super) fn reconcile_attempt(&self, attempt: &Attempt) -> Result<State, LedgerError> {
        let older_than = |limit| self.is_past(attempt.sent.unwrap_or(attempt.created), limit);
        if attempt.state == State::Prepared {
            if !older_than(self.config.reservation) {
                return Ok(State::Prepared);
            }
            return self.record(attempt, &Outcome::Abandoned);
        }
        match self.look_up(attempt, older_than(self.config.lapse_after)) {
            Finding::Paid(charge) => {
                let (charge_id, authorization) = (charge.id, charge.authorization);
                self.record(attempt, &Outcome::Approved { charge_id, authorization })
            }
            Finding::Elsewhere(charge) => self.record(attempt, &paid_by(&charge)),
            Finding::Earlier(charge) => {
                let (reference, charge) = (attempt.ledger_reference(), charge.id);
                self.alarms.tell(format!(
                    "attempt {reference}: its order is paid by charge {charge}, of the same card and older than the attempt: see \
                     `tonopago payments settle --help`"
                ));
                Ok(attempt.state)
            }
            Finding::NotPaid(code) => self.record(attempt, &Outcome::Declined { code, counts: true }),
            Finding::Absent | Finding::OlderFailure if older_than(self.config.lapse_after) => {
                self.record(attempt, &Outcome::Lapsed)
            }
            Finding::Absent | Finding::OlderFailure | Finding::Undecided => Ok(attempt.state),
        }
    }

    /// Records an outcome, unless the call the attempt belongs to has just recorded its own.
    fn record(&self, attempt: &Attempt, outcome: &Outcome) -> Result<State, LedgerError> {
        match self.ledger.settle(attempt.id, outcome) {
            Ok(settled) => Ok(settled.state),
            Err(LedgerError::Transition { from, .. }) => Ok(from),
            Err(error) => Err(error),
        }
    }
}

/// What was found, and nothing of what was not: `1 paid, 2 still open`.
impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { approved, elsewhere, declined, lapsed, abandoned, open } = *self;
        let parts = [
            (approved, "paid"),
            (elsewhere, "paid elsewhere"),
            (declined, "not paid"),
            (lapsed, "given up as never made"),
            (abandoned, "never sent"),
            (open, "still open"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(if words.is_empty() { "nothing was open" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

impl ReconcileReport {
    const fn count(&mut self, state: State) {
        let counter = match state {
            State::Approved => &mut self.approved,
            State::Elsewhere => &mut self.elsewhere,
            State::Declined => &mut self.declined,
            State::Lapsed => &mut self.lapsed,
            State::Abandoned => &mut self.abandoned,
            State::Prepared | State::Sent | State::Unknown => &mut self.open,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was `ReconcileReport { approved: 0, declined: 0, ... }`, every two minutes.
    #[test]
    fn a_report_is_what_a_person_reads() {
        let report = ReconcileReport { approved: 1, open: 2, ..ReconcileReport::default() };
        assert_eq!(report.to_string(), "1 paid, 2 still open");
        assert_eq!(ReconcileReport::default().to_string(), "nothing was open");
    }
}
