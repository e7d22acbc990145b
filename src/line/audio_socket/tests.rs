//! The listener on real sockets, with a far side that does as it likes.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::frame::FRAME;
use super::*;
use crate::line::attendant::STEP;

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    listener: Listener,
    told: Receiver<String>,
}

impl Bench {
    fn new(calls: usize, from: Vec<IpAddr>) -> Self {
        let (tell, told) = channel();
        let config = ListenerConfig { listen: (Ipv4Addr::LOCALHOST, 0).into(), calls, from };
        let tell = Box::new(move |incident: Incident| tell.send(incident.to_string()).unwrap());
        Self { listener: Listener::start(&config, tell).unwrap(), told }
    }

    fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.listener.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    fn told(&self) -> String {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// A line takes the next call.
    fn take(&self) -> Connection {
        let calls = self.listener.calls();
        (0..1000).find_map(|_| calls.next(Duration::from_millis(60)).unwrap()).expect("a call")
    }
}

fn uuid(name: u8) -> Vec<u8> {
    [&[1, 0, 16][..], &[name; 16]].concat()
}

/// All that comes until the other side is done.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Steps until the far side's end is heard.
fn ending(call: &mut Connection) -> String {
    let mut block = [0.0; STEP];
    for _ in 0..6000 {
        call.hear(&mut block);
        if let Some(ending) = call.ending() {
            return ending.to_string();
        }
    }
    panic!("it did not end");
}

#[test]
fn what_is_no_call_is_closed_and_told_of_and_calls_go_on() {
    let bench = Bench::new(1, Vec::new());
    let garbage = bench.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let told = bench.told();
    assert!(told.starts_with("a connection from 127.0.0.1 was closed: the first frame is of kind 0x47"), "{told}");
    drop(garbage);
    drop(bench.connect(b"")); // somebody looks whether the port is open: nothing to tell
    let silent = bench.connect(&uuid(1)[..7]);
    assert_eq!(bench.told(), "a connection from 127.0.0.1 was closed: no UUID came within 2 s");
    assert!(rest(silent).is_empty());
    let _stream = bench.connect(&uuid(2));
    assert_eq!(bench.take().uuid().to_string(), "02020202-0202-0202-0202-020202020202");
}

#[test]
fn only_those_who_may_call_do() {
    let bench = Bench::new(1, vec![[192, 0, 2, 1].into()]);
    let _stream = bench.connect(&uuid(1));
    assert_eq!(bench.told(), "a connection from 127.0.0.1, which is not among those that may call, was closed");
    let bench = Bench::new(1, vec![Ipv4Addr::LOCALHOST.into()]);
    let _stream = bench.connect(&uuid(1));
    bench.take();
}

#[test]
fn one_call_too_many_is_told_so_and_the_next_is_taken_when_one_is_over() {
    let bench = Bench::new(2, Vec::new());
    let (one, _two) = (bench.connect(&uuid(1)), bench.connect(&uuid(2)));
    let (first, second) = (bench.take(), bench.take());
    assert_eq!(rest(bench.connect(&uuid(3))), [0, 0, 0]);
    assert_eq!(bench.told(), "all 2 lines are taken: call 03030303-0303-0303-0303-030303030303 was turned away");
    first.hang_up();
    assert_eq!(rest(one), [0, 0, 0], "a word of goodbye, although nobody read what the caller sent");
    let _four = bench.connect(&uuid(4));
    assert_eq!(bench.take().uuid().0, [4; 16]);
    drop(second);
}

#[test]
fn after_closing_calls_are_turned_away_and_those_taken_go_on() {
    let bench = Bench::new(2, Vec::new());
    let one = bench.connect(&uuid(1));
    let mut call = bench.take();
    bench.listener.calls().close();
    assert_eq!(rest(bench.connect(&uuid(2))), [0, 0, 0]);
    call.say(&[0.5; FRAME]);
    call.hang_up();
    let said = rest(one);
    assert_eq!((said.len(), &said[..3], &said[323..]), (326, &[0x10, 1, 64][..], &[0, 0, 0][..]));
}

#[test]
fn the_far_side_hangs_up_in_any_way() {
    let bench = Bench::new(1, Vec::new());
    for (bytes, expected) in [
        (&[][..], "the caller hung up"),
        (&[0, 0, 0], "the caller hung up"),
        (&[0xff, 0, 1, 4], "Asterisk ended the call with an error: it has no memory left"),
        (&[0xff, 0, 1, 9], "Asterisk ended the call with an error of an unknown kind, 9"),
        (&[0x10, 0, 3, 1, 2, 3], "a frame of kind 0x10 has 3 bytes, where two for each sample are due"),
        (&[1, 0, 16, 0, 0], "a second UUID came"),
    ] {
        let stream = bench.connect(&[&uuid(1), bytes].concat());
        let mut call = bench.take();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ending(&mut call), expected);
        call.hang_up();
    }
}

/// What went wrong elsewhere: a reader that stands still stops the writer, and with it the call.
#[test]
fn a_far_side_that_reads_nothing_gets_less_and_holds_up_nobody() {
    let bench = Bench::new(1, Vec::new());
    let stream = bench.connect(&uuid(1));
    let mut call = bench.take();
    // However much the system takes for it.
    for _ in 0..100_000 {
        call.say(&[0.5; FRAME]);
    }
    let skipped = call.skipped() as usize;
    assert!(skipped > 0);
    call.hang_up();
    let said = rest(stream);
    let (frames, end) = said.as_chunks::<{ 3 + 2 * FRAME }>();
    assert_eq!((frames.len() + skipped / FRAME, end), (100_000, &[0, 0, 0][..]), "whole frames, and the end");
    assert!(frames.iter().all(|frame| *frame == frames[0]));
}

#[test]
fn lines_learn_that_nobody_listens_any_more() {
    let bench = Bench::new(1, Vec::new());
    let calls = bench.listener.calls();
    drop(bench);
    assert_eq!(calls.next(PATIENCE).err(), Some(NobodyListens));
}
