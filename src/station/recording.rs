//! Recordings of calls: stereo WAV (caller left, box right), card data silent, the owner's only, bounded in age and size.
//!
//! Writing is a thread's of its own, and little may wait for it: a slow or full disk costs a recording, never a call. Only
//! the end of a recording that has begun always gets through, so that none stays open.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::board::Board;
use super::call_id;
use super::config::Recording;
use crate::audio::wav::{Encoding, WavForm, WavWriter};
use crate::call::Frame;
use crate::media::SAMPLE_RATE;
use crate::payment::Fault;
use crate::private_file;

/// Pieces waiting to be written: half a minute of one call. Beyond it wait only the ends of recordings that have begun.
const WAITING: usize = 64;

/// Something for the writing thread.
enum Message {
    Begin(String),
    Frames(String, Vec<Frame>),
    End(String),
}

/// Begins recordings; cheap to clone, one for each line.
#[derive(Clone)]
pub struct CallRecorder {
    messages: Sender<Message>,
    board: Arc<Board>,
}

/// The recording of one call. Dropping it ends it, however long the disk takes.
pub struct CallRecording {
    call: String,
    recorder: CallRecorder,
    /// Whether a piece was lost, which is told once a call.
    torn: bool,
}

/// The writing thread; it ends when every [`CallRecorder`] is dropped, after writing what waits.
pub(super) struct Writing {
    pub(super) thread: JoinHandle<()>,
}

impl CallRecorder {
    /// Starts writing into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder can't be had, or no thread.
    pub(super) fn start(settings: Recording, board: Arc<Board>) -> io::Result<(Self, Writing)> {
        make_private_folder(&settings.folder)?;
        // Without a bound of its own: `give` sees to it, for all but ends.
        let (messages, waiting) = unbounded();
        let writer = Writer::new(settings, Arc::clone(&board));
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok((Self { messages, board }, Writing { thread }))
    }

    /// A call begins; `None` if too much waits for the disk to record it as well.
    pub fn begin(&self, call: &str) -> Option<CallRecording> {
        if !self.give(Message::Begin(call.to_owned())) {
            self.board.trouble("recording: the disk is too slow; a call is not recorded");
            return None;
        }
        Some(CallRecording { call: call.to_owned(), recorder: self.clone(), torn: false })
    }

    /// Hands a message over if there is room; false if it is lost. Lines that do so at once may go over by one each.
    fn give(&self, message: Message) -> bool {
        self.messages.len() < WAITING && self.messages.send(message).is_ok()
    }
}

impl CallRecording {
    /// More of the call.
    pub fn frames(&mut self, frames: Vec<Frame>) {
        if !self.recorder.give(Message::Frames(self.call.clone(), frames)) && !self.torn {
            self.torn = true;
            self.recorder.board.trouble("recording: the disk is too slow; a piece of a recording is lost");
        }
    }
}

impl Drop for CallRecording {
    fn drop(&mut self) {
        // Each begun recording has one end: no more of them wait than begins found room. Fails if the thread is gone.
        let _ = self.recorder.messages.send(Message::End(std::mem::take(&mut self.call)));
    }
}

struct Writer {
    retention: Retention,
    board: Arc<Board>,
    open: HashMap<String, WavWriter<BufWriter<File>>>,
    /// Whether old ones stay for the clock's sake, which is told once.
    holds_back: bool,
}

impl Writer {
    fn new(settings: Recording, board: Arc<Board>) -> Self {
        Self { retention: Retention(settings), board, open: HashMap::new(), holds_back: false }
    }

    fn run(mut self, waiting: &Receiver<Message>) {
        for message in waiting {
            self.take(message);
        }
        for (_, writer) in self.open.drain() {
            // The last words of a stopping box; there is nobody left to tell.
            let _ = writer.finish();
        }
    }

    fn take(&mut self, message: Message) {
        let done = match message {
            Message::Begin(call) => self.begin(&call),
            Message::Frames(call, frames) => self.write(&call, &frames),
            Message::End(call) => self.open.remove(&call).map_or(Ok(()), WavWriter::finish),
        };
        if let Err(error) = done {
            self.board.trouble(&format!("recording: {}: {error}", self.retention.0.folder.display()));
        }
    }

    fn begin(&mut self, call: &str) -> io::Result<()> {
        self.clean_up()?;
        if !self.retention.has_room() {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the disk is nearly full; this call is not recorded",
            ));
        }
        let path = self.retention.0.folder.join(format!("{call}.wav"));
        let form = WavForm { sample_rate: SAMPLE_RATE, channels: 2, encoding: Encoding::Pcm16 };
        let writer = WavWriter::new(BufWriter::new(private_file::create_new(&path)?), form)?;
        self.open.insert(call.to_owned(), writer);
        Ok(())
    }

    /// To a clock that is years ahead every recording is old. It believes no certificate either, and Openpay's time is not
    /// known then: so nothing is old while Openpay gives no answers.
    fn clean_up(&mut self) -> io::Result<()> {
        let is_right = !self.board.faults().iter().any(|fault| matches!(fault, Fault::Clock | Fault::Gateway));
        let held = self.retention.clean_up(is_right)?;
        let is_told = std::mem::replace(&mut self.holds_back, held);
        if held && !is_told {
            self.board.trouble("recording: old recordings stay until this machine's clock is known to be right");
        }
        Ok(())
    }

    /// A recording that can't be written on is closed as it is; the call goes on.
    fn write(&mut self, call: &str, frames: &[Frame]) -> io::Result<()> {
        let Some(writer) = self.open.get_mut(call) else { return Ok(()) };
        let channel = |index: usize| frames.iter().map(|frame| frame[index]).collect::<Vec<f32>>();
        let written = writer.write(&[&channel(0), &channel(1)]);
        if written.is_err()
            && let Some(writer) = self.open.remove(call)
        {
            let _ = writer.finish(); // it failed just now, and is told of below
        }
        written
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Which recordings stay.
pub struct Retention(pub Recording);

impl Retention {
    /// Removes recordings that are too old, and the oldest of what is too much. Only what a box recorded, by its name, and
    /// lies in the folder itself: the folder may be one of somebody's own sounds, too. While the clock may not be right none is
    /// too old; gives whether one stays for that.
    ///
    /// # Errors
    /// If the folder can't be read, or a file not removed.
    pub fn clean_up(&self, clock_is_right: bool) -> io::Result<bool> {
        let mut files = self.files()?;
        files.sort();
        let now = SystemTime::now();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (changed, bytes, path) in files {
            let is_old = now.duration_since(changed).is_ok_and(|age| age > self.0.keep);
            if total <= self.0.most_bytes && !(is_old && clock_is_right) {
                return Ok(is_old); // they come oldest first
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&path, &error)),
                // Another box of the same folder, or a person, was faster.
                Ok(()) | Err(_) => total -= bytes,
            }
        }
        Ok(false)
    }

    /// Whether the disk has room for another recording.
    pub fn has_room(&self) -> bool {
        free_bytes(&self.0.folder).is_none_or(|free| free >= self.0.least_free_bytes)
    }

    fn files(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0.folder)? {
            let path = entry?.path();
            if !is_of_a_call(&path) {
                continue;
            }
            match fs::symlink_metadata(&path) {
                Ok(data) if data.is_file() => files.push((data.modified()?, data.len(), path)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named(&path, &error)),
            }
        }
        Ok(files)
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Whether a file is named as recordings are: by their call.
fn is_of_a_call(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()?.strip_suffix(".wav")).is_some_and(call_id::is_one)
}

/// Bytes an ordinary user may still write to a folder's disk; `None` if the system does not tell.
#[cfg(unix)]
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::audio::Recording as Read;
    use crate::payment::Alarms;
    use jiff::Timestamp;

    fn settings(folder: &Path) -> Recording {
        let keep = Duration::from_secs(3600);
        Recording { folder: folder.join("calls"), keep, most_bytes: 10_000_000, least_free_bytes: 1 }
    }

    fn board() -> Arc<Board> {
        Arc::new(Board::new("b", true, "h", Timestamp::UNIX_EPOCH, Vec::new()))
    }

    #[test]
    fn a_call_is_written_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, writing) = CallRecorder::start(settings(folder.path()), board()).unwrap();
        let mut recording = recorder.begin("one").unwrap();
        recording.frames(vec![[0.25, -0.5]; 8000]);
        drop((recording, recorder));
        writing.thread.join().unwrap();
        let path = folder.path().join("calls/one.wav");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        let mut recording = Read::open(&path).unwrap();
        let mut block = crate::audio::Block::new();
        assert!(recording.next_block(&mut block).unwrap() && recording.channels() == 2);
        assert!((block.channel(1)[0] + 0.5).abs() < 1e-3);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_disk_costs_the_recording_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (board, full) = (board(), Recording { least_free_bytes: u64::MAX, ..settings(folder.path()) });
        let (recorder, writing) = CallRecorder::start(full, Arc::clone(&board)).unwrap();
        let mut recording = recorder.begin("one").unwrap();
        recording.frames(vec![[0.0; 2]; 80]);
        drop((recording, recorder));
        writing.thread.join().unwrap();
        assert_eq!((fs::read_dir(folder.path().join("calls")).unwrap().count(), board.troubles()), (0, 1));
    }

    /// The end of a recording was dropped with everything else, and its file stayed open for as long as the box ran.
    #[test]
    fn a_disk_that_stalls_for_months_leaves_no_recording_open_and_little_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (board, (messages, waiting)) = (board(), unbounded());
        let recorder = CallRecorder { messages, board: Arc::clone(&board) };
        let mut recordings: Vec<_> = ["one", "two"].map(|call| recorder.begin(call).unwrap()).into();
        for _ in 0..1000 {
            recordings.iter_mut().for_each(|recording| recording.frames(vec![[0.0; 2]; 80]));
        }
        drop(recordings);
        let refused = (0..1000).filter(|n| recorder.begin(&n.to_string()).is_none()).count();
        assert_eq!((refused, waiting.len()), (1000, WAITING + 2), "what waits, and two ends");
        assert_eq!(board.troubles(), 2 + 1000, "a torn recording is told of once, and each call that has none");
        // The disk is back.
        make_private_folder(&settings(folder.path()).folder).unwrap();
        let mut writer = Writer::new(settings(folder.path()), board);
        waiting.try_iter().for_each(|message| writer.take(message));
        assert_eq!(writer.open.len(), 0);
        assert!(recorder.begin("three").is_some());
    }

    fn of_call(name: &str) -> String {
        format!("{name}-20261130-071623-042.wav")
    }

    fn write(folder: &Path, name: String, age_s: u64) {
        let file = File::create(folder.join(name)).unwrap();
        file.set_len(1000).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
    }

    /// A clock that was years ahead removed every recording at the next call.
    #[test]
    fn nothing_is_too_old_while_the_clock_may_be_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let (board, alarms) = (board(), Arc::new(Alarms::default()));
        board.watch(&alarms);
        let settings = Recording { folder: folder.path().into(), ..settings(folder.path()) };
        let mut writer = Writer::new(Recording { most_bytes: 2000, ..settings }, Arc::clone(&board));
        ["a", "b", "c"]
            .into_iter()
            .zip([9000, 8000, 7000])
            .for_each(|(name, age)| write(folder.path(), of_call(name), age));
        let left = || fs::read_dir(folder.path()).unwrap().count();
        for fault in [Fault::Clock, Fault::Gateway] {
            alarms.raise(fault, &"as a look found out");
            (0..3).for_each(|_| writer.clean_up().unwrap());
            assert_eq!((left(), board.troubles() - alarms.count()), (2, 1), "what is too much goes; told once");
        }
        alarms.clear(Fault::Clock);
        writer.clean_up().unwrap();
        assert_eq!(left(), 2, "a clock that is years ahead believes no certificate");
        alarms.clear(Fault::Gateway);
        writer.clean_up().unwrap();
        assert_eq!((left(), writer.holds_back), (0, false));
    }

    #[test]
    fn the_oldest_go_first_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age_s) in [
            (of_call("line-1"), 7200),
            (of_call("b"), 30),
            (of_call("a"), 20),
            (of_call("c"), 10),
            ("bienvenida.wav".to_owned(), 9000),
            ("notes.txt".to_owned(), 9000),
        ] {
            write(folder.path(), name, age_s);
        }
        let keep = Duration::from_secs(3600);
        Retention(Recording { folder: folder.path().into(), keep, most_bytes: 2000, least_free_bytes: 1 })
            .clean_up(true)
            .unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        // An operator's own sounds were removed with the recordings.
        assert_eq!(left, [&of_call("a"), "bienvenida.wav", &of_call("c"), "notes.txt"]);
    }
}
