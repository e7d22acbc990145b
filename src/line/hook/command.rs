//! The operator's own program as a hook.
//!
//! It is started with the line and kept running. One line of text at a time: the box writes `answer` and `hangup` to its
//! standard input; it writes `ring` for each ring, or `ringing on` and `ringing off` as the bell goes, and `gone` where it
//! knows that the caller has hung up. A hook flash is `hangup` and, as soon as the flash is over, `answer`. Its standard error
//! goes to the box's. It is stopped by closing its standard input.
//!
//! The line's thread never waits for it: what it is told lies in the pipe until it reads. A program that never reads works until
//! the pipe is full, thousands of calls later; that is a failure of the hook, and the program is started again.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::{Hook, HookError, Signals};

/// A line `ring` counts as ringing for so many polls of 10 ms.
const RING_POLLS: u32 = 50;
/// How long the program has to end after its input was closed. Less than the pause before it is started again, so that no
/// two of them have one device.
const PATIENCE: Duration = Duration::from_millis(500);
const CURE: &str = "run it by hand and see whether it answers `answer` and `hangup` and stays";
/// Said alike whether its output's end is seen first or what it is told can't be written: a trouble is told of once.
const ENDED: &str = "it has ended, or closed its input or output";

/// A running program. Dropped, it is told to end, and seen to its end by a thread of its own.
pub(super) struct CommandHook {
    name: String,
    input: ChildStdin,
    heard: Arc<Said>,
    ending: Ending,
}

/// The program's end, once its input is closed.
struct Ending {
    /// Dropped when the program is to end.
    _running: Sender<Infallible>,
    thread: JoinHandle<()>,
}

/// What the program said.
#[derive(Default)]
struct Said {
    ringing: AtomicBool,
    ring_polls: AtomicU32,
    gone: AtomicBool,
    ended: AtomicBool,
}

impl CommandHook {
    pub(super) fn start(words: &[String]) -> Result<Self, HookError> {
        let (program, arguments) = words.split_first().ok_or_else(|| failed("hook", "no program is named"))?;
        let failed = |error: io::Error| failed(program, error);
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).expect("both were asked for");
        // First of all, so that the program has an end whatever else fails.
        let ending = Ending::of(child).map_err(failed)?;
        never_wait(&input).map_err(failed)?;
        let heard = Arc::new(Said::default());
        let said = Arc::clone(&heard);
        std::thread::Builder::new().name("hook".to_owned()).spawn(move || listen(output, &said)).map_err(failed)?;
        Ok(Self { name: program.clone(), input, heard, ending })
    }
}

impl Ending {
    fn of(child: Child) -> io::Result<Self> {
        let (running, stopped) = bounded(0);
        let see_to_it = move || {
            let _ = stopped.recv(); // until the other end is dropped
            end(child);
        };
        let thread = std::thread::Builder::new().name("hook-end".to_owned()).spawn(see_to_it)?;
        Ok(Self { _running: running, thread })
    }
}

/// Waits for the program, and ends it if it does not end by itself; whatever it holds is the system's to close.
fn end(mut child: Child) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Writing to the program from now on fails where it would wait. Only this end of the pipe is changed.
#[cfg(unix)]
fn never_wait(input: &ChildStdin) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    Ok(fcntl_setfl(input, fcntl_getfl(input)? | OFlags::NONBLOCK)?)
}

/// Other systems have no such pipes; a program that does not read may stop its line there.
#[cfg(not(unix))]
fn never_wait(_input: &ChildStdin) -> io::Result<()> {
    Ok(())
}

fn failed(program: &str, why: impl std::fmt::Display) -> HookError {
    HookError { device: program.to_owned(), why: why.to_string(), cure: CURE }
}

fn listen(output: ChildStdout, heard: &Said) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { break };
        match line.trim() {
            "ring" => heard.ring_polls.store(RING_POLLS, Ordering::Relaxed),
            "ringing on" => heard.ringing.store(true, Ordering::Relaxed),
            "ringing off" => heard.ringing.store(false, Ordering::Relaxed),
            "gone" => heard.gone.store(true, Ordering::Relaxed),
            other => tracing::warn!(line = other.chars().take(80).collect::<String>(), "the hook's program said"),
        }
    }
    heard.ended.store(true, Ordering::Relaxed);
}

impl Hook for CommandHook {
    fn signals(&mut self) -> Result<Signals, HookError> {
        if self.heard.ended.load(Ordering::Relaxed) {
            return Err(failed(&self.name, ENDED));
        }
        let polls = self.heard.ring_polls.load(Ordering::Relaxed);
        self.heard.ring_polls.store(polls.saturating_sub(1), Ordering::Relaxed);
        let ringing = polls > 0 || self.heard.ringing.load(Ordering::Relaxed);
        Ok(Signals { ringing, gone: self.heard.gone.swap(false, Ordering::Relaxed), ..Signals::default() })
    }

    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError> {
        let word: &[u8] = if off_hook { b"answer\n" } else { b"hangup\n" };
        // So short a word goes into a pipe whole or not at all.
        self.input.write_all(word).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => failed(&self.name, "it does not read what it is told"),
            io::ErrorKind::BrokenPipe => failed(&self.name, ENDED),
            _ => failed(&self.name, error),
        })
    }

    fn close(self: Box<Self>) {
        let Self { input, ending: Ending { _running: running, thread }, .. } = *self;
        drop((input, running));
        let _ = thread.join(); // a panic in it has been reported by its own thread
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> CommandHook {
        CommandHook::start(&["sh".to_owned(), "-c".to_owned(), text.to_owned()]).unwrap()
    }

    /// Polls until `wanted` is seen; bounded, and generous for a busy machine.
    fn poll(hook: &mut CommandHook, wanted: impl Fn(&Result<Signals, HookError>) -> bool) -> bool {
        (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            wanted(&hook.signals())
        })
    }

    #[test]
    fn a_program_rings_is_told_to_answer_and_tells_that_the_caller_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let mut hook = script(&format!(
            "echo ring; read word; echo $word > {0}; echo gone; read word; echo $word >> {0}; read rest",
            told.display()
        ));
        assert!(poll(&mut hook, |signals| signals.as_ref().is_ok_and(|signals| signals.ringing)));
        hook.set_off_hook(true).unwrap();
        assert!(poll(&mut hook, |signals| signals.as_ref().is_ok_and(|signals| signals.gone)));
        hook.set_off_hook(false).unwrap();
        assert!((0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            std::fs::read_to_string(&told).is_ok_and(|told| told == "answer\nhangup\n")
        }));
    }

    #[test]
    fn a_program_that_ends_or_is_not_there_is_an_error_with_a_cure() {
        let mut hook = script("exit 3");
        assert!(poll(&mut hook, |signals| signals.as_ref().is_err_and(|error| error.to_string().contains("by hand"))));
        assert_eq!(hook.set_off_hook(true).unwrap_err(), hook.signals().unwrap_err(), "told alike, so told once");
        assert!(CommandHook::start(&["/no/such/program".to_owned()]).is_err());
        assert!(CommandHook::start(&[]).is_err());
    }

    /// The line's thread waited in a write until the program read, which was for ever: no sound, no call, a restart.
    #[test]
    fn a_program_that_never_reads_fails_once_its_pipe_is_full() {
        let mut hook = script("exec sleep 60");
        let words = (0..100_000).take_while(|word| hook.set_off_hook(word % 2 == 0).is_ok()).count();
        assert!((100..100_000).contains(&words), "{words} words lie in the pipe");
        let error = hook.set_off_hook(false).unwrap_err().to_string();
        assert!(error.contains("does not read") && error.contains("by hand"), "{error}");
    }

    #[test]
    fn a_program_that_goes_on_without_its_input_is_ended() {
        let hook = script("exec sleep 60");
        let heard = Arc::clone(&hook.heard);
        Box::new(hook).close();
        // Its output is closed with it.
        assert!((0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            heard.ended.load(Ordering::Relaxed)
        }));
    }
}
