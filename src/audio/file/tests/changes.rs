//! Files that change while they are read: a recorder that goes on, a copy that is not done.

use fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::*;

/// A WAV of 8 s whose header tells the length in bytes, with its path.
fn recording(folder: &Path, length: u32) -> PathBuf {
    let path = folder.join("call.wav");
    let sound = sound().repeat(40);
    fs::write(&path, Wav::new().format(1, 1, 8000, 16).chunk_saying(b"data", length, &sound).bytes()).unwrap();
    path
}

/// What is told of a recording to whose file something happens once its first block was read.
fn told(length: u32, happens: impl FnOnce(&Path)) -> (f64, Option<Warning>) {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path(), length);
    let mut recording = Recording::open(&path).unwrap();
    let mut block = Block::new();
    assert!(recording.next_block(&mut block).unwrap());
    happens(&path);
    while recording.next_block(&mut block).unwrap() {}
    (recording.seconds(), recording.warning().cloned())
}

fn append(path: &Path) {
    File::options().append(true).open(path).unwrap().write_all(&sound()).unwrap();
}

/// What was heard so far of a call that was still being recorded was told as all of it.
#[test]
fn a_recording_that_changes_is_not_told_as_whole() {
    let whole = u32::try_from(sound().len() * 40).unwrap();
    for length in [whole, 0, u32::MAX] {
        let (seconds, warning) = told(length, append);
        assert_eq!(warning, Some(Warning::Changed { at_s: seconds }), "{length}");
    }
    let cut = |path: &Path| File::options().write(true).open(path).unwrap().set_len(40_000).unwrap();
    let (seconds, warning) = told(whole, cut);
    assert!(seconds < 3.0 && warning == Some(Warning::Changed { at_s: seconds }), "{seconds} s, {warning:?}");
    let written_over = |path: &Path| File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let (_, warning) = told(whole, written_over);
    let warning = warning.unwrap();
    assert!(warning.is_failure(), "a script would not look again");
    assert!(warning.to_string().starts_with("decoded up to 8.000 s only: it changed while it was read"), "{warning}");
}

/// The reader has the file, whatever becomes of its name.
#[test]
fn a_recording_that_is_moved_away_replaced_or_removed_is_read_to_its_end() {
    let happenings: [fn(&Path); 3] = [
        |path| fs::rename(path, path.with_extension("old")).unwrap(),
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let other = path.with_extension("new");
            fs::write(&other, "another file").unwrap();
            fs::rename(other, path).unwrap();
        },
    ];
    for happens in happenings {
        assert_eq!(told(u32::try_from(sound().len() * 40).unwrap(), happens), (8.0, None));
    }
}
