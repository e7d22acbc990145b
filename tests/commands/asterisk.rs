//! A stand-in for Asterisk: speaks AudioSocket as it does, 20 ms of sound every 20 ms, and reads what is said.

#![expect(clippy::panic, reason = "a test")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use tonopago::dtmf::{Digit, GeneratorConfig, generate};

const FRAME: usize = 160;
const FRAME_SPAN: Duration = Duration::from_millis(20);
/// Sent so long before it is due, so that a busy machine leaves no gaps in keys.
const AHEAD: Duration = Duration::from_millis(140);

/// A channel in the `AudioSocket` application.
pub(crate) struct Channel {
    stream: TcpStream,
    due: Instant,
    /// Sound to be sent before silence is.
    to_send: Vec<f32>,
    unread: Vec<u8>,
    /// All samples that were said to the caller.
    pub(crate) said: Vec<i16>,
    /// The hang-up frame has come; the connection is closed.
    pub(crate) hung_up: bool,
    pub(crate) closed: bool,
}

impl Channel {
    /// Connects and tells the UUID, 16 times this byte.
    pub(crate) fn dial(address: &str, uuid: u8) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&[&[1, 0, 16][..], &[uuid; 16]].concat()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let (due, to_send, unread) = (Instant::now(), Vec::new(), Vec::new());
        Self { stream, due, to_send, unread, said: Vec::new(), hung_up: false, closed: false }
    }

    /// Presses keys that are heard, of 80 ms with pauses of 80 ms.
    pub(crate) fn keys(&mut self, keys: &str) {
        let digits: Vec<Digit> = keys.chars().filter_map(Digit::from_char).collect();
        self.to_send.extend(generate(&digits, &GeneratorConfig::default().timing(80.0, 80.0)).unwrap());
    }

    /// Presses keys that the far end takes out of the sound and tells of.
    pub(crate) fn told_keys(&mut self, keys: &str) {
        for key in keys.bytes() {
            self.send(&[3, 0, 1, key]);
        }
    }

    /// Goes on until all sound was sent and this is so.
    pub(crate) fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !self.to_send.is_empty() || !done(self) {
            assert!(since.elapsed() < crate::running_box::PATIENCE, "it does not come");
            self.go_on();
        }
    }

    /// Sends what is due and reads what is there.
    pub(crate) fn go_on(&mut self) {
        while !self.closed && self.due <= Instant::now() + AHEAD {
            let count = FRAME.min(self.to_send.len());
            let mut frame: Vec<f32> = self.to_send.drain(..count).collect();
            frame.resize(FRAME, 0.0);
            let samples = frame.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes());
            let bytes: Vec<u8> = [0x10, 1, 64].into_iter().chain(samples).collect();
            self.send(&bytes);
            self.due += FRAME_SPAN;
        }
        self.read();
        thread::sleep(Duration::from_millis(5));
    }

    /// The box reads all the time, and what it leaves the system takes: a frame is never sent in part.
    fn send(&mut self, bytes: &[u8]) {
        if !self.hung_up && self.stream.write_all(bytes).is_err() {
            self.closed = true;
        }
    }

    fn read(&mut self) {
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    self.unread.extend_from_slice(&piece[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.closed = true,
            }
            break;
        }
        while let Some(&[kind, high, low]) = self.unread.get(..3) {
            let end = 3 + usize::from(u16::from_be_bytes([high, low]));
            let Some(payload) = self.unread.get(3..end) else { break };
            match kind {
                0x00 => self.hung_up = true,
                0x10 => self.said.extend(payload.chunks(2).map(|pair| i16::from_le_bytes(pair.try_into().unwrap()))),
                other => panic!("Asterisk would end the connection at a frame of kind {other:#x}"),
            }
            self.unread.drain(..end);
        }
    }
}
