//! What the box is doing, for everyone who looks: status page, metrics, watchdog, log.
//!
//! Line threads write to it a few times a second and at each event; nothing here is touched by an audio callback.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::handovers::Handovers;
use crate::line::attendant::Phase;
use crate::media::MediaTime;
use crate::payment::{Alarms, Fault};
use crate::service::{ChargeReply, Reply};

/// Troubles kept for the status page.
const MOST_NOTES: usize = 100;
/// Entries of a call's timeline kept; a call that goes on and on loses its middle, not the page its speed.
const MOST_ENTRIES: usize = 400;

/// A whole box.
pub struct Board {
    /// The box's name.
    pub name: String,
    /// When it was started.
    pub started: Timestamp,
    /// Its lines.
    pub lines: Vec<LineBoard>,
    /// Whether nothing is charged for real.
    pub demo: bool,
    /// Where callers go.
    pub(super) handovers: Handovers,
    hash: Mutex<String>,
    notes: Mutex<VecDeque<Note>>,
    troubles: AtomicU64,
    /// What the payments tell; nothing until they have been started.
    payments: OnceLock<Arc<Alarms>>,
}

/// Something an operator should know.
#[derive(Debug, Clone)]
struct Note {
    at: Timestamp,
    text: String,
    /// How often it was told; only the last time is kept.
    times: u64,
}

/// What is counted on a line. All of them only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// Calls begun.
    Calls,
    /// Rings.
    Rings,
    /// Calls the network's tone ended.
    GoneTones,
    /// Keys taken.
    Keys,
    /// Charges approved, as told to callers.
    Approved,
    /// Times the card was lost.
    CardLosses,
    /// Times the card's own buffer ran over or empty.
    Xruns,
    /// Samples heard, at the card's rate; 8 kHz for AudioSocket.
    Heard,
    /// Samples heard and lost because nobody took them in time.
    HeardLost,
    /// Silent samples played because none of ours had come in time.
    Starved,
    /// Samples left out because the output's clock is slower than the input's, or the far side takes none.
    Skipped,
    /// Times the hook failed.
    HookFailures,
    /// Silent samples heard because none had come in time.
    Missing,
    /// Calls turned away because all lines of their listener were taken; counted at the first of them.
    Refused,
    /// Connections that were no calls; counted at the first line of their listener.
    NoCalls,
    /// Charges declined, as told to callers.
    Declined,
    /// Charges whose outcome callers were told is not known.
    Unknown,
}

impl Count {
    /// All, with name and meaning for metrics.
    pub const ALL: [(Self, &'static str, &'static str); 17] = [
        (Self::Calls, "calls", "Calls begun"),
        (Self::Rings, "rings", "Rings"),
        (Self::GoneTones, "hang_up_tones", "Calls ended by the network's tone"),
        (Self::Keys, "keys", "Keys taken"),
        (Self::Approved, "approved", "Payments told to callers as approved"),
        (Self::CardLosses, "card_losses", "Times the sound card was lost"),
        (Self::Xruns, "xruns", "Times the card's own buffer ran over or empty"),
        (Self::Heard, "samples_heard", "Samples heard at the card's rate"),
        (Self::HeardLost, "samples_lost", "Samples heard and lost"),
        (Self::Starved, "samples_starved", "Silent samples played because none had come in time"),
        (Self::Skipped, "samples_skipped", "Samples left out to follow the card's clock"),
        (Self::HookFailures, "hook_failures", "Times the hook failed"),
        (Self::Missing, "samples_missing", "Silent samples heard because none had come in time"),
        (Self::Refused, "calls_refused", "Calls turned away because all lines of their listener were taken"),
        (Self::NoCalls, "connections_refused", "Connections that were no calls"),
        (Self::Declined, "declined", "Payments told to callers as declined"),
        (Self::Unknown, "unknown", "Payments whose outcome was not known when the caller was told"),
    ];

    /// What is counted of a service's reply.
    pub(super) const fn of(reply: &Reply) -> Option<Self> {
        match reply {
            Reply::Charge(ChargeReply::Approved { .. }) => Some(Self::Approved),
            Reply::Charge(ChargeReply::Declined(_) | ChargeReply::Correct(_)) => Some(Self::Declined),
            Reply::Charge(ChargeReply::Unknown { .. }) => Some(Self::Unknown),
            Reply::Charge(ChargeReply::AlreadyPaid { .. } | ChargeReply::Unavailable) | Reply::Authorize(_) => None,
        }
    }
}

/// One line.
pub struct LineBoard {
    /// Its name.
    pub name: String,
    /// Where its sound comes from, in words.
    pub source: String,
    counts: [AtomicU64; Count::ALL.len()],
    /// Moves for as long as the line's thread does.
    pub(super) beat: AtomicU64,
    state: Mutex<LineState>,
}

/// What a line is doing.
#[derive(Debug, Clone)]
pub(super) struct LineState {
    pub(super) phase: Phase,
    /// What is wrong with its sound, and with its hook.
    pub(super) sound_trouble: Option<String>,
    pub(super) hook_trouble: Option<String>,
    /// Levels heard and said, and the peak heard, in dBm0.
    pub(super) heard_dbm0: f64,
    pub(super) peak_dbm0: f64,
    pub(super) said_dbm0: f64,
    /// What the echo canceller takes out, in dB.
    pub(super) echo_db: f64,
    pub(super) call: Option<LiveCall>,
}

impl LineState {
    /// What is wrong with the line, if something is.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.sound_trouble.as_deref().or(self.hook_trouble.as_deref())
    }
}

/// A call under way, or the last one.
#[derive(Debug, Clone)]
pub(super) struct LiveCall {
    pub(super) id: String,
    /// What the far side calls it, where it does.
    pub(super) reference: Option<String>,
    pub(super) began: Timestamp,
    pub(super) over: bool,
    timeline: VecDeque<(MediaTime, String)>,
}

impl Board {
    pub(super) fn new(name: &str, demo: bool, hash: &str, now: Timestamp, lines: Vec<LineBoard>) -> Self {
        Self {
            name: name.to_owned(),
            started: now,
            lines,
            demo,
            handovers: Handovers::default(),
            hash: Mutex::new(hash.to_owned()),
            notes: Mutex::default(),
            troubles: AtomicU64::new(0),
            payments: OnceLock::new(),
        }
    }

    /// From now on what the payments tell is told here, too.
    pub(super) fn watch(&self, payments: &Arc<Alarms>) {
        // Set once, when the box starts.
        let _ = self.payments.set(Arc::clone(payments));
    }

    /// Notes a trouble, on the page and in the log.
    pub fn trouble(&self, text: &str) {
        tracing::warn!("{text}");
        self.troubles.fetch_add(1, Ordering::Relaxed);
        let mut notes = lock(&self.notes);
        // The same again and again leaves the others their room.
        let known = notes.iter().position(|note| note.text == text).and_then(|index| notes.remove(index));
        let times = known.map_or(0, |note| note.times) + 1;
        notes.push_front(Note { at: Timestamp::now(), text: text.to_owned(), times });
        notes.truncate(MOST_NOTES);
    }

    /// Troubles since the start, those of the payments with them.
    pub fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Relaxed) + self.payments.get().map_or(0, |payments| payments.count())
    }

    /// Why no payments can be taken now, or not all.
    pub fn faults(&self) -> Vec<Fault> {
        self.payments.get().map_or_else(Vec::new, |payments| payments.standing())
    }

    /// The last troubles, newest first.
    fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = lock(&self.notes).iter().cloned().collect();
        let told = self.payments.get().map_or_else(Vec::new, |payments| payments.told());
        notes.extend(told.into_iter().map(|alarm| Note { at: alarm.at, text: alarm.text, times: 1 }));
        notes.sort_by_key(|note| std::cmp::Reverse(note.at));
        notes.truncate(MOST_NOTES);
        notes
    }

    /// The configuration's hash.
    pub fn hash(&self) -> String {
        lock(&self.hash).clone()
    }

    pub(super) fn set_hash(&self, hash: &str) {
        hash.clone_into(&mut lock(&self.hash));
    }

    /// Whether every line's sound runs and its hook works, and payments can be taken.
    pub fn is_well(&self) -> bool {
        self.ailments().is_empty()
    }

    /// What is not well, in words that anybody may read.
    pub fn ailments(&self) -> Vec<&'static str> {
        let line = self.lines.iter().find(|line| line.state().trouble().is_some());
        let line = line.map(|_| "a line has no sound or no hook");
        line.into_iter().chain(self.faults().into_iter().map(Fault::meaning)).collect()
    }

    /// Everything but payments, for the status page.
    pub fn snapshot(&self) -> Value {
        let notes: Vec<Value> = self.notes().iter().map(Note::snapshot).collect();
        json!({
            "name": self.name,
            "version": env!("CARGO_PKG_VERSION"),
            "config": self.hash(),
            "demo": self.demo,
            "started": self.started.to_string(),
            "lines": self.lines.iter().map(LineBoard::snapshot).collect::<Vec<_>>(),
            "faults": self.faults().into_iter().map(Fault::meaning).collect::<Vec<_>>(),
            "troubles": notes,
        })
    }
}

impl Note {
    fn snapshot(&self) -> Value {
        let text = if self.times > 1 { format!("{} ({} times)", self.text, self.times) } else { self.text.clone() };
        json!({ "at": self.at.to_string(), "text": text })
    }
}

impl LineBoard {
    pub(super) fn new(name: &str, source: &str) -> Self {
        let state = LineState {
            phase: Phase::Clearing,
            sound_trouble: None,
            hook_trouble: None,
            heard_dbm0: -100.0,
            peak_dbm0: -100.0,
            said_dbm0: -100.0,
            echo_db: 0.0,
            call: None,
        };
        Self {
            name: name.to_owned(),
            source: source.to_owned(),
            counts: Default::default(),
            beat: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }

    /// A counter.
    pub fn count(&self, which: Count) -> u64 {
        self.counts[which as usize].load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, which: Count, more: u64) {
        self.counts[which as usize].fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, LineState> {
        lock(&self.state)
    }

    /// What the line is doing.
    pub fn phase(&self) -> Phase {
        self.state().phase
    }

    /// The call under way or the last one, and whether it is over.
    pub fn last_call(&self) -> Option<(String, bool)> {
        self.state().call.as_ref().map(|call| (call.id.clone(), call.over))
    }

    fn snapshot(&self) -> Value {
        let state = self.state().clone();
        let round = |db: f64| (db * 10.0).round() / 10.0;
        let counts: serde_json::Map<String, Value> =
            Count::ALL.iter().map(|(which, name, _)| ((*name).to_owned(), self.count(*which).into())).collect();
        json!({
            "name": self.name,
            "source": self.source,
            "phase": state.phase.name(),
            "trouble": state.trouble(),
            "heard_dbm0": round(state.heard_dbm0),
            "peak_dbm0": round(state.peak_dbm0),
            "said_dbm0": round(state.said_dbm0),
            "echo_db": round(state.echo_db),
            "counts": counts,
            "call": state.call.map(|call| call.snapshot()),
        })
    }
}

impl LiveCall {
    pub(super) fn new(id: &str, reference: Option<String>, began: Timestamp) -> Self {
        Self { id: id.to_owned(), reference, began, over: false, timeline: VecDeque::new() }
    }

    /// Adds an entry, masked where it was made.
    pub(super) fn note(&mut self, at: MediaTime, text: String) {
        if self.timeline.len() >= MOST_ENTRIES {
            self.timeline.remove(MOST_ENTRIES / 2);
        }
        self.timeline.push_back((at, text));
    }

    fn snapshot(&self) -> Value {
        let timeline: Vec<Value> =
            self.timeline.iter().map(|(at, text)| json!({ "at": at.to_string(), "text": text })).collect();
        json!({
            "id": self.id,
            "reference": self.reference,
            "began": self.began.to_string(),
            "over": self.over,
            "timeline": timeline,
        })
    }
}

/// What a board holds is never half-written: a thread that panicked leaves it readable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_in_the_order_of_their_names() {
        for (index, (count, ..)) in Count::ALL.iter().enumerate() {
            assert_eq!(*count as usize, index);
        }
    }

    #[test]
    fn what_a_charge_came_to_is_counted() {
        let (reference, declined) = (String::from("r"), ChargeReply::Declined(crate::service::Decline::Generic));
        let of = |reply| Count::of(&Reply::Charge(reply));
        assert_eq!(of(ChargeReply::Approved { reference: reference.clone() }), Some(Count::Approved));
        assert_eq!(of(declined), Some(Count::Declined));
        assert_eq!(of(ChargeReply::Unknown { reference: reference.clone() }), Some(Count::Unknown));
        assert_eq!([of(ChargeReply::AlreadyPaid { reference }), of(ChargeReply::Unavailable)], [None, None]);
    }

    #[test]
    fn a_long_call_and_many_troubles_take_bounded_room() {
        let board = Board::new("b", true, "h", Timestamp::UNIX_EPOCH, vec![LineBoard::new("l", "s")]);
        let mut call = LiveCall::new("c", None, Timestamp::UNIX_EPOCH);
        for n in 0..5000 {
            call.note(MediaTime(n), n.to_string());
            board.trouble(&n.to_string());
        }
        for _ in 0..5000 {
            board.trouble("again"); // it pushed out all the others
        }
        board.lines[0].state().call = Some(call);
        let snapshot = board.snapshot();
        let timeline = snapshot["lines"][0]["call"]["timeline"].as_array().unwrap();
        assert_eq!((timeline.len(), &timeline[0]["text"], &timeline[399]["text"]), (400, &"0".into(), &"4999".into()));
        let troubles = snapshot["troubles"].as_array().unwrap();
        assert_eq!((troubles.len(), &troubles[0]["text"]), (100, &"again (5000 times)".into()));
        assert!(troubles.iter().any(|trouble| trouble["text"] == "4999"), "{troubles:?}");
        assert_eq!(board.troubles(), 10_000);
    }
}
