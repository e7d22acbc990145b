//! Waiting to be told to end: SIGTERM from a service manager, Ctrl-C from a person.

use tokio::runtime::{Builder, Runtime};

/// A wish to end, waited for. While one of these exists the signals no longer end the process by themselves.
pub struct Termination {
    runtime: Runtime,
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
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
            use tokio::signal::unix::{SignalKind, signal};
            let _in_runtime = runtime.enter();
            [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]
        };
        Ok(Self {
            runtime,
            #[cfg(unix)]
            signals,
        })
    }

    /// Blocks until one arrives.
    #[cfg(unix)]
    pub fn wait(self) {
        let Self { runtime, signals: [mut terminate, mut interrupt] } = self;
        runtime.block_on(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
    }

    /// Blocks until Ctrl-C is pressed.
    #[cfg(not(unix))]
    pub fn wait(self) {
        let _ = self.runtime.block_on(tokio::signal::ctrl_c()); // without the signal there is nothing to wait for
    }
}
