//! Many recordings at once, told in the order they were named.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{DecodeError, Entry, Input, Options, Summary, decode};
use crate::audio::{AudioError, Opener, Recording};

/// Entries a file may be ahead of its turn; then its worker waits, and memory stays bounded.
const ENTRIES_AHEAD: usize = 256;
/// Files a worker may be ahead of the one whose turn it is.
const FILES_AHEAD: usize = 4;

/// One thing learnt of a recording.
#[derive(Debug)]
pub enum Item {
    /// A digit or near miss.
    Entry(Entry),
    /// It is decoded: the last item of a file.
    Done(Summary),
    /// It could not be decoded (further): the last item of a file.
    Failed(DecodeError),
}

/// How the decoding of a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it was decoded.
    Decoded,
    /// What there is of it was decoded, and something is wrong with it.
    Warning,
    /// It holds sound that could not be decoded.
    Partial,
    /// Nothing of it was decoded.
    Failed,
}

impl Ending {
    /// The word for it in JSON lines and CSV.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decoded => "decoded",
            Self::Warning => "warning",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// Whether sound is there that could not be decoded.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Partial | Self::Failed)
    }
}

impl Item {
    /// How the recording ended, if this is its last item.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Entry(_) => None,
            Self::Done(summary) => Some(match &summary.warning {
                None => Ending::Decoded,
                Some(warning) if warning.is_failure() => Ending::Partial,
                Some(_) => Ending::Warning,
            }),
            Self::Failed(DecodeError::Interrupted { .. }) => Some(Ending::Partial),
            Self::Failed(_) => Some(Ending::Failed),
        }
    }

    /// What is known of the recording, or of its part that was decoded, if this is its last item.
    pub const fn summary(&self) -> Option<&Summary> {
        match self {
            Self::Done(summary) | Self::Failed(DecodeError::Interrupted { heard: summary, .. }) => Some(summary),
            Self::Entry(_) | Self::Failed(_) => None,
        }
    }

    /// What is wrong with the recording, in words and without its name.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Entry(_) => None,
            Self::Done(summary) => summary.warning.as_ref().map(ToString::to_string),
            Self::Failed(error) => Some(error.reason()),
        }
    }
}

/// Decodes many recordings, several at a time.
#[derive(Debug)]
pub struct Batch {
    /// What to listen for.
    pub options: Options,
    /// How to open the files.
    pub opener: Opener,
    /// Files decoded at a time; 0 counts as 1.
    pub jobs: usize,
}

impl Batch {
    /// Decodes everything; `on_item` gets each file's items as soon as the files before it are told.
    ///
    /// Threads of its own instead of a pool: workers take the files strictly in order, so the file whose turn it is always
    /// has a worker, and one that is ahead can wait for its turn without stopping the others for ever.
    ///
    /// # Errors
    /// The first error of `on_item`, which ends the batch.
    pub fn run<E>(&self, inputs: &[Input], mut on_item: impl FnMut(&Input, Item) -> Result<(), E>) -> Result<(), E> {
        let jobs = self.jobs.clamp(1, inputs.len().max(1));
        let (turns, files) = bounded(jobs * FILES_AHEAD);
        let queue = Queue { rest: Mutex::new(inputs.iter()), is_over: AtomicBool::new(false) };
        thread::scope(|scope| {
            for turns in vec![turns; jobs] {
                scope.spawn(|| self.work(&queue, turns));
            }
            let told = inputs.iter().try_for_each(|input| match files.recv() {
                Ok(items) => items.into_iter().try_for_each(|item| on_item(input, item)),
                // A worker that died of a panic leaves its file untold; the panic goes on when the scope ends.
                Err(_) => Ok(()),
            });
            queue.is_over.store(true, Ordering::Relaxed);
            // Nobody listens to what is still to come: let go of it, so that no worker waits to be heard for ever.
            files.into_iter().for_each(drop);
            told
        })
    }

    /// Takes file after file; `turns` learns where each one's items will come from.
    fn work(&self, queue: &Queue<'_>, turns: Sender<Receiver<Item>>) {
        // The queue is free while a file is decoded: its lock ends within `take`.
        while let Some((input, items)) = queue.take(&turns) {
            let last = match self.decode_one(input, &items) {
                Ok(summary) => Item::Done(summary),
                Err(error) => Item::Failed(error),
            };
            // Where nobody listens, the batch is over, and the queue says so.
            let _ = items.send(last);
        }
    }

    /// Opens one of the inputs as the batch does.
    ///
    /// # Errors
    /// If it is no recording, or can't be read.
    pub fn open(&self, input: &Input) -> Result<Recording, AudioError> {
        match input {
            Input::File(path) => self.opener.open(path),
            Input::Standard => self.opener.stream("-", io::stdin()),
        }
    }

    fn decode_one(&self, input: &Input, items: &Sender<Item>) -> Result<Summary, DecodeError> {
        let recording = self.open(input)?;
        decode(recording, &self.options, &mut |entry| match items.send(Item::Entry(entry)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    }
}

/// The files not yet taken.
struct Queue<'a> {
    rest: Mutex<std::slice::Iter<'a, Input>>,
    is_over: AtomicBool,
}

impl<'a> Queue<'a> {
    /// Takes the next file and its turn in one step. Waits while too many files are ahead of the one being told.
    fn take(&self, turns: &Sender<Receiver<Item>>) -> Option<(&'a Input, Sender<Item>)> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let input = rest.next()?;
        let (sender, receiver) = bounded(ENTRIES_AHEAD);
        turns.send(receiver).ok()?;
        Some((input, sender))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav::{Encoding, WavForm, WavWriter};
    use crate::dtmf::{Digit, GeneratorConfig, generate};
    use std::io::Write as _;
    use std::path::Path;

    fn write(folder: &Path, name: &str, digits: &str) -> Input {
        let path = folder.join(name);
        let file = io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let form = WavForm { sample_rate: 8000, channels: 1, encoding: Encoding::Pcm16 };
        let digits: Vec<Digit> = digits.chars().filter_map(Digit::from_char).collect();
        let mut writer = WavWriter::new(file, form).unwrap();
        writer.write(&[&generate(&digits, &GeneratorConfig::default()).unwrap()]).unwrap();
        writer.finish().unwrap();
        Input::File(path)
    }

    fn batch(jobs: usize) -> Batch {
        Batch { options: Options::default(), opener: Opener::new(), jobs }
    }

    #[test]
    fn files_are_told_in_order_whoever_is_done_first() {
        let folder = tempfile::tempdir().unwrap();
        // More entries than a waiting file may hold, then many short files.
        let long = "1234567890".repeat(60);
        let mut inputs = vec![write(folder.path(), "long.wav", &long), write(folder.path(), "long2.wav", &long)];
        inputs.extend((0..40_u32).map(|n| write(folder.path(), &format!("{n}.wav"), &n.to_string())));
        inputs.insert(20, Input::File(folder.path().join("missing.wav")));
        for jobs in [0, 1, 4, 64] {
            let mut told: Vec<(Input, String)> = Vec::new();
            let mut on_item = |input: &Input, item: Item| {
                if told.last().is_none_or(|(last, _)| last != input) {
                    told.push((input.clone(), String::new()));
                }
                let text = &mut told.last_mut().unwrap().1;
                match item {
                    Item::Entry(entry) => text.push(entry.digit.as_char()),
                    Item::Done(summary) => assert_eq!((summary.sample_rate, summary.channels), (8000, 1)),
                    Item::Failed(error) => text.push_str(&error.to_string()),
                }
                Ok::<(), ()>(())
            };
            batch(jobs).run(&inputs, &mut on_item).unwrap();
            assert_eq!(told.iter().map(|(input, _)| input.clone()).collect::<Vec<_>>(), inputs);
            assert_eq!((&told[0].1, &told[1].1, &*told[2].1, &*told[42].1), (&long, &long, "0", "39"));
            assert!(told[20].1.contains("missing.wav: cannot be opened"));
        }
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let long = "1234567890".repeat(60);
        let inputs: Vec<Input> = (0..12).map(|n| write(folder.path(), &format!("{n}.wav"), &long)).collect();
        // Wherever the reader goes away: at the first item, or in the midst of a file.
        for heard in [0, 1, 100, 700] {
            let mut left = heard;
            let mut on_item = |_: &Input, _: Item| {
                left -= 1;
                if left < 0 { Err("closed") } else { Ok(()) }
            };
            assert_eq!(batch(3).run(&inputs, &mut on_item), Err("closed"), "after {heard} items");
        }
        assert_eq!(batch(3).run(&[], |_, _| Err("closed")), Ok(()));
    }

    /// Two recordings in pipes: the first one's comes only once the second one is being read.
    #[cfg(unix)]
    #[test]
    fn files_are_decoded_at_the_same_time() {
        use std::os::unix::fs::OpenOptionsExt as _;
        const O_NONBLOCK: i32 = 0o4000;
        let folder = tempfile::tempdir().unwrap();
        let wav = write(folder.path(), "5.wav", "5");
        let Input::File(wav) = &wav else { unreachable!() };
        let sound = std::fs::read(wav).unwrap();
        let pipes = ["first.wav", "second.wav"].map(|name| folder.path().join(name));
        for pipe in &pipes {
            assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        let inputs = pipes.clone().map(Input::File);
        let (both_read, digits) = thread::scope(|scope| {
            let feeding = scope.spawn(|| {
                let mut open = std::fs::OpenOptions::new();
                let open = open.write(true).custom_flags(O_NONBLOCK);
                // Opening a pipe for writing fails as long as nobody reads it.
                let second_is_read = (0..500).any(|_| {
                    thread::sleep(std::time::Duration::from_millis(20));
                    open.open(&pipes[1]).is_ok_and(|mut pipe| pipe.write_all(&sound).is_ok())
                });
                for pipe in if second_is_read { &pipes[..1] } else { &pipes[..] } {
                    std::fs::write(pipe, &sound).unwrap();
                }
                second_is_read
            });
            let mut digits = String::new();
            let on_item = |_: &Input, item: Item| {
                if let Item::Entry(entry) = item {
                    digits.push(entry.digit.as_char());
                }
                Ok::<(), ()>(())
            };
            batch(2).run(&inputs, on_item).unwrap();
            (feeding.join().unwrap(), digits)
        });
        assert!(both_read, "the second recording was not opened while the first was being read");
        assert_eq!(digits, "55");
    }
}
