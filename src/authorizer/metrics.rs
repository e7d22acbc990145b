//! What the service has done so far, in Prometheus' text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Authorized,
    Unknown,
    Expired,
    AlreadyPaid,
    Blocked,
    Undecided,
    Limited,
    WrongPassword,
    BadRequest,
    Failed,
    ReportTaken,
    ReportRefused,
}

/// All of them, in the order they are written.
const ALL: [(Answered, &str); 12] = [
    (Answered::Authorized, "authorized"),
    (Answered::Unknown, "unknown_key"),
    (Answered::Expired, "expired_key"),
    (Answered::AlreadyPaid, "already_paid"),
    (Answered::Blocked, "blocked_key"),
    (Answered::Undecided, "undecided"),
    (Answered::Limited, "limited"),
    (Answered::WrongPassword, "wrong_password"),
    (Answered::BadRequest, "bad_request"),
    (Answered::Failed, "failed"),
    (Answered::ReportTaken, "report_taken"),
    (Answered::ReportRefused, "report_refused"),
];

/// Upper bounds of the histogram of answer times, in seconds, with their text.
const BOUNDS: [(f64, &str); 7] =
    [(0.005, "0.005"), (0.025, "0.025"), (0.05, "0.05"), (0.1, "0.1"), (0.5, "0.5"), (2.0, "2"), (10.0, "10")];

#[derive(Default)]
pub(super) struct Metrics {
    answers: [AtomicU64; ALL.len()],
    within: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
    locks: AtomicU64,
}

impl Metrics {
    pub(super) fn count(&self, answered: Answered, took: Duration) {
        self.answers[answered as usize].fetch_add(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        for (count, _) in self.within.iter().zip(BOUNDS).filter(|(_, (bound, _))| seconds <= *bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn count_lock(&self) {
        self.locks.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        writeln!(text, "# HELP tonopago_authorizer_answers_total Requests answered, by answer.")?;
        writeln!(text, "# TYPE tonopago_authorizer_answers_total counter")?;
        for ((_, name), count) in ALL.iter().zip(&self.answers) {
            writeln!(text, "tonopago_authorizer_answers_total{{answer=\"{name}\"}} {}", read(count))?;
        }
        writeln!(text, "# HELP tonopago_authorizer_locks_total Addresses and callers locked for guessing.")?;
        writeln!(text, "# TYPE tonopago_authorizer_locks_total counter")?;
        writeln!(text, "tonopago_authorizer_locks_total {}", read(&self.locks))?;
        writeln!(text, "# HELP tonopago_authorizer_answer_seconds Time from a request's arrival to its answer.")?;
        writeln!(text, "# TYPE tonopago_authorizer_answer_seconds histogram")?;
        for ((_, bound), count) in BOUNDS.iter().zip(&self.within) {
            writeln!(text, "tonopago_authorizer_answer_seconds_bucket{{le=\"{bound}\"}} {}", read(count))?;
        }
        let all: u64 = self.answers.iter().map(read).sum();
        let micros = read(&self.micros);
        writeln!(text, "tonopago_authorizer_answer_seconds_bucket{{le=\"+Inf\"}} {all}")?;
        writeln!(text, "tonopago_authorizer_answer_seconds_sum {}.{:06}", micros / 1_000_000, micros % 1_000_000)?;
        writeln!(text, "tonopago_authorizer_answer_seconds_count {all}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_where_their_names_are() {
        let metrics = Metrics::default();
        for (answered, _) in ALL {
            (0..=answered as usize).for_each(|_| metrics.count(answered, Duration::from_millis(21)));
        }
        let text = metrics.text();
        for (place, (_, name)) in ALL.iter().enumerate() {
            assert!(text.contains(&format!("{{answer=\"{name}\"}} {}\n", place + 1)), "{text}");
        }
        for line in ["_bucket{le=\"0.005\"} 0\n", "_bucket{le=\"0.025\"} 78\n", "_sum 1.638000\n", "_count 78\n"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
