//! One request, one answer: blocking, bounded in time and size, never repeated, never redirected.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use rustls::CertificateError;
use ureq::http::{HeaderMap, HeaderValue, Response};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector as _, DefaultConnector};
use ureq::{Agent, Body, Error, RequestBuilder, Timeout};

use super::resolving::Resolving;
use super::wiping::{WipingConnector, is_of_connecting};
use super::{Authorities, Credentials};

/// Largest answer that is read, in bytes; a page of ten charges is below 30 kB.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// How long each phase of an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the host's address.
    pub resolve: Duration,
    /// Connecting, with the TLS handshake.
    pub connect: Duration,
    /// Sending the request's head, and again its body.
    pub send: Duration,
    /// From the request's end to the answer's head: the time the service works.
    pub answer: Duration,
    /// Receiving the answer's body.
    pub body: Duration,
}

impl Timeouts {
    /// Ten seconds to get through, 5 s to send, `answer` for the service's work, 10 s for its answer's body.
    pub const fn answering_within(answer: Duration) -> Self {
        let (five, ten) = (Duration::from_secs(5), Duration::from_secs(10));
        Self { resolve: five, connect: ten, send: five, answer, body: ten }
    }
}

/// An answer, of whatever status.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as received.
    pub body: Vec<u8>,
    /// When the service says that it answered, to the second, if it says so; not of an answer that lay in a cache.
    pub date: Option<Timestamp>,
}

/// Why there is no answer. It never says anything of a request's contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection was never made: the service cannot have acted. Try again.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request may have arrived and been acted upon. Ask the service what became of it.
    #[error("no usable answer: {0}")]
    NoAnswer(String),
}

/// What there is to say of a status that leads elsewhere, behind that status; nothing of any other.
pub const fn redirected(status: u16) -> &'static str {
    match status {
        300..=399 => ": a redirect, which is not followed: configure the address it leads to",
        _ => "",
    }
}

/// A client for one service with one set of credentials.
pub struct HttpClient {
    agent: Agent,
    credentials: Option<Credentials>,
}

impl HttpClient {
    /// A client that takes no proxy from the environment, follows no redirect, keeps no connection (a stale one would
    /// make a charge's outcome doubtful) and repeats nothing.
    pub fn new(credentials: Credentials, timeouts: Timeouts) -> Self {
        Self::trusting(None, Some(credentials), timeouts)
    }

    /// The same, with or without credentials, trusting only these certificate authorities, if any are given, instead of
    /// the public ones.
    pub fn trusting(authorities: Option<&Authorities>, credentials: Option<Credentials>, timeouts: Timeouts) -> Self {
        let roots = authorities.map_or(RootCerts::WebPki, |given| RootCerts::new_with_certs(&given.0));
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("tonopago/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(timeouts.resolve))
            .timeout_connect(Some(timeouts.connect))
            .timeout_send_request(Some(timeouts.send))
            .timeout_send_body(Some(timeouts.send))
            .timeout_recv_response(Some(timeouts.answer))
            .timeout_recv_body(Some(timeouts.body))
            .build();
        let connector = DefaultConnector::new().chain(WipingConnector);
        Self { agent: Agent::with_parts(config, connector, Resolving::default()), credentials }
    }

    /// Sends a GET.
    ///
    /// # Errors
    /// [`TransportError`] if there is no answer.
    pub fn get(&self, url: &str) -> Result<Answer, TransportError> {
        let request = self.authorized(self.agent.get(url)).header("accept", "application/json");
        read(request.call())
    }

    /// Sends a POST with a JSON body.
    ///
    /// # Errors
    /// [`TransportError`] if there is no answer.
    pub fn post(&self, url: &str, json: &[u8]) -> Result<Answer, TransportError> {
        self.post_with(url, json, &[])
    }

    /// Sends a POST with a JSON body and more headers, which must be plain ASCII text.
    ///
    /// # Errors
    /// [`TransportError`] if there is no answer.
    pub fn post_with(&self, url: &str, json: &[u8], headers: &[(&str, &str)]) -> Result<Answer, TransportError> {
        read(self.send(url, json, headers))
    }

    /// The same for whoever wants no more than the status: gives it as soon as the answer's head is there, and reads nothing
    /// of its body, however long or slow.
    ///
    /// # Errors
    /// [`TransportError`] if there is no answer.
    pub fn tell(&self, url: &str, json: &[u8], headers: &[(&str, &str)]) -> Result<u16, TransportError> {
        self.send(url, json, headers).map(|answer| answer.status().as_u16()).map_err(classify)
    }

    fn send(&self, url: &str, json: &[u8], headers: &[(&str, &str)]) -> Result<Response<Body>, Error> {
        let request = self.authorized(self.agent.post(url)).header("accept", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.content_type("application/json; charset=utf-8").send(json)
    }

    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let Some(credentials) = &self.credentials else { return request };
        let mut value = HeaderValue::from_str(credentials.header()).expect("Base64 is header text");
        value.set_sensitive(true);
        request.header("authorization", value)
    }
}

fn read(answer: Result<Response<Body>, Error>) -> Result<Answer, TransportError> {
    let mut answer = answer.map_err(classify)?;
    let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    // Once the head has arrived the request was sent, whatever happens to the rest.
    let body = body.map_err(|error| TransportError::NoAnswer(error.to_string()))?;
    Ok(Answer { status: answer.status().as_u16(), body, date: date(answer.headers()) })
}

/// When an answer was made. A cache keeps the service's date, and says by an age that it is one (RFC 9111, 5.1).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get("date").filter(|_| !headers.contains_key("age"))?;
    DateTimeParser::new().parse_timestamp(date.as_bytes()).ok()
}

/// Splits failures into those before the first byte of the request was sent, and all others.
fn classify(error: Error) -> TransportError {
    let never_connected = match &error {
        Error::HostNotFound | Error::ConnectionFailed | Error::BadUri(_) => true,
        Error::Timeout(phase) => matches!(phase, Timeout::Resolve | Timeout::Connect),
        // The handshake can run as late as with the first byte sent.
        _ if tls_error(&error).is_some_and(is_distrust) => true,
        // A connection that was made never says so: see the transport.
        Error::Io(io) => is_of_connecting(io.kind()),
        _ => false,
    };
    let meaning = tls_error(&error).and_then(meaning).map(|meaning| format!(": {meaning}"));
    let text = error.to_string() + &meaning.unwrap_or_default();
    if never_connected { TransportError::NotSent(text) } else { TransportError::NoAnswer(text) }
}

fn tls_error(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(tls) => Some(tls),
        Error::Io(io) => io.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// What the TLS library's word for a certificate it does not believe means, where that is a name of its own.
fn meaning(error: &rustls::Error) -> Option<&'static str> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("no authority that is trusted here issued it")
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Some("whoever shows it is to renew it, or this machine's clock is wrong"),
        // As `openssl req -x509` makes them unless told otherwise.
        rustls::Error::InvalidCertificate(other) if other.to_string().contains("CaUsedAsEndEntity") => Some(
            "it is an authority's own (CA:TRUE), which no server may show: make one with basicConstraints CA:FALSE",
        ),
        _ => None,
    }
}

/// The service's certificate was not believed, so the handshake never ended and not a byte of the request went out.
const fn is_distrust(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Serves one connection with fixed bytes and gives back what it was sent.
    fn serve_once(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let mut length = stream.read(&mut request).unwrap();
            while !request[..length].ends_with(b"{}") && length > 0 {
                length += stream.read(&mut request[length..]).unwrap();
            }
            stream.write_all(answer).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        (url, thread)
    }

    fn client() -> HttpClient {
        let short = Duration::from_millis(300);
        let timeouts = Timeouts { resolve: short, connect: short, send: short, answer: short, body: short };
        HttpClient::new(Credentials::new("sk_test", ""), timeouts)
    }

    #[test]
    fn sends_credentials_and_json_and_reads_any_status() {
        let (url, server) = serve_once(
            b"HTTP/1.1 402 Payment Required\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 2\r\n\r\n{}",
        );
        let answer = client().post(&url, b"{}").unwrap();
        assert_eq!(answer.date, Some("1994-11-06T08:49:37Z".parse().unwrap()));
        assert_eq!((answer.status, answer.body.as_slice()), (402, &b"{}"[..]));
        let request = server.join().unwrap().to_ascii_lowercase();
        assert!(request.contains("authorization: basic c2tfdgvzddo="), "{request}");
        assert!(request.contains("content-type: application/json"));
    }

    /// A box's clock was wrong for as long as a cache between it and the service gave the same answer.
    #[test]
    fn the_date_of_an_answer_out_of_a_cache_is_not_the_time() {
        let (url, _server) = serve_once(
            b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nage: 600\r\ncontent-length: 2\r\n\r\n{}",
        );
        assert_eq!(client().post(&url, b"{}").unwrap().date, None);
    }

    #[test]
    fn follows_no_redirect() {
        let (url, _server) =
            serve_once(b"HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        assert!(client().post(&url, b"{}").is_ok_and(|answer| answer.status == 307));
    }

    #[test]
    fn a_refused_connection_was_not_sent() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = client().post(&format!("http://{free}/"), b"{}").err().unwrap();
        assert!(matches!(error, TransportError::NotSent(_)), "{error}");
    }

    /// It "may have been acted upon", and a charge stayed open for want of a name server.
    #[test]
    fn a_name_without_address_was_not_sent() {
        for name in ["a..b", "nowhere.invalid"] {
            let error = client().post(&format!("http://{name}/"), b"{}").err().unwrap();
            assert!(matches!(error, TransportError::NotSent(_)), "{error}");
        }
    }

    #[test]
    fn a_lost_or_broken_answer_may_have_been_acted_upon() {
        for answer in [&b""[..], b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"] {
            let (url, _server) = serve_once(answer);
            let error = client().post(&url, b"{}").err().unwrap();
            assert!(matches!(error, TransportError::NoAnswer(_)), "{error}");
        }
    }

    /// A service that takes a connection and then does what it is told, for as long as the test lasts.
    fn serve(does: impl FnOnce(std::net::TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        std::thread::spawn(move || does(listener.accept().unwrap().0));
        url
    }

    fn hold(stream: std::net::TcpStream) {
        std::thread::sleep(Duration::from_secs(20)); // longer than any time-out here; the process does not wait for it
        drop(stream);
    }

    /// Every phase after the connection has a limit of its own, and each leaves the outcome open.
    #[test]
    fn sending_answer_and_body_have_limits_of_their_own() {
        let long = Duration::from_secs(20);
        let patient = Timeouts { resolve: long, connect: long, send: long, answer: long, body: long };
        let short = Duration::from_millis(200);
        let head_only = |mut stream: std::net::TcpStream| {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").unwrap();
            hold(stream);
        };
        let large = vec![b' '; 64 << 20]; // more than any socket buffers
        for (url, body, timeouts) in [
            (serve(hold), &large[..], Timeouts { send: short, ..patient }),
            (serve(hold), b"{}", Timeouts { answer: short, ..patient }),
            (serve(head_only), b"{}", Timeouts { body: short, ..patient }),
        ] {
            let error = HttpClient::new(Credentials::new("", ""), timeouts).post(&url, body).err().unwrap();
            assert!(matches!(&error, TransportError::NoAnswer(text) if text.contains("timeout")), "{error:?}");
        }
    }

    /// One kept from an earlier exchange may be dead at the other end, and a charge sent on it is open for no reason.
    #[test]
    fn each_exchange_has_a_connection_of_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                kept.push(stream); // and nothing more is answered on it
            }
        });
        let client = HttpClient::new(Credentials::new("", ""), Timeouts::answering_within(Duration::from_secs(5)));
        for exchange in 1..=3 {
            assert!(client.get(&url).is_ok_and(|answer| answer.status == 200), "exchange {exchange}");
        }
    }

    #[test]
    fn a_silent_service_times_out_as_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = client().post(&format!("http://{}/", listener.local_addr().unwrap()), b"{}").err().unwrap();
        assert!(matches!(error, TransportError::NoAnswer(_)), "{error}");
    }
}
