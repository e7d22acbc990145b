//! The lines at work: a thread for each, which owns the line's sound, its hook and its attendant.

mod audio_socket;
mod exchange;
mod hook;
mod port;
mod simulated;
mod upkeep;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::board::Board;
use super::config::{Config, Source};
use super::recording::CallRecorder;
use super::services::Shop;
use crate::line::AnswersFile;
use crate::menu::Menu;
use crate::speech::Clips;

pub(super) use exchange::Exchange;

/// What a line's next call speaks: replaced by a reload, while calls under way keep what they began with.
#[derive(Clone)]
pub(super) struct Spoken {
    pub(super) menu: Arc<Menu>,
    pub(super) clips: Arc<Clips>,
}

/// A line's thread, from outside.
pub(super) struct Line {
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

/// What the box tells a line.
pub(super) struct Control {
    pub(super) spoken: Mutex<Spoken>,
    /// No call begins any more.
    pub(super) closing: AtomicBool,
    /// The call under way is to end now.
    pub(super) hang_up: AtomicBool,
    /// The thread is to end.
    pub(super) stop: AtomicBool,
}

/// What all lines of a box share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) board: Arc<Board>,
    pub(super) shop: Arc<Shop>,
    /// Where calls come in that need no card.
    pub(super) exchanges: Vec<Arc<Exchange>>,
    pub(super) recorder: Option<CallRecorder>,
    pub(super) answers: Option<Arc<Mutex<AnswersFile>>>,
    /// Service requests under way, of all lines: a stop waits for them.
    pub(super) requests: Arc<AtomicUsize>,
}

/// Counts a service request for as long as it lives.
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(requests: &Arc<AtomicUsize>) -> Self {
        requests.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(requests))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Line {
    /// Starts the line of this index. A card or hook that does not work is tried again and again.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(config: &Arc<Config>, index: usize, shared: &Shared) -> std::io::Result<Self> {
        let line = &config.lines[index];
        let menu = &config.menus[line.menu];
        let spoken = Spoken { menu: Arc::clone(&menu.menu), clips: Arc::clone(&menu.clips) };
        let control = Arc::new(Control {
            spoken: Mutex::new(spoken),
            closing: AtomicBool::new(false),
            hang_up: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let worker = worker::Worker::new(Arc::clone(config), index, shared.clone(), Arc::clone(&control));
        let thread = std::thread::Builder::new().name(line.name.clone()).spawn(move || worker.run())?;
        Ok(Self { control, thread: Some(thread) })
    }

    /// What calls from now on speak.
    pub(super) fn speak(&self, spoken: Spoken) {
        *self.control.spoken.lock().unwrap_or_else(PoisonError::into_inner) = spoken;
    }

    /// Lets the call under way end, and begins none.
    pub(super) fn close(&self) {
        self.control.closing.store(true, Ordering::Relaxed);
    }

    /// Ends the call under way as if the caller had gone.
    pub(super) fn hang_up(&self) {
        self.control.hang_up.store(true, Ordering::Relaxed);
    }

    /// Stops the thread and waits for it.
    pub(super) fn stop(&mut self) {
        self.control.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }

    /// Whether the thread has ended, which it does only when stopped or by a bug.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// A line's source in words.
pub(super) fn describe(source: &Source) -> String {
    match source {
        Source::Card(card) => match &card.output {
            Some(output) => format!("{} and {output}", card.device),
            None => card.device.clone(),
        },
        Source::AudioSocket { listener, .. } => format!("AudioSocket {}", listener.listen),
        Source::Simulated { .. } => "simulated callers".to_owned(),
    }
}
