//! Many recordings at once, told in the order they were named.

use std::io;
use std::ops::ControlFlow;
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
        let queue = Mutex::new(Queue { rest: inputs.iter(), turns });
        thread::scope(|scope| {
            // Owned here, so that an early end is noticed by the workers: nobody listens any more.
            let files = files;
            for _ in 0..jobs {
                scope.spawn(|| self.work(&queue));
            }
            for input in inputs {
                // A worker that died of a panic leaves its file untold; the panic goes on when the scope ends.
                let Ok(items) = files.recv() else { break };
                let items: Receiver<Item> = items;
                items.into_iter().try_for_each(|item| on_item(input, item))?;
            }
            Ok(())
        })
    }

    fn work(&self, queue: &Mutex<Queue<'_>>) {
        while let Some((input, items)) = queue.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let last = match self.decode_one(input, &items) {
                Ok(summary) => Item::Done(summary),
                Err(error) => Item::Failed(error),
            };
            if items.send(last).is_err() {
                return;
            }
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

/// The files not yet taken, and where each taken file's items will come from.
struct Queue<'a> {
    rest: std::slice::Iter<'a, Input>,
    turns: Sender<Receiver<Item>>,
}

impl<'a> Queue<'a> {
    /// Takes the next file and its turn in one step. Waits while too many files are ahead of the one being told.
    fn take(&mut self) -> Option<(&'a Input, Sender<Item>)> {
        let input = self.rest.next()?;
        let (sender, receiver) = bounded(ENTRIES_AHEAD);
        self.turns.send(receiver).ok()?;
        Some((input, sender))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav::{Encoding, WavForm, WavWriter};
    use crate::dtmf::{Digit, GeneratorConfig, generate};
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
        assert_eq!(batch(3).run(&inputs, |_, _| Err("closed")), Err("closed"));
        assert_eq!(batch(3).run(&[], |_, _| Err("closed")), Ok(()));
    }
}
