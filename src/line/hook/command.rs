//! The operator's own program as a hook.
//!
//! It is started with the line and kept running. One line of text at a time: the box writes `answer` and `hangup` to its
//! standard input; it writes `ring` for each ring, or `ringing on` and `ringing off` as the bell goes, and `gone` where it
//! knows that the caller has hung up. A hook flash is `hangup` and, as soon as the flash is over, `answer`. Its standard error
//! goes to the box's. It is stopped by closing its standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::{Hook, HookError, Signals};

/// A line `ring` counts as ringing for so many polls of 10 ms.
const RING_POLLS: u32 = 50;
/// How long the program has to end after its input was closed.
const PATIENCE: Duration = Duration::from_millis(500);
const CURE: &str = "run it by hand and see whether it answers `answer` and `hangup` and stays";

/// A running program.
pub(super) struct CommandHook {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Said>,
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
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(program, error))?;
        let heard = Arc::new(Said::default());
        if let Some(output) = child.stdout.take() {
            let heard = Arc::clone(&heard);
            let listen = move || listen(output, &heard);
            std::thread::Builder::new()
                .name("hook".to_owned())
                .spawn(listen)
                .map_err(|error| failed(program, error))?;
        }
        let input = child.stdin.take();
        Ok(Self { name: program.clone(), child, input, heard })
    }
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
            return Err(failed(&self.name, "it has ended"));
        }
        let polls = self.heard.ring_polls.load(Ordering::Relaxed);
        self.heard.ring_polls.store(polls.saturating_sub(1), Ordering::Relaxed);
        let ringing = polls > 0 || self.heard.ringing.load(Ordering::Relaxed);
        Ok(Signals { ringing, gone: self.heard.gone.swap(false, Ordering::Relaxed), ..Signals::default() })
    }

    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError> {
        let word: &[u8] = if off_hook { b"answer\n" } else { b"hangup\n" };
        let Some(input) = &mut self.input else { return Ok(()) };
        input.write_all(word).and_then(|()| input.flush()).map_err(|error| failed(&self.name, error))
    }
}

impl Drop for CommandHook {
    fn drop(&mut self) {
        drop(self.input.take());
        for _ in 0..PATIENCE.as_millis() / 10 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It did not end by itself; whatever it holds is the system's to close.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
        assert!(CommandHook::start(&["/no/such/program".to_owned()]).is_err());
        assert!(CommandHook::start(&[]).is_err());
    }
}
