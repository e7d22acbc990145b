//! Programs of the operator's own, given by a command line with placeholders. No shell is involved, so that nothing that is filled
//! in can be mistaken for a command.
//!
//! A program, and all that it starts, has a process group of its own, so that one that takes too long ends with its children.
//! Ctrl-C does not reach them there: whoever runs programs lets [`exit_with_all`] see to it.

use std::io::{self, Read, Write as _};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How often a program is asked whether it is done: a short run is not made long by it.
const LOOK: Duration = Duration::from_millis(2);
/// Most bytes that a program may say: a WAV file of ten minutes is less.
const MOST_SAID: usize = 1 << 26;
/// Most of a program's complaint that is told, in characters, and that is kept, in bytes.
const MOST_WORDS: usize = 300;
const MOST_KEPT: usize = 4 * MOST_WORDS;

/// Whether this process is about to end.
static IS_ENDING: AtomicBool = AtomicBool::new(false);
/// Read by who runs a program, written by who ends them all.
static AT_WORK: RwLock<()> = RwLock::new(());

/// A program and its arguments, perhaps with placeholders such as `{file}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine(Vec<String>);

/// Why a program gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It does not start.
    #[error("cannot start {program:?} ({why}): install it, or give its path")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        why: String,
    },
    /// It failed.
    #[error("the program ended with {status}{said}")]
    Failed {
        /// How it ended.
        status: String,
        /// What it said on standard error, for the end of a sentence.
        said: String,
    },
    /// It takes too long.
    #[error("the program was stopped after {} s", .0.as_secs())]
    TooSlow(Duration),
    /// It says more than anybody needs.
    #[error("the program was stopped: it said more than {} MiB", MOST_SAID >> 20)]
    TooMuch,
    /// This process ends.
    #[error("the program was stopped, as this one is")]
    Ending,
}

/// Held by who runs a program until what it was given is removed. Where this process is about to end nobody gets on from there,
/// to tell of a program that failed, or to end with another code.
pub(crate) struct AtWork(Option<RwLockReadGuard<'static, ()>>);

pub(crate) fn at_work() -> AtWork {
    AtWork(Some(AT_WORK.read().unwrap_or_else(PoisonError::into_inner)))
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0 = None;
        while IS_ENDING.load(Ordering::Relaxed) {
            thread::park();
        }
    }
}

/// Ends this process, with the programs at work and what they have started, once what they were given is removed.
pub fn exit_with_all(code: i32) -> ! {
    IS_ENDING.store(true, Ordering::Relaxed);
    let _no_other_begins = AT_WORK.write();
    process::exit(code)
}

impl CommandLine {
    /// Words of a command line; single and double quotes keep spaces. `None` if a quote is open, or there is no word.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for character in line.chars() {
            match (quote, character) {
                (Some(open), _) if character == open => quote = None,
                (None, '"' | '\'') => {
                    quote = Some(character);
                    word.get_or_insert_default();
                }
                (None, character) if character.is_whitespace() => words.extend(word.take()),
                (_, character) => word.get_or_insert_default().push(character),
            }
        }
        words.extend(word);
        (quote.is_none() && !words.is_empty()).then_some(Self(words))
    }

    /// Its words, placeholders and all.
    pub(crate) fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether a placeholder stands in it.
    pub(crate) fn has(&self, placeholder: &str) -> bool {
        self.0.iter().any(|word| word.contains(placeholder))
    }

    /// Runs it with each word filled in, gives it `input`, and waits for all that it says on its standard output.
    ///
    /// # Errors
    /// [`ProgramError`]; a program that takes longer than `patience`, or leaves its output open to others for longer, is ended
    /// with all that it has started.
    pub(crate) fn run(
        &self,
        fill: impl Fn(&str) -> String,
        input: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, ProgramError> {
        let words: Vec<String> = self.0.iter().map(|word| fill(word)).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let started = command.spawn();
        let mut child =
            started.map_err(|error| ProgramError::Start { program: words[0].clone(), why: error.to_string() })?;
        let said = finish(&mut child, input, patience);
        if said.is_err() {
            end(&mut child);
        }
        said
    }
}

fn finish(child: &mut Child, input: Vec<u8>, patience: Duration) -> Result<Vec<u8>, ProgramError> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A program that ends without reading its input closes the pipe: its exit code says more than that.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let said = listen(stdout, MOST_SAID + 1, false);
    let complaint = listen(stderr, MOST_KEPT, true);
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            _ if IS_ENDING.load(Ordering::Relaxed) => return Err(ProgramError::Ending),
            Ok(None) if begun.elapsed() < patience => thread::sleep(LOOK),
            _ => return Err(ProgramError::TooSlow(patience)),
        }
    };
    if !status.success() {
        end(child); // what it has left running may hold its output open
    }
    let Some(said) = wait_for(&said, begun, patience)? else { return Err(ProgramError::TooSlow(patience)) };
    if said.len() > MOST_SAID {
        return Err(ProgramError::TooMuch);
    }
    if status.success() {
        return Ok(said);
    }
    let complaint = wait_for(&complaint, begun, patience)?.unwrap_or_default();
    let words = String::from_utf8_lossy(&complaint);
    let words: String = legible(words.trim()).chars().take(MOST_WORDS).collect();
    let said = if words.is_empty() { words } else { format!(", saying: {words}") };
    Err(ProgramError::Failed { status: status.to_string(), said })
}

/// What was heard, once nobody holds the other end any more; `None` if somebody does for too long.
fn wait_for(heard: &Receiver<Vec<u8>>, begun: Instant, patience: Duration) -> Result<Option<Vec<u8>>, ProgramError> {
    loop {
        if let Ok(heard) = heard.recv_timeout(LOOK) {
            return Ok(Some(heard));
        }
        if IS_ENDING.load(Ordering::Relaxed) {
            return Err(ProgramError::Ending);
        }
        if begun.elapsed() >= patience {
            return Ok(None);
        }
    }
}

/// Ends a program and all that it has started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    let _ = rustix::process::kill_process_group(rustix::process::Pid::from_child(child), rustix::process::Signal::KILL);
    let _ = child.kill();
    let _ = child.wait();
}

/// Hears the first bytes of a stream beside the program's work: a pipe that nobody empties stops it. Of what is longer the rest
/// is passed over, or else the pipe is closed.
fn listen(stream: Option<impl Read + Send + 'static>, most: usize, passes_over: bool) -> Receiver<Vec<u8>> {
    let (heard, told) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(most as u64).read_to_end(&mut bytes);
            if passes_over {
                let _ = io::copy(&mut stream, &mut io::sink());
            }
        }
        heard.send(bytes)
    });
    told
}

/// Words of a program as they may be shown, in one line: what would steer a terminal is written out.
pub(crate) fn legible(words: &str) -> String {
    let mut shown = String::new();
    for character in words.chars() {
        match character {
            _ if character.is_whitespace() => shown.push(' '),
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks_and_quotes_keep_them() {
        let words = |line: &str| CommandLine::parse(line).map(|line| line.0);
        assert_eq!(words(" a  'b c' \"d'e\"f ''").unwrap(), ["a", "b c", "d'ef", ""]);
        assert_eq!((words("a 'b"), words(" ")), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_reads_says_fails_and_is_stopped() {
        let run = |line: &str, patience: u64| {
            let line = CommandLine::parse(line).unwrap();
            line.run(|word| word.replace("{x}", "a; b"), vec![b'z'; 1 << 20], Duration::from_millis(patience))
        };
        assert_eq!(run("wc -c", 60_000).unwrap().trim_ascii(), b"1048576");
        assert_eq!(run("echo {x}", 60_000).unwrap(), b"a; b\n", "it does not read its input");
        let failed = run("sh -c 'echo why >&2; exit 3'", 60_000).unwrap_err().to_string();
        assert!(failed.contains("exit status: 3, saying: why"), "{failed}");
        assert!(matches!(run("sleep 60", 50), Err(ProgramError::TooSlow(_))));
        assert!(matches!(run("no-such-program-here", 50), Err(ProgramError::Start { .. })));
        let failed = run("sh -c 'printf \"\\\\033[2J\" >&2; exit 1'", 60_000).unwrap_err().to_string();
        assert!(failed.ends_with("saying: \\u{1b}[2J"), "a terminal is not steered: {failed}");
        assert_eq!(run("sh -c 'head -c 5000000 /dev/zero >&2; echo 1'", 60_000).unwrap(), b"1\n");
        assert_eq!(run("cat /dev/zero", 60_000), Err(ProgramError::TooMuch));
    }

    /// Children that kept the program's output open were waited for, for ever, and those of a program that was stopped went on.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_program_has_started_does_not_outlive_it_if_it_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        for (last, is_slow) in [("echo 1", true), ("exit 1", false), ("wait", true)] {
            let noted = folder.path().join(last);
            let line = format!("sh -c 'sleep 600 & echo $! >\"$0\"; {last}' '{}'", noted.display());
            let line = CommandLine::parse(&line).unwrap();
            let stopped = line.run(str::to_owned, Vec::new(), Duration::from_secs(2));
            assert_eq!(matches!(stopped, Err(ProgramError::TooSlow(_))), is_slow, "{last}: {stopped:?}");
            assert_eq!(matches!(stopped, Err(ProgramError::Failed { .. })), !is_slow, "{last}: {stopped:?}");
            let number = std::fs::read_to_string(noted).unwrap();
            // What has ended has no command line, as long as it is there at all.
            let command_line = format!("/proc/{}/cmdline", number.trim());
            while std::fs::read(&command_line).is_ok_and(|words| !words.is_empty()) {
                thread::sleep(LOOK);
            }
        }
    }
}
