//! Reconciliation in the background, for as long as a box runs.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::Cashier;

/// A thread that reconciles again and again, and asks whether a refused account has been mended. Dropping it ends it,
/// after the round it is in.
pub struct Background {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// How often a box reconciles.
    pub const INTERVAL: Duration = Duration::from_secs(120);

    /// Starts with a round at once, which finds out what a crash left open.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(cashier: Arc<Cashier>, interval: Duration) -> std::io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let run = move || {
            round(&cashier);
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                round(&cashier);
            }
        };
        let thread = std::thread::Builder::new().name("reconcile".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take()); // the thread's next wait ends at once
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }
}

fn round(cashier: &Cashier) {
    if cashier.till().is_halted() && cashier.check().is_ok() {
        tracing::info!("Openpay accepts the account again; payments are taken");
    }
    if let Err(error) = cashier.reconcile() {
        tracing::error!(%error, "ALARM: the ledger failed while reconciling");
    }
}
