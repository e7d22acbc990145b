//! A small HTTP server on a thread of its own: bounded in time and size, with TLS where it is wanted, stopped when dropped.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::connections::{Connections, Stop};
use super::{ServerLimits, TlsIdentity};

/// A running server. Dropping it closes its port and its connections at once, like a process that ends; see
/// [`Server::stop`] for the polite way.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    stop: Option<oneshot::Sender<Stop>>,
    thread: Option<JoinHandle<bool>>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this machine's, or needs more rights.
    #[error("can't listen on {address}: {source}; choose another address or port")]
    Bind {
        /// The address wanted.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gave no thread or no event queue.
    #[error("can't start the server's thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl Server {
    /// Serves `routes` on `bind` (port 0: any free one), in the clear and within the default limits. Listening has begun
    /// when this returns.
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start(name: &str, bind: SocketAddr, routes: Router) -> Result<Self, ServerError> {
        Self::start_with(name, bind, routes, ServerLimits::default(), None)
    }

    /// Serves `routes` within limits, with TLS if there is an identity to show. Handlers find the client's address as
    /// the request extension [`super::Peer`].
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start_with(
        name: &str,
        bind: SocketAddr,
        routes: Router,
        limits: ServerLimits,
        tls: Option<TlsIdentity>,
    ) -> Result<Self, ServerError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
        let in_use = |source| ServerError::Bind { address: bind, source };
        let listener = runtime.block_on(TcpListener::bind(bind)).map_err(in_use)?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let connections = Connections::new(listener, routes, limits, tls);
        let (stop, stopped) = oneshot::channel();
        let serve = move || run(runtime, connections, stopped);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(serve)?;
        Ok(Self { address, scheme, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, `http://127.0.0.1:49152` or `https://...`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Stops politely: takes no more connections at once, lets answers under way end, for `grace` at most. `true` if all
    /// of them ended.
    pub fn stop(mut self, grace: Duration) -> bool {
        self.end(Stop::Gracefully(grace))
    }

    /// Blocks until the server ends, which it does not do by itself.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }

    fn end(&mut self, how: Stop) -> bool {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(how); // fails only if it has stopped already
        }
        self.thread.take().is_none_or(|thread| thread.join().unwrap_or(false))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Stop::AtOnce);
    }
}

fn run(runtime: Runtime, connections: Connections, stopped: oneshot::Receiver<Stop>) -> bool {
    let all_ended = runtime.block_on(connections.serve_until(async {
        stopped.await.unwrap_or(Stop::AtOnce) // whoever could have stopped it is gone
    }));
    runtime.shutdown_background();
    all_ended
}

#[cfg(test)]
mod tests;
