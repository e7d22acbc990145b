//! Connections: accepted up to a number, served within their limits, let end when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::TlsIdentity;

/// Pause after the system refused a connection (no file descriptors left), which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What one client may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Until a connection has shown its TLS hello, and until each request's head has arrived; also how long a connection
    /// may idle.
    pub head: Duration,
    /// Until a request's body has arrived.
    pub body: Duration,
    /// Largest body that is read, in bytes.
    pub body_bytes: usize,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
}

/// A client's address, as a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How a server stops.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    AtOnce,
    Gracefully(Duration),
}

impl Default for ServerLimits {
    /// 10 s for a head, 10 s for a body of 64 KiB, 256 connections.
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self { head: ten, body: ten, body_bytes: 64 * 1024, connections: 256 }
    }
}

pub(super) struct Connections {
    listener: TcpListener,
    routes: Router,
    limits: ServerLimits,
    tls: Option<TlsAcceptor>,
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, routes: Router, limits: ServerLimits, tls: Option<TlsIdentity>) -> Self {
        let routes = routes.layer(from_fn(move |request, next| read_body(limits, request, next)));
        let slots = Arc::new(Semaphore::new(limits.connections));
        let tls = tls.map(TlsIdentity::into_acceptor);
        Self { listener, routes, limits, tls, slots, graceful: GracefulShutdown::new() }
    }

    /// Serves until told to stop; `true` if no answer was cut off.
    pub(super) async fn serve_until(self, stop: impl Future<Output = Stop>) -> bool {
        let stop = {
            tokio::pin!(stop);
            loop {
                tokio::select! {
                    how = &mut stop => break how,
                    () = self.accept() => {}
                }
            }
        };
        let Self { listener, graceful, .. } = self;
        drop(listener); // whoever comes now hears at once that nobody is here
        match stop {
            Stop::AtOnce => false,
            Stop::Gracefully(grace) => timeout(grace, graceful.shutdown()).await.is_ok(),
        }
    }

    /// Takes one connection and gives it a task of its own.
    async fn accept(&self) {
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
        match self.listener.accept().await {
            Ok((stream, peer)) => self.spawn(stream, Peer(peer), slot),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: Peer, slot: OwnedSemaphorePermit) {
        let (routes, limits, watcher) = (self.routes.clone(), self.limits, self.graceful.watcher());
        let Some(tls) = self.tls.clone() else {
            tokio::spawn(async move {
                let _slot = slot;
                let _ = watcher.watch(serve(stream, peer, routes, limits)).await;
            });
            return;
        };
        tokio::spawn(async move {
            let _slot = slot;
            match timeout(limits.head, tls.accept(stream)).await {
                Ok(Ok(stream)) => drop(watcher.watch(serve(stream, peer, routes, limits)).await),
                Ok(Err(error)) => tracing::debug!(peer = %peer.0, %error, "no TLS"),
                Err(_) => tracing::debug!(peer = %peer.0, "no TLS hello in time"),
            }
        });
    }
}

/// A connection's errors are its client's business.
fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    routes: Router,
    limits: ServerLimits,
) -> http1::Connection<
    TokioIo<S>,
    impl hyper::service::HttpService<Incoming, ResBody = Body, Error = std::convert::Infallible, Future: Send> + Send,
> {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.clone().oneshot(request.map(Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service)
}

/// Reads the whole body before any handler sees the request: no handler waits for a slow client.
async fn read_body(limits: ServerLimits, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match timeout(limits.body, axum::body::to_bytes(body, limits.body_bytes)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(_)) => refuse(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The rest of the body is not wanted, so the connection ends.
fn refuse(status: StatusCode) -> Response {
    (status, [(axum::http::header::CONNECTION, "close")]).into_response()
}
