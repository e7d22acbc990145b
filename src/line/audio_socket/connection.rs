//! A call's socket: the session's bytes go through it, at the pace of this machine's clock. It never blocks for longer than
//! the next step is away.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::farewell::{Farewell, Farewells};
use super::frame::Uuid;
use super::listener::Seat;
use super::session::{Ending, Session, Tally};
use crate::dtmf::Digit;
use crate::line::attendant::STEP;
use crate::line::pace::Pace;

/// Bytes read at once, and at most in one step: what is more waits in the system.
const PIECE: usize = 4096;
const MOST_AT_ONCE: usize = 16 * PIECE;
/// Bytes on their way out beyond which frames are left out: 60 ms, and what the system holds.
const MOST_WAITING: usize = 3 * 323;
/// Who has taken nothing for so long is gone.
const DEAF: Duration = Duration::from_secs(5);

/// A call that has come in and that a line has taken.
pub struct Connection {
    uuid: Uuid,
    stream: TcpStream,
    session: Session,
    pace: Pace,
    /// Bytes that the system has not taken yet, the first of them perhaps in the middle of a frame.
    outgoing: Vec<u8>,
    /// Since when it takes none.
    stuck: Option<Instant>,
    skipped: u64,
    farewells: Farewells,
    _seat: Seat,
}

impl Connection {
    pub(super) fn new(uuid: Uuid, stream: TcpStream, session: Session, farewells: Farewells, seat: Seat) -> Self {
        let outgoing = Vec::with_capacity(2 * MOST_WAITING);
        let pace = Pace::new(Instant::now());
        Self { uuid, stream, session, pace, outgoing, stuck: None, skipped: 0, farewells, _seat: seat }
    }

    /// What the far side calls it.
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Starts its clock: a line has taken the call.
    pub(super) fn taken(mut self) -> Self {
        self.pace = Pace::new(Instant::now());
        self
    }

    /// Waits until the next 10 ms are due, and gives them.
    pub fn hear(&mut self, block: &mut [f32; STEP]) {
        thread::sleep(self.pace.next(Instant::now()));
        read(&mut self.stream, &mut self.session);
        self.session.hear(block);
    }

    /// A key that was pressed before the sound that comes next.
    pub fn next_key(&mut self) -> Option<Digit> {
        self.session.next_key()
    }

    /// How the far side ended the call, once all that came before has been heard.
    pub fn ending(&self) -> Option<&Ending> {
        self.session.ending()
    }

    /// Sends sound. Who takes it too slowly gets less of it.
    pub fn say(&mut self, said: &[f32]) {
        let before = self.outgoing.len();
        let samples = self.session.say(said, &mut self.outgoing);
        if before > MOST_WAITING {
            self.outgoing.truncate(before);
            self.skipped += samples as u64;
        }
        self.write();
    }

    /// What has become of the sound heard.
    pub const fn tally(&self) -> Tally {
        self.session.tally()
    }

    /// Samples said and left out because they were not taken.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Hangs up. The far side is given time to notice, but not the line's.
    pub fn hang_up(mut self) {
        self.session.hang_up(&mut self.outgoing);
        self.farewells.say(Farewell::new(self.stream, self.outgoing));
    }

    fn write(&mut self) {
        if self.session.is_ending() {
            return self.outgoing.clear();
        }
        let mut sent = 0;
        let result = loop {
            if sent == self.outgoing.len() {
                break Ok(());
            }
            match self.stream.write(&self.outgoing[sent..]) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.outgoing.drain(..sent);
        match result {
            Ok(()) => self.stuck = None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_for_ears(sent),
            // What the caller's side sent before it closed is still to be read.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.outgoing.clear(),
            Err(error) => self.session.end(Ending::Lost(error)),
        }
    }

    fn wait_for_ears(&mut self, sent: usize) {
        let now = Instant::now();
        let since = if sent > 0 { self.stuck.insert(now) } else { self.stuck.get_or_insert(now) };
        if now.saturating_duration_since(*since) > DEAF {
            self.session.end(Ending::Deaf);
        }
    }
}

/// Reads what is there, in bounds; the UUID, if it is in it.
pub(super) fn read(stream: &mut TcpStream, session: &mut Session) -> Option<Uuid> {
    let (mut piece, mut all, mut named) = ([0; PIECE], 0, None);
    while all < MOST_AT_ONCE && !session.is_ending() {
        match stream.read(&mut piece) {
            Ok(0) => session.end(Ending::Closed),
            Ok(count) => {
                named = session.receive(&piece[..count]).or(named);
                all += count;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Asterisk closes with sound of ours unread, which is a reset.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => session.end(Ending::Closed),
            Err(error) => session.end(Ending::Lost(error)),
        }
    }
    named
}
