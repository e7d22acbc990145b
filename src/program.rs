//! Programs of the operator's own, given by a command line with placeholders. No shell is involved, so that nothing that is filled
//! in can be mistaken for a command.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a program is asked whether it is done: a short run is not made long by it.
const LOOK: Duration = Duration::from_millis(2);
/// Most of a program's complaint that is told.
const MOST_WORDS: usize = 300;

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
    /// [`ProgramError`]; a program that takes longer than `patience` is ended.
    pub(crate) fn run(
        &self,
        fill: impl Fn(&str) -> String,
        input: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, ProgramError> {
        let words: Vec<String> = self.0.iter().map(|word| fill(word)).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = command.spawn();
        let child =
            started.map_err(|error| ProgramError::Start { program: words[0].clone(), why: error.to_string() })?;
        finish(child, input, patience)
    }
}

fn finish(mut child: Child, input: Vec<u8>, patience: Duration) -> Result<Vec<u8>, ProgramError> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A program that ends without reading its input closes the pipe: its exit code says more than that.
    let feed = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (said, complaint) = (read_all(stdout), read_all(stderr));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < patience => thread::sleep(LOOK),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(ProgramError::TooSlow(patience));
            }
        }
    };
    let _ = feed.join();
    let (said, complaint) = (said.join().unwrap_or_default(), complaint.join().unwrap_or_default());
    if status.success() {
        return Ok(said);
    }
    let words: String = String::from_utf8_lossy(&complaint).trim().chars().take(MOST_WORDS).collect();
    let said = if words.is_empty() { words } else { format!(", saying: {words}") };
    Err(ProgramError::Failed { status: status.to_string(), said })
}

/// Reads a stream to its end beside the program's work: a pipe that nobody empties stops it.
fn read_all(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _: Option<io::Result<usize>> = stream.map(|mut stream| stream.read_to_end(&mut bytes));
        bytes
    })
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
    }
}
