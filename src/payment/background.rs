//! What a box does beside its calls for as long as it runs, on threads of their own: reconciling, telling the merchant.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::{Cashier, Fault};

/// A thread that makes its round again and again. Dropping it ends it, as soon as its round asks whether it is to end.
pub struct Background {
    /// Dropped to say stop.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// What a round asks between two things that may take long: whether it is to end.
pub struct Stop(Receiver<Infallible>);

impl Background {
    /// How often a box reconciles.
    pub const INTERVAL: Duration = Duration::from_secs(120);

    /// Makes a round at once, and each next one so long after the last has ended.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn every(
        interval: Duration,
        name: &str,
        mut round: impl FnMut(&Stop) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let stopped = Stop(stopped);
        let run = move || {
            round(&stopped);
            while stopped.0.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                round(&stopped);
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Reconciles again and again, and looks whether payments can be taken. The first round finds out what a crash left
    /// open.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn reconciling(cashier: Arc<Cashier>, interval: Duration) -> std::io::Result<Self> {
        Self::every(interval, "reconcile", move |stop| round(&cashier, stop))
    }

    /// Its name, if its thread has ended, which it does by itself only by a bug.
    pub fn has_died(&self) -> Option<&str> {
        let thread = self.thread.as_ref().filter(|thread| thread.is_finished())?;
        thread.thread().name()
    }
}

impl Stop {
    /// Whether the round is to end.
    pub fn is_asked(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }
}

fn round(cashier: &Cashier, stop: &Stop) {
    let till = cashier.till();
    cashier.look();
    // Without an open charge it is only read: whether it can be written would be known when a caller pays.
    let reconciled = till.reconcile_while(&mut |_, _| !stop.is_asked());
    let refunds = reconciled.and_then(|_| till.reconcile_refunds(&mut || !stop.is_asked()));
    match refunds.and_then(|_| till.ledger().try_writing()) {
        Ok(()) => till.alarms().clear(Fault::Ledger),
        Err(error) => till.alarms().ledger_failed("reconciling", &error),
    }
}
