//! A small HTTP server on a thread of its own, stopped when dropped.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// A running server. Dropping it closes its port and its connections at once, like a process that ends.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
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
    /// Serves `routes` on `bind` (port 0: any free one). Listening has begun when this returns.
    ///
    /// # Errors
    /// [`ServerError`] if the address can't be had.
    pub fn start(name: &str, bind: SocketAddr, routes: Router) -> Result<Self, ServerError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
        let in_use = |source| ServerError::Bind { address: bind, source };
        let listener = runtime.block_on(TcpListener::bind(bind)).map_err(in_use)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || run(runtime, listener, routes, stopped);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, `http://127.0.0.1:49152`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Blocks until the server stops by itself, which it does only if serving fails.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // fails only if it has stopped already
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(runtime: Runtime, listener: TcpListener, routes: Router, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        tokio::select! {
            result = axum::serve(listener, routes).into_future() => {
                if let Err(error) = result {
                    tracing::error!(%error, "the server stopped");
                }
            }
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::get;

    use super::super::{Credentials, HttpClient, Timeouts, TransportError};
    use super::*;

    #[test]
    fn serves_until_dropped() {
        let routes = Router::new().route("/healthz", get(async || "ok"));
        let server = Server::start("test", "127.0.0.1:0".parse().unwrap(), routes).unwrap();
        let url = format!("{}/healthz", server.url());
        let client = HttpClient::new(Credentials::new("", ""), Timeouts::answering_within(Duration::from_secs(5)));
        assert_eq!(client.get(&url).ok().map(|answer| answer.body), Some(b"ok".to_vec()));
        let taken = Server::start("test", server.address(), Router::new()).err().unwrap();
        assert!(matches!(taken, ServerError::Bind { .. }), "{taken}");
        drop(server);
        assert!(matches!(client.get(&url), Err(TransportError::NotSent(_))));
    }
}
