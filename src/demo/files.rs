//! What the demo writes, and the search of it for card data.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::audio::wav::{Encoding, WavForm, WavWriter};
use crate::call::Frame;
use crate::media::SAMPLE_RATE;
use crate::private_file;

use super::scenario::TestCard;

/// The recording of a scenario's call, in its folder.
pub const RECORDING: &str = "call.wav";
/// The timeline as printed.
pub const TIMELINE: &str = "timeline.txt";
/// The merchant's ledger.
pub(super) const LEDGER: &str = "ledger.sqlite";
/// The gateway stand-in's memory.
pub(super) const SANDBOX: &str = "openpay-sandbox.sqlite";
/// What SQLite may leave beside a database.
const BESIDE_SQLITE: [&str; 3] = ["", "-wal", "-shm"];

/// Frames written at once.
const CHUNK: usize = 8000;

/// Removes what an earlier run of the demo left in a folder, and nothing else.
///
/// # Errors
/// If one of its files can't be removed.
pub fn remove_last_run(folder: &Path) -> io::Result<()> {
    let databases = [LEDGER, SANDBOX].into_iter().flat_map(|name| BESIDE_SQLITE.map(|end| format!("{name}{end}")));
    for name in databases.chain([RECORDING, TIMELINE].map(str::to_owned)) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a call's recording as a stereo WAV file, 16 bits, 8 kHz: caller left, box right; for its owner's ears only.
///
/// # Errors
/// If the file can't be written.
pub fn write_recording(path: &Path, frames: &[Frame]) -> io::Result<()> {
    let form = WavForm { sample_rate: SAMPLE_RATE, channels: 2, encoding: Encoding::Pcm16 };
    let mut writer = WavWriter::new(BufWriter::new(private_file::create(path)?), form)?;
    for chunk in frames.chunks(CHUNK) {
        let left: Vec<f32> = chunk.iter().map(|frame| frame[0]).collect();
        let right: Vec<f32> = chunk.iter().map(|frame| frame[1]).collect();
        writer.write(&[&left, &right])?;
    }
    writer.finish()
}

/// Card data found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The file.
    pub file: PathBuf,
    /// `card number` or `CVV`; never the digits.
    pub what: &'static str,
}

/// Searches every file below `folder` for the cards' numbers and CVVs, as text. Returns the files searched and the leaks.
///
/// # Errors
/// If a file can't be read.
pub fn search_for_card_data(folder: &Path, cards: &[TestCard]) -> io::Result<(usize, Vec<Leak>)> {
    let mut searched = 0;
    let mut leaks = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            searched += 1;
            let bytes = fs::read(&path)?;
            for card in cards {
                let found = [
                    ("card number", contains(&bytes, card.number)),
                    ("CVV", !is_sound(&path) && contains_number(&bytes, card.cvv)),
                ];
                let leaked = found.into_iter().filter(|(_, found)| *found);
                leaks.extend(leaked.map(|(what, _)| Leak { file: path.clone(), what }));
            }
        }
    }
    Ok((searched, leaks))
}

/// Three given bytes turn up in any long recording; what can be heard in it is for decoders to find.
fn is_sound(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wav")
}

/// Three digits stand in many a random identifier and time stamp; a CVV stands by itself.
fn contains_number(bytes: &[u8], digits: &str) -> bool {
    let starts = bytes.windows(digits.len()).enumerate().filter(|(_, window)| *window == digits.as_bytes());
    let part_of_more = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    starts.map(|(start, _)| start).any(|start| {
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        !part_of_more(before) && before != Some(&b'.') && !part_of_more(bytes.get(start + digits.len()))
    })
}

fn contains(bytes: &[u8], digits: &str) -> bool {
    bytes.windows(digits.len()).any(|window| window == digits.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cvv_is_found_by_itself_but_not_in_identifiers_and_times() {
        for leak in ["737", "cvv2\":\"737\"", "cvv=737\n", "\x00737\x00"] {
            assert!(contains_number(leak.as_bytes(), "737"), "{leak}");
        }
        for other in ["00:41.737", "t4737x", "1737", "73 7"] {
            assert!(!contains_number(other.as_bytes(), "737"), "{other}");
        }
    }

    #[test]
    fn only_the_demos_own_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [RECORDING, LEDGER, "ledger.sqlite-wal", "mine.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_last_run(folder.path()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["mine.txt"]);
    }

    #[test]
    fn a_leak_is_found_in_any_file_below_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("logs");
        fs::create_dir(&below).unwrap();
        fs::write(folder.path().join("clean.txt"), "card ending in 1111").unwrap();
        fs::write(below.join("leaky.bin"), b"\x00\xff4111111111111111\x00").unwrap();
        let card = TestCard { number: "4111111111111111", expiry: "0830", cvv: "737" };
        let (searched, leaks) = search_for_card_data(folder.path(), &[card]).unwrap();
        assert_eq!(searched, 2);
        assert_eq!(leaks, [Leak { file: below.join("leaky.bin"), what: "card number" }]);
    }
}
