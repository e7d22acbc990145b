//! `tonopago run` whose standard error can't be written, or is read by nobody any more: calls go on, and it stops when told to.

use std::fs::OpenOptions;
use std::io::{self, PipeWriter, Write as _};

use rustix::fs::{OFlags, fcntl_setfl};

use crate::asterisk::Channel;
use crate::harness::Folder;
use crate::running_box::RunningBox;

const CONFIG: &str = "version: 1
lines: { pbx: { audio_socket: { listen: \"127.0.0.1:0\", calls: 2 } } }
services: { demo: demo }
status: { listen: \"127.0.0.1:0\" }
timing: { stop_within: 0s }
";

/// Is called by somebody who hears something, and stops.
fn lives_and_dies(running: RunningBox) {
    let address = running.audio_socket.clone().expect("it listens");
    let mut caller = Channel::dial(&address, 0xa1);
    caller.until(|caller| caller.said.iter().any(|sample| *sample != 0));
    assert_eq!(running.stop(), Some(0));
}

/// It ended at the first line, and in its life at the next one, calls and charges with it.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_for_the_log() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    lives_and_dies(RunningBox::logging_to(&Folder::new(), CONFIG, full));
}

/// So it did where whoever read its log had ended.
#[test]
fn a_reader_of_the_log_that_has_gone() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    lives_and_dies(RunningBox::logging_to(&Folder::new(), CONFIG, writer));
}

/// Lines stood still in the middle of a call, and a stop was not heard.
#[test]
fn a_reader_of_the_log_that_stands_still() {
    let (reader, writer) = io::pipe().unwrap();
    let running = RunningBox::logging_to(&Folder::new(), CONFIG, writer.try_clone().unwrap());
    fill(writer);
    lives_and_dies(running);
    drop(reader);
}

/// Leaves no room in a pipe for a single byte.
fn fill(mut pipe: PipeWriter) {
    fcntl_setfl(&pipe, OFlags::NONBLOCK).unwrap();
    for piece in [&[b'.'; 4096][..], b"."] {
        while pipe.write(piece).is_ok() {}
    }
    fcntl_setfl(&pipe, OFlags::empty()).unwrap();
}
