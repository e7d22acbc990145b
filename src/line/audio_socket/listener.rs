//! Takes connections, learns who they are, and hands them to free lines.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::connection::{Connection, read};
use super::farewell::{Farewell, Farewells};
use super::frame::{Uuid, write_hang_up};
use super::session::{Ending, Session};

/// Between two looks at what has come.
const LOOK: Duration = Duration::from_millis(10);
/// A connection has so long to tell its UUID; Asterisk tells it at once.
const HELLO: Duration = Duration::from_secs(2);
/// Bytes of ours that the system may hold for a far side that does not take them: a quarter of a second with what it needs
/// itself. Much more, and a caller who interrupts goes on hearing what was said before.
#[cfg(unix)]
const HELD_BY_SYSTEM: usize = 8192;
/// Connections without UUID at once; more wait in the system.
const MOST_STRANGERS: usize = 32;

/// Where calls come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Calls at once, at least 1.
    pub calls: usize,
    /// Who may connect; nobody is named: whoever reaches the address.
    pub from: Vec<IpAddr>,
}

/// Something that came in and became no call.
#[derive(Debug, thiserror::Error)]
pub enum Incident {
    /// All lines are taken.
    #[error("all {calls} lines are taken: call {uuid} was turned away")]
    Busy {
        /// The call.
        uuid: Uuid,
        /// How many lines there are.
        calls: usize,
    },
    /// The address may not connect.
    #[error("a connection from {0}, which is not among those that may call, was closed")]
    Stranger(IpAddr),
    /// What came was no AudioSocket.
    #[error("a connection from {from} was closed: {why}")]
    Broken {
        /// Whose.
        from: IpAddr,
        /// What was wrong.
        why: Ending,
    },
    /// Nothing came.
    #[error("a connection from {0} was closed: no UUID came within {limit} s", limit = HELLO.as_secs())]
    Silent(IpAddr),
    /// The system gives no connections.
    #[error("connections can't be taken: {0}")]
    System(io::Error),
}

/// Told of each incident, on the listener's thread.
pub type Tell = Box<dyn FnMut(Incident) + Send>;

/// A listening socket and its thread, which ends when the value is dropped.
pub struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    waiting: Receiver<Connection>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// No call is taken any more.
    closed: AtomicBool,
    stopped: AtomicBool,
    /// Calls that wait for a line or have one.
    taken: Arc<AtomicUsize>,
}

/// A call's place among those there may be at once, for as long as it lives.
pub(super) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the address is not this machine's, or not free.
    pub fn start(config: &ListenerConfig, tell: Tell) -> io::Result<Self> {
        let socket = TcpListener::bind(config.listen)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (hand_over, waiting) = bounded(config.calls);
        let (farewells, closing) = Farewells::new();
        let door = Door {
            socket,
            config: config.clone(),
            shared: Arc::clone(&shared),
            strangers: Vec::new(),
            hand_over,
            waiting: waiting.clone(),
            farewells,
            leaving: Vec::new(),
            tell,
        };
        let thread = thread::Builder::new().name("audiosocket".to_owned()).spawn(move || door.run(&closing))?;
        Ok(Self { address, shared, waiting, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the thread has ended, which it does by a bug only.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Where a line gets its calls.
    pub fn calls(&self) -> Calls {
        Calls { waiting: self.waiting.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in it has been reported by its own thread
        }
    }
}

/// Where a line gets its calls.
#[derive(Clone)]
pub struct Calls {
    waiting: Receiver<Connection>,
    shared: Arc<Shared>,
}

impl Calls {
    /// Waits for a call, but not for longer than this.
    ///
    /// # Errors
    /// If nobody listens any more.
    pub fn next(&self, patience: Duration) -> Result<Option<Connection>, NobodyListens> {
        if self.shared.closed.load(Ordering::Acquire) {
            thread::sleep(patience);
            return Ok(None);
        }
        match self.waiting.recv_timeout(patience) {
            Ok(connection) => Ok(Some(connection.taken())),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(NobodyListens),
        }
    }

    /// No call is taken any more, by no line: further ones are turned away as if all lines were taken.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// The listener's thread has ended, by a bug or because the listener was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody listens for calls any more")]
pub struct NobodyListens;

/// The listener's thread, inside.
struct Door {
    socket: TcpListener,
    config: ListenerConfig,
    shared: Arc<Shared>,
    strangers: Vec<Stranger>,
    hand_over: Sender<Connection>,
    waiting: Receiver<Connection>,
    farewells: Farewells,
    leaving: Vec<Farewell>,
    tell: Tell,
}

/// A connection that has not said who it is.
struct Stranger {
    stream: TcpStream,
    session: Session,
    from: IpAddr,
    since: Instant,
}

/// Makes a socket one for sound.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    #[cfg(unix)]
    rustix::net::sockopt::set_socket_send_buffer_size(stream, HELD_BY_SYSTEM)?;
    Ok(())
}

impl Door {
    fn run(mut self, closing: &Receiver<Farewell>) {
        while !self.shared.stopped.load(Ordering::Acquire) {
            self.accept();
            self.greet();
            if self.shared.closed.load(Ordering::Acquire) {
                // Handed over, and no line takes them any more.
                self.waiting.try_iter().for_each(Connection::hang_up);
            }
            self.leaving.extend(closing.try_iter());
            self.leaving.retain_mut(|farewell| !farewell.go_on());
            thread::sleep(LOOK);
        }
        // The last ones are told, too, if they can be told at once.
        self.waiting.try_iter().for_each(Connection::hang_up);
        self.leaving.extend(closing.try_iter());
        self.leaving.retain_mut(|farewell| !farewell.go_on());
    }

    fn accept(&mut self) {
        while self.strangers.len() < MOST_STRANGERS {
            let (stream, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return (self.tell)(Incident::System(error)),
            };
            let from = peer.ip().to_canonical();
            if !self.config.from.is_empty() && !self.config.from.contains(&from) {
                (self.tell)(Incident::Stranger(from));
            } else if let Err(error) = prepare(&stream) {
                (self.tell)(Incident::System(error));
            } else {
                self.strangers.push(Stranger { stream, session: Session::new(), from, since: Instant::now() });
            }
        }
    }

    /// Lets everyone say who they are, and does away with those who won't.
    fn greet(&mut self) {
        for mut stranger in std::mem::take(&mut self.strangers) {
            match read(&mut stranger.stream, &mut stranger.session) {
                Some(uuid) => self.hand_over(uuid, stranger),
                None if stranger.session.is_ending() => self.dismiss(stranger),
                None if stranger.since.elapsed() > HELLO => (self.tell)(Incident::Silent(stranger.from)),
                None => self.strangers.push(stranger),
            }
        }
    }

    /// Who closes without a word looked whether somebody listens.
    fn dismiss(&mut self, stranger: Stranger) {
        match stranger.session.into_ending() {
            Some(why) if !why.is_regular() => (self.tell)(Incident::Broken { from: stranger.from, why }),
            _ => tracing::debug!(from = %stranger.from, "a connection came and went"),
        }
    }

    fn hand_over(&mut self, uuid: Uuid, stranger: Stranger) {
        let calls = self.config.calls;
        let is_closed = self.shared.closed.load(Ordering::Acquire);
        // Only this thread adds to it.
        if is_closed || self.shared.taken.load(Ordering::Acquire) >= calls {
            let mut rest = Vec::new();
            write_hang_up(&mut rest);
            self.farewells.say(Farewell::new(stranger.stream, rest));
            return if is_closed {
                tracing::info!(%uuid, "a call was turned away: the box stops")
            } else {
                (self.tell)(Incident::Busy { uuid, calls })
            };
        }
        self.shared.taken.fetch_add(1, Ordering::AcqRel);
        let seat = Seat(Arc::clone(&self.shared.taken));
        let connection = Connection::new(uuid, stranger.stream, stranger.session, self.farewells.clone(), seat);
        // There is room for as many as there are seats.
        let _ = self.hand_over.try_send(connection);
    }
}
