//! Recordings with known digits: a folder, its truth, and the errors in it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error;

use super::row::{Bench, Finding, Item};
use super::score::{Edits, text};
use super::setting::Group;
use crate::audio::{AudioError, Block, Recording, Warning};
use crate::dtmf::{Detector, DetectorError, Digit, Profile};
use crate::svg::number;
use crate::text_file::{self, TextError};

/// The file in a folder that names its recordings and their digits.
pub const TRUTH: &str = "truth.tsv";

/// A folder of recordings whose digits are known, read into memory.
#[derive(Clone, Debug)]
pub struct KnownRecordings {
    /// The folder, for the row's name.
    pub name: String,
    /// Errors allowed, as a part of the digits (0 to 1).
    pub allowed: f64,
    /// What is in it.
    pub files: Vec<Known>,
}

/// One recording and its digits.
#[derive(Clone, Debug)]
pub struct Known {
    /// File name.
    pub file: String,
    /// The digits in it.
    pub digits: String,
    /// All channels added, full scale 1.0.
    pub samples: Vec<f32>,
    /// Hz.
    pub sample_rate: u32,
    /// What was wrong with the file, though it could be read: digits that it lacks count as missed all the same.
    pub warning: Option<Warning>,
}

/// Why a folder of recordings can't be used.
#[derive(Debug, Error)]
pub enum RecordingsError {
    /// It, or its table, can't be read.
    #[error("{path}: cannot be read ({source})")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A line of the table is wrong.
    #[error("{path}:{line}: `{text}` is not FILE, a tab and its digits (0-9, *, #, A-D)")]
    Line {
        /// The table.
        path: String,
        /// From 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// There is nothing in it.
    #[error("{path}: no {TRUTH}, and no WAV file whose name is its digits, such as `159D#.wav`")]
    Nothing {
        /// The folder.
        path: String,
    },
    /// A recording can't be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A recording can't be decoded to its end.
    #[error("{file}: {warning}")]
    Abandoned {
        /// The recording.
        file: String,
        /// Where the decoding ended, and why.
        warning: Warning,
    },
    /// A recording has a rate that can't be heard.
    #[error("{file}: {source}")]
    Rate {
        /// The recording.
        file: String,
        /// The detector's reason.
        source: DetectorError,
    },
}

impl KnownRecordings {
    /// Reads a folder: its `truth.tsv` (lines of file name, tab, digits; `#` and a blank begin a comment), or without one the WAV
    /// files whose names are their digits.
    ///
    /// # Errors
    /// If something can't be read, or there is nothing to read.
    pub fn read(folder: &Path, allowed: f64) -> Result<Self, RecordingsError> {
        let table = folder.join(TRUTH);
        let named = if table.is_file() { from_table(&table)? } else { from_names(folder)? };
        if named.is_empty() {
            return Err(RecordingsError::Nothing { path: folder.display().to_string() });
        }
        let files = named.into_iter().map(|(file, digits)| Known::read(folder, file, digits));
        Ok(Self { name: name_of(folder), allowed, files: files.collect::<Result<_, _>>()? })
    }
}

impl Known {
    fn read(folder: &Path, file: String, digits: String) -> Result<Self, RecordingsError> {
        let mut recording = Recording::open(&folder.join(&file))?;
        let (sample_rate, channels) = (recording.sample_rate(), recording.channels());
        Detector::new(sample_rate, &Profile::default())
            .map_err(|source| RecordingsError::Rate { file: file.clone(), source })?;
        let (mut block, mut samples) = (Block::new(), Vec::new());
        while recording.next_block(&mut block)? {
            let sum = |frame| (0..channels).map(|channel| block.channel(channel)[frame]).sum::<f32>() / channels as f32;
            samples.extend((0..block.frames()).map(sum));
        }
        match recording.warning().cloned() {
            Some(warning) if warning.is_failure() => Err(RecordingsError::Abandoned { file, warning }),
            warning => Ok(Self { file, digits, samples, sample_rate, warning }),
        }
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn from_table(table: &Path) -> Result<Vec<(String, String)>, RecordingsError> {
    let path = table.display().to_string();
    let text = text_file::read(table).map_err(|error| {
        let source = match error {
            TextError::System(source) => source,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        };
        RecordingsError::Unreadable { path: path.clone(), source }
    })?;
    let mut named = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with("# ") {
            continue;
        }
        let wrong = || RecordingsError::Line { path: path.clone(), line: index + 1, text: line.to_owned() };
        let (file, digits) = line.split_once('\t').ok_or_else(wrong)?;
        named.push((file.to_owned(), parse(digits.trim()).ok_or_else(wrong)?));
    }
    Ok(named)
}

fn from_names(folder: &Path) -> Result<Vec<(String, String)>, RecordingsError> {
    let unreadable = |source| RecordingsError::Unreadable { path: folder.display().to_string(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>();
    let mut paths = paths.map_err(unreadable)?;
    paths.sort();
    let is_wav = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wav"));
    let named = |path: PathBuf| {
        let digits = parse(&path.file_stem()?.to_string_lossy())?;
        Some((path.file_name()?.to_string_lossy().into_owned(), digits))
    };
    Ok(paths.into_iter().filter(is_wav).filter_map(named).collect())
}

/// A text of digits and nothing else.
fn parse(text: &str) -> Option<String> {
    text.chars().map(|key| Digit::from_char(key).map(Digit::as_char)).collect()
}

/// A row for each folder; one that says what is lacking where there is none.
pub(super) fn items(folders: &[KnownRecordings]) -> Vec<Item<'_>> {
    if folders.is_empty() {
        let lacking = "no folder was given (--recordings)".to_owned();
        return vec![Item::skipped(Group::Recordings, "recordings with known digits".to_owned(), lacking)];
    }
    folders.iter().map(item).collect()
}

fn item(folder: &KnownRecordings) -> Item<'_> {
    let KnownRecordings { name, files, .. } = folder;
    let name = format!("recordings: {name}, {} files", files.len());
    Item::new(Group::Recordings, name, move |bench: &mut Bench<'_>| measure(folder, bench))
}

fn measure(folder: &KnownRecordings, bench: &mut Bench<'_>) -> Finding {
    let (mut edits, mut digits) = (Edits::default(), 0);
    for (index, known) in folder.files.iter().enumerate() {
        let found = Edits::between(&known.digits, &text(&bench.hear(&known.samples, known.sample_rate)));
        edits = Edits { missed: edits.missed + found.missed, extra: edits.extra + found.extra };
        digits += known.digits.len();
        bench.done(index + 1, folder.files.len());
    }
    Finding {
        target: format!("<= {} % edit errors", number(100.0 * folder.allowed)),
        measured: format!("{} missed or wrong, {} extra", edits.missed, edits.extra),
        pass: edits.total() as f64 <= folder.allowed * digits as f64,
        trials: digits,
        failed: Some(edits.total().min(digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav::{Encoding, WavForm, WavWriter};
    use crate::conformance::{Effort, Options, measure};
    use crate::dtmf::{GeneratorConfig, generate};

    fn write(folder: &Path, name: &str, digits: &str) {
        let form = WavForm { sample_rate: 11_025, channels: 2, encoding: Encoding::Pcm16 };
        let config = GeneratorConfig { sample_rate: 11_025, ..GeneratorConfig::default() };
        let digits: Vec<Digit> = digits.chars().filter_map(Digit::from_char).collect();
        let sound = generate(&digits, &config).unwrap();
        let file = io::BufWriter::new(fs::File::create(folder.join(name)).unwrap());
        let mut writer = WavWriter::new(file, form).unwrap();
        writer.write(&[&sound, &sound]).unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn a_table_or_the_names_tell_the_truth_and_errors_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "159#.wav", "159#");
        write(folder.path(), "no digits.wav", "7");
        let named = KnownRecordings::read(folder.path(), 0.0).unwrap();
        assert_eq!(named.files.len(), 1);
        assert_eq!((named.files[0].sample_rate, &*named.files[0].digits), (11_025, "159#"));
        fs::write(folder.path().join(TRUTH), "# a comment\n159#.wav\t159#\nno digits.wav\t78\n").unwrap();
        let recordings = vec![named, KnownRecordings::read(folder.path(), 0.1).unwrap()];
        let only = vec!["recordings".to_owned()];
        let options = Options { recordings, only, effort: Effort::Quick, ..Options::default() };
        let rows = measure(&options, &mut |_| {});
        assert_eq!(rows.iter().map(|row| (row.pass, row.trials)).collect::<Vec<_>>(), [(true, 4), (false, 6)]);
        assert_eq!(rows[1].measured, "1 missed or wrong, 0 extra");
    }

    #[test]
    fn an_editor_s_mark_is_no_part_of_a_name_and_percentages_are_told_as_they_were_given() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.wav", "159");
        fs::write(folder.path().join(TRUTH), "\u{feff}a.wav\t159\r\n").unwrap();
        let recordings = vec![KnownRecordings::read(folder.path(), 7.0 / 100.0).unwrap()];
        let rows = measure(&Options { recordings, only: vec!["recordings".into()], ..Options::default() }, &mut |_| {});
        assert_eq!((rows[0].pass, &*rows[0].target), (true, "<= 7 % edit errors"));
    }

    #[test]
    fn a_recording_that_is_cut_short_is_told() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "159#.wav", "159#");
        let whole = fs::read(folder.path().join("159#.wav")).unwrap();
        assert_eq!(KnownRecordings::read(folder.path(), 0.0).unwrap().files[0].warning, None);
        fs::write(folder.path().join("159#.wav"), &whole[..whole.len() / 2]).unwrap();
        let read = KnownRecordings::read(folder.path(), 0.0).unwrap();
        assert!(matches!(read.files[0].warning, Some(Warning::Truncated { .. })), "{:?}", read.files[0].warning);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| KnownRecordings::read(folder, 0.1).unwrap_err().to_string();
        assert!(error(folder.path()).contains("no truth.tsv, and no WAV file"));
        assert!(error(&folder.path().join("missing")).contains("cannot be read"));
        fs::write(folder.path().join(TRUTH), "a.wav\t12\nb.wav 12\n").unwrap();
        assert!(error(folder.path()).contains("truth.tsv:2: `b.wav 12`"), "{}", error(folder.path()));
        fs::write(folder.path().join(TRUTH), "a.wav\t12\n").unwrap();
        assert!(error(folder.path()).contains("a.wav: cannot be opened"));
    }
}
