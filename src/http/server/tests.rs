//! Slow, greedy and interrupted clients. Nothing here asserts how long anything took.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;

use axum::routing::{get, post};

use super::super::{Credentials, HttpClient, Timeouts, TransportError};
use super::*;

fn client() -> HttpClient {
    HttpClient::new(Credentials::new("", ""), Timeouts::answering_within(Duration::from_secs(20)))
}

fn start(limits: ServerLimits, routes: Router) -> Server {
    Server::start_with("test", "127.0.0.1:0".parse().unwrap(), routes, limits, None).unwrap()
}

/// Everything a server says to raw bytes until it closes the connection.
fn answer_to(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a reset after the answer is an end, too
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn serves_until_dropped() {
    let routes = Router::new().route("/healthz", get(async || "ok"));
    let server = Server::start("test", "127.0.0.1:0".parse().unwrap(), routes).unwrap();
    let url = format!("{}/healthz", server.url());
    assert_eq!(client().get(&url).ok().map(|answer| answer.body), Some(b"ok".to_vec()));
    let taken = Server::start("test", server.address(), Router::new()).err().unwrap();
    assert!(matches!(taken, ServerError::Bind { .. }), "{taken}");
    drop(server);
    assert!(matches!(client().get(&url), Err(TransportError::NotSent(_))));
}

#[test]
fn a_slow_head_a_slow_body_and_silence_end_the_connection() {
    let short = Duration::from_millis(100);
    let limits = ServerLimits { head: short, body: short, ..ServerLimits::default() };
    let server = start(limits, Router::new().route("/", post(async |body: String| body)));
    for (request, answer) in [
        ("", ""),
        ("POST / HTTP/1.1\r\nhost: x\r\n", ""),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf", "HTTP/1.1 408"),
    ] {
        let said = answer_to(&server, request.as_bytes());
        assert!(said.starts_with(answer) && said.is_empty() == answer.is_empty(), "{request:?}: {said:?}");
    }
    let whole = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nwhole";
    assert!(answer_to(&server, whole).ends_with("whole"), "others are served as ever");
}

#[test]
fn a_body_too_large_is_refused() {
    let limits = ServerLimits { body_bytes: 10, ..ServerLimits::default() };
    let server = start(limits, Router::new().route("/", post(async |body: String| body)));
    let status = |body: &[u8]| client().post(&server.url(), body).unwrap().status;
    assert_eq!((status(b"0123456789"), status(b"0123456789x")), (200, 413));
}

#[test]
fn more_connections_than_allowed_wait_their_turn() {
    let limits = ServerLimits { connections: 1, head: Duration::from_millis(200), ..ServerLimits::default() };
    let server = start(limits, Router::new().route("/", get(async || "ok")));
    let _silent = TcpStream::connect(server.address()).unwrap(); // takes the only place until it is shown the door
    assert!(client().get(&server.url()).is_ok_and(|answer| answer.status == 200));
}

#[test]
fn a_polite_stop_lets_the_answer_under_way_end() {
    let (arrived, arrival) = mpsc::channel();
    let routes = Router::new().route(
        "/",
        get(move || async move {
            arrived.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        }),
    );
    let server = start(ServerLimits::default(), routes);
    let url = server.url();
    let asking = std::thread::spawn({
        let url = url.clone();
        move || client().get(&url).map(|answer| answer.body)
    });
    arrival.recv().unwrap();
    assert!(server.stop(Duration::from_secs(20)), "an answer was cut off");
    assert_eq!(asking.join().unwrap(), Ok(b"done".to_vec()));
    assert!(matches!(client().get(&url), Err(TransportError::NotSent(_))));
}

#[test]
fn a_polite_stop_waits_no_longer_than_its_grace() {
    let (arrived, arrival) = mpsc::channel();
    let never = move || async move {
        arrived.send(()).unwrap();
        std::future::pending::<()>().await;
    };
    let server = start(ServerLimits::default(), Router::new().route("/", get(never)));
    let url = server.url();
    let asking = std::thread::spawn(move || client().get(&url).is_err());
    arrival.recv().unwrap();
    assert!(!server.stop(Duration::from_millis(50)));
    assert!(asking.join().unwrap());
}
