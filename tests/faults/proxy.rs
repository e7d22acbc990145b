//! A network that fails: stands between a client and a service and does to each exchange what a bad day does.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The connection closes before the request is read.
    ClosedAtOnce,
    /// The request is read and forgotten.
    RequestLost,
    /// Half of the request reaches the service.
    RequestCut,
    /// The request is held back and delivered after the client has given up.
    RequestLate,
    /// The service gets the request twice; the second answer is the one that arrives.
    RequestTwice,
    /// A 502 from something in between; the service hears nothing.
    ErrorBefore,
    /// The service answers; the connection closes instead.
    AnswerLost,
    /// The service answers; the client hears it after its time-out.
    AnswerLate,
    /// Half of the answer arrives.
    AnswerCut,
    /// 200 with something that is no JSON.
    AnswerGarbage,
    /// The service has done its work; the answer is a 500 with HTML.
    ErrorAfter,
    /// The answer arrives in pieces, with pauses.
    AnswerSlow,
}

const FAULTS: [Fault; 12] = [
    Fault::ClosedAtOnce,
    Fault::RequestLost,
    Fault::RequestCut,
    Fault::RequestLate,
    Fault::RequestTwice,
    Fault::ErrorBefore,
    Fault::AnswerLost,
    Fault::AnswerLate,
    Fault::AnswerCut,
    Fault::AnswerGarbage,
    Fault::ErrorAfter,
    Fault::AnswerSlow,
];

/// Longer than the campaign's clients wait for an answer.
const LATE: Duration = Duration::from_millis(450);
/// Between the pieces of a slow answer.
const PAUSE: Duration = Duration::from_millis(8);
/// A service that says nothing for so long is dead.
const DEAD: Duration = Duration::from_secs(10);

/// Faults that struck, by step and kind, and exchanges in all.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) faults: BTreeMap<(&'static str, Fault), u32>,
    pub(crate) exchanges: BTreeMap<&'static str, u32>,
}

/// The network to one service, on loopback, until the process ends.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    address: String,
}

struct Shared {
    upstream: String,
    percent: AtomicU8,
    random: Mutex<fastrand::Rng>,
    tally: Mutex<Tally>,
    stopped: AtomicBool,
}

impl Proxy {
    /// To the service at `upstream` (`http://host:port`); `percent` of the exchanges fail.
    pub(crate) fn start(upstream: &str, percent: u8, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            upstream: upstream.strip_prefix("http://").unwrap().to_owned(),
            percent: AtomicU8::new(percent),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            tally: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&accepting);
                if shared.stopped.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::spawn(move || shared.exchange(client));
            }
        });
        Self { shared, address }
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    /// Changes how many exchanges fail.
    pub(crate) fn set_percent(&self, percent: u8) {
        self.shared.percent.store(percent, Ordering::Relaxed);
    }

    /// What struck so far.
    pub(crate) fn tally(&self) -> Tally {
        std::mem::take(&mut *self.shared.tally.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address.trim_start_matches("http://")); // wakes the thread that accepts
    }
}

impl Shared {
    /// A network's errors are the point of this: whatever fails just ends the exchange.
    fn exchange(&self, mut client: TcpStream) -> Option<()> {
        client.set_read_timeout(Some(DEAD)).ok()?;
        let request = read_request(&mut client)?;
        let fault = self.draw(step_of(&request));
        match fault {
            None => client.write_all(&self.forward(&request)?).ok()?,
            Some(Fault::ClosedAtOnce | Fault::RequestLost) => {}
            Some(Fault::RequestCut) => self.forward_half(&request)?,
            Some(Fault::RequestLate) => {
                std::thread::sleep(LATE);
                drop(self.forward(&request));
            }
            Some(Fault::RequestTwice) => {
                drop(self.forward(&request));
                client.write_all(&self.forward(&request)?).ok()?;
            }
            Some(Fault::ErrorBefore) => client.write_all(&html("502 Bad Gateway")).ok()?,
            Some(after) => spoil(after, &mut client, &self.forward(&request)?)?,
        }
        client.shutdown(Shutdown::Both).ok()
    }

    fn draw(&self, step: &'static str) -> Option<Fault> {
        let fault = {
            let mut random = self.random.lock().unwrap();
            (random.u8(0..100) < self.percent.load(Ordering::Relaxed)).then(|| *random.choice(&FAULTS).unwrap())
        };
        let mut tally = self.tally.lock().unwrap();
        *tally.exchanges.entry(step).or_default() += 1;
        if let Some(fault) = fault {
            *tally.faults.entry((step, fault)).or_default() += 1;
        }
        fault
    }

    fn forward(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut service = TcpStream::connect(&self.upstream).ok()?;
        service.set_read_timeout(Some(DEAD)).ok()?;
        service.write_all(request).ok()?;
        let mut answer = Vec::new();
        service.read_to_end(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    fn forward_half(&self, request: &[u8]) -> Option<()> {
        let mut service = TcpStream::connect(&self.upstream).ok()?;
        service.write_all(&request[..request.len() / 2]).ok()
    }
}

fn spoil(fault: Fault, client: &mut TcpStream, answer: &[u8]) -> Option<()> {
    match fault {
        Fault::AnswerLate => {
            std::thread::sleep(LATE);
            client.write_all(answer).ok()
        }
        Fault::AnswerCut => client.write_all(&answer[..answer.len() / 2]).ok(),
        Fault::AnswerGarbage => {
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n{not json").ok()
        }
        Fault::ErrorAfter => client.write_all(&html("500 Internal Server Error")).ok(),
        Fault::AnswerSlow => answer.chunks(answer.len().div_ceil(10)).try_for_each(|piece| {
            std::thread::sleep(PAUSE);
            client.write_all(piece).ok()
        }),
        _ => Some(()), // the answer is lost
    }
}

fn html(status: &str) -> Vec<u8> {
    let body = "<html><body>Sorry</body></html>";
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {}\r\n", body.len());
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

/// Head and body; asks the service to close the connection after its answer, so that the answer's end is known.
fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let head = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let read = client.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
    };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while request.len() < head + 4 + length {
        let read = client.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
    }
    request.splice(head..head, b"\r\nconnection: close".iter().copied());
    Some(request)
}

fn step_of(request: &[u8]) -> &'static str {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    match String::from_utf8_lossy(line) {
        line if line.contains("/authorizer") => "authorize",
        line if line.contains("/result") => "notify",
        line if line.contains("/tokens") => "token",
        line if line.starts_with("POST") && line.contains("/charges") => "charge",
        line if line.contains("/charges") => "query",
        _ => "other",
    }
}
