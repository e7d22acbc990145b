//! Connections that are being closed. A socket closed with unread sound in it resets the connection, and the far side may
//! never see our last frame: so it is told that we are done, and listened to until it closes, too.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

/// How long the far side has to close.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections being closed at once; more are cut.
const MOST: usize = 128;
/// Bytes taken from one at a time.
const MOST_AT_ONCE: usize = 64 * 1024;

/// A connection to be closed, with the bytes still to be sent.
pub(super) struct Farewell {
    stream: TcpStream,
    rest: Vec<u8>,
    since: Instant,
}

/// Where connections are given to be closed.
#[derive(Clone)]
pub(super) struct Farewells(Sender<Farewell>);

impl Farewells {
    /// The way in, and the way out.
    pub(super) fn new() -> (Self, Receiver<Farewell>) {
        let (give, take) = bounded(MOST);
        (Self(give), take)
    }

    /// Lets a connection be closed by the listener's thread; at once, if too many are.
    pub(super) fn say(&self, farewell: Farewell) {
        // The socket of one that is refused closes with it.
        let _ = self.0.try_send(farewell);
    }
}

impl Farewell {
    /// To be closed after these bytes. The stream does not block.
    pub(super) fn new(stream: TcpStream, rest: Vec<u8>) -> Self {
        Self { stream, rest, since: Instant::now() }
    }

    /// Goes on with it; whether it is over.
    pub(super) fn go_on(&mut self) -> bool {
        if self.since.elapsed() > PATIENCE {
            return true;
        }
        if !self.rest.is_empty() {
            match self.stream.write(&self.rest) {
                Ok(0) => return true,
                Ok(count) => drop(self.rest.drain(..count)),
                Err(error) => return !waits(&error),
            }
            if self.rest.is_empty() && self.stream.shutdown(Shutdown::Write).is_err() {
                return true;
            }
        }
        self.is_closed()
    }

    fn is_closed(&mut self) -> bool {
        let (mut piece, mut all) = ([0; 4096], 0);
        while all < MOST_AT_ONCE {
            match self.stream.read(&mut piece) {
                Ok(0) => return true,
                Ok(count) => all += count,
                Err(error) => return !waits(&error),
            }
        }
        false
    }
}

fn waits(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
