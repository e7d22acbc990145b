//! Waiting to be told to end: SIGTERM from a service manager, Ctrl-C from a person. And to read again what has changed: SIGHUP.

use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A wish to end, waited for. While one of these exists the signals no longer end the process by themselves.
pub struct Termination {
    runtime: Runtime,
    #[cfg(unix)]
    signals: [Signal; 2],
    /// Where there is something to read again; else it ends the process, as a terminal's end does.
    #[cfg(unix)]
    hang_up: Option<Signal>,
}

impl Termination {
    /// Listens for the signals from now on: make one before telling anybody that the service is there.
    ///
    /// # Errors
    /// The system's, if it gives no event queue or no signals.
    pub fn listen() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        #[cfg(unix)]
        let signals = {
            let _in_runtime = runtime.enter();
            [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]
        };
        Ok(Self {
            runtime,
            #[cfg(unix)]
            signals,
            #[cfg(unix)]
            hang_up: None,
        })
    }

    /// Listens for SIGHUP, too, which from now on ends the process no longer.
    ///
    /// # Errors
    /// The system's, if it gives no signals.
    #[cfg(unix)]
    pub fn or_reload(self) -> std::io::Result<Self> {
        let hang_up = {
            let _in_runtime = self.runtime.enter();
            signal(SignalKind::hangup())?
        };
        Ok(Self { hang_up: Some(hang_up), ..self })
    }

    /// Blocks until one arrives; does this at each SIGHUP meanwhile, if those are listened for.
    #[cfg(unix)]
    pub fn wait_reloading(self, reload: &mut dyn FnMut()) {
        let Self { runtime, signals: [mut terminate, mut interrupt], mut hang_up } = self;
        runtime.block_on(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => return,
                    _ = interrupt.recv() => return,
                    () = arrival(&mut hang_up) => reload(),
                }
            }
        });
    }

    /// Blocks until one arrives.
    #[cfg(unix)]
    pub fn wait(self) {
        self.wait_reloading(&mut || {});
    }

    /// There are no such signals here.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn or_reload(self) -> std::io::Result<Self> {
        Ok(self)
    }

    /// Blocks until Ctrl-C is pressed.
    #[cfg(not(unix))]
    pub fn wait_reloading(self, _reload: &mut dyn FnMut()) {
        self.wait();
    }

    /// Blocks until Ctrl-C is pressed.
    #[cfg(not(unix))]
    pub fn wait(self) {
        let _ = self.runtime.block_on(tokio::signal::ctrl_c()); // without the signal there is nothing to wait for
    }
}

/// Waits for a signal that may not be listened for.
#[cfg(unix)]
async fn arrival(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}
