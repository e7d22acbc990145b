//! An operator's recordings in place of the embedded clips: finding them, and saying what is wrong with them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::audio::ENDINGS;

use super::recording::{self, RecordingError};
use super::{Clips, Language, SAMPLE_RATE, active_speech_level_dbm0};

/// Active speech levels beside which the embedded clips (-16 dBm0) do not stand out, in dBm0.
const FITTING_DBM0: std::ops::RangeInclusive<f64> = -22.0..=-11.0;
/// Samples this large count as clipped, full scale 1.0.
const CLIPPED: f32 = 0.999;
/// Silence tolerated before and after the words, in milliseconds.
const LONGEST_SILENCE_MS: usize = 400;
/// Quieter than this is silence, full scale 1.0: about -43 dBm0 for a sine.
const SILENT: f32 = 0.005;

/// Why a folder of recordings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClipsError {
    /// The folder or one of its language folders can't be listed.
    #[error("{path}: cannot list the recordings ({source}): check the path and the permissions", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has none of the language folders, so it is probably the wrong one.
    #[error("{path}: no recordings here: put them in {path}/es-MX and {path}/en-US, named <clip id>.wav", path = .0.display())]
    NoLanguage(PathBuf),
    /// A recording can't be used.
    #[error("{path}: {source}", path = .path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and the cure.
        source: RecordingError,
    },
    /// The list of rendered clips can't be read.
    #[error(transparent)]
    Rendered(#[from] super::RenderError),
    /// Two files of different forms have one clip's name.
    #[error("{language}/{id}: two recordings of one clip: remove all but one of {id}.wav, {id}.mp3 and their kind")]
    Twice {
        /// The clip.
        id: String,
        /// In which language.
        language: Language,
    },
}

/// Something to know about one file in a folder of recordings.
#[derive(Debug)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// What about it.
    pub concern: Concern,
}

/// What can be said about a file in a folder of recordings.
#[derive(Debug)]
pub enum Concern {
    /// It can't be used; the box does not start with it.
    Unusable(RecordingError),
    /// Another file has the same clip's name; the box does not start with both.
    Twice,
    /// No embedded clip has this name.
    NewClip,
    /// It lies where no recording is looked for.
    Misplaced,
    /// Its name does not end like a recording's; it is ignored.
    Ignored,
    /// Much quieter or louder than the embedded clips: its active speech level in dBm0.
    Level(f64),
    /// Nothing but silence.
    Silent,
    /// So many samples at full scale.
    Clipped(usize),
    /// The caller waits for so many milliseconds before or after the words.
    Waits {
        /// Before the first word.
        before_ms: usize,
        /// After the last word.
        after_ms: usize,
    },
}

impl Concern {
    /// Whether the box refuses the folder because of this.
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Twice)
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(f),
            Self::Twice => f.write_str("a second recording of the same clip: remove one of them"),
            Self::NewClip => f.write_str("no built-in clip has this name: correct it, unless a menu of yours uses it"),
            Self::Misplaced => f.write_str("nobody hears it here: put it in es-MX/ or en-US/"),
            Self::Ignored => {
                f.write_str("not a recording: use wav, flac, mp3 or another form that `tonopago decode` reads")
            }
            Self::Level(level) => write!(
                f,
                "speech level {level:.1} dBm0: bring it between {} and {} (the built-in clips have -16)",
                FITTING_DBM0.start(),
                FITTING_DBM0.end()
            ),
            Self::Silent => f.write_str("nothing but silence: record it again"),
            Self::Clipped(count) => write!(f, "{count} samples at full scale: record it again at a lower level"),
            Self::Waits { before_ms, after_ms } => {
                write!(f, "{before_ms} ms of silence before the words and {after_ms} ms after: cut it away")
            }
        }
    }
}

/// Everything to know about a folder of recordings before a box uses it, in the order of the files.
///
/// # Errors
/// If the folder can't be listed, or is no folder of recordings.
pub fn check_recordings(folder: &Path) -> Result<Vec<Finding>, ClipsError> {
    let embedded = Clips::embedded();
    let mut seen = BTreeSet::new();
    let mut findings = misplaced(folder)?;
    for (language, path) in language_folders(folder)?
        .into_iter()
        .flat_map(|(language, files)| files.into_iter().map(move |file| (language, file)))
    {
        let mut find = |concern| findings.push(Finding { path: path.clone(), concern });
        let Some(id) = clip_id(&path) else {
            find(Concern::Ignored);
            continue;
        };
        if embedded.get(language, &id).is_none() {
            find(Concern::NewClip);
        }
        if !seen.insert((language, id)) {
            find(Concern::Twice);
        }
        match recording::read(&path) {
            Ok(samples) => judge(&samples).into_iter().for_each(find),
            Err(error) => find(Concern::Unusable(error)),
        }
    }
    Ok(findings)
}

/// Recordings outside the folders of languages: beside them, or in a folder that is no language's.
fn misplaced(folder: &Path) -> Result<Vec<Finding>, ClipsError> {
    let mut findings = Vec::new();
    let mut add = |path: PathBuf| {
        if path.is_file() && clip_id(&path).is_some() {
            findings.push(Finding { path, concern: Concern::Misplaced });
        }
    };
    let is_language = |path: &Path| Language::ALL.iter().any(|language| path.ends_with(language.code()));
    for path in children(folder)? {
        if !path.is_dir() {
            add(path);
        } else if !is_language(&path) {
            children(&path)?.into_iter().for_each(&mut add);
        } else {
            let below = children(&path)?.into_iter().filter(|below| below.is_dir());
            below.map(|below| children(&below)).collect::<Result<Vec<_>, _>>()?.concat().into_iter().for_each(&mut add);
        }
    }
    Ok(findings)
}

/// One recording and the clip it stands for.
pub(super) struct Override {
    pub(super) language: Language,
    pub(super) id: String,
    pub(super) path: PathBuf,
}

/// The recordings in a folder, sorted.
pub(super) fn find(folder: &Path) -> Result<Vec<Override>, ClipsError> {
    let files = language_folders(folder)?.into_iter().flat_map(|(language, files)| {
        files.into_iter().filter_map(move |path| Some(Override { language, id: clip_id(&path)?, path }))
    });
    Ok(files.collect())
}

/// The files of each language folder there is, sorted.
fn language_folders(folder: &Path) -> Result<Vec<(Language, Vec<PathBuf>)>, ClipsError> {
    let mut languages = Vec::new();
    for language in Language::ALL {
        let path = folder.join(language.code());
        if path.is_dir() {
            languages.push((language, children(&path)?));
        }
    }
    if languages.is_empty() {
        return Err(match fs::read_dir(folder) {
            Ok(_) => ClipsError::NoLanguage(folder.to_owned()),
            Err(source) => ClipsError::Folder { path: folder.to_owned(), source },
        });
    }
    Ok(languages)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, ClipsError> {
    let failed = |source| ClipsError::Folder { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// The clip a file stands for: its name without the extension; `None` if it is no recording.
fn clip_id(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    ENDINGS.iter().find(|known| known.eq_ignore_ascii_case(extension))?;
    path.file_stem()?.to_str().map(str::to_owned)
}

fn judge(samples: &[f32]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let is_loud = |sample: &f32| sample.abs() > SILENT;
    let (Some(level), Some(first), Some(last)) = (
        active_speech_level_dbm0(samples, SAMPLE_RATE),
        samples.iter().position(is_loud),
        samples.iter().rposition(is_loud),
    ) else {
        return vec![Concern::Silent];
    };
    if !FITTING_DBM0.contains(&level) {
        concerns.push(Concern::Level(level));
    }
    let clipped = samples.iter().filter(|sample| sample.abs() >= CLIPPED).count();
    if clipped > 0 {
        concerns.push(Concern::Clipped(clipped));
    }
    let milliseconds = |count: usize| count * 1000 / SAMPLE_RATE as usize;
    let (before_ms, after_ms) = (milliseconds(first), milliseconds(samples.len() - 1 - last));
    if before_ms.max(after_ms) > LONGEST_SILENCE_MS {
        concerns.push(Concern::Waits { before_ms, after_ms });
    }
    concerns
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::audio::wav::{Encoding, WavForm, WavWriter};

    fn record(path: &Path, samples: &[f32]) {
        let form = WavForm { sample_rate: SAMPLE_RATE, channels: 1, encoding: Encoding::Pcm16 };
        let mut writer = WavWriter::new(File::create(path).unwrap(), form).unwrap();
        writer.write(&[samples]).unwrap();
        writer.finish().unwrap();
    }

    fn tone(peak: f32) -> Vec<f32> {
        (0..8000).map(|n| peak * (n as f32 * 0.7).sin()).collect()
    }

    #[test]
    fn everything_about_a_folder_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let spanish = folder.path().join("es-MX");
        fs::create_dir(&spanish).unwrap();
        record(&spanish.join("a_menu_s_own.wav"), &tone(0.15));
        record(&spanish.join("bienvenida.WAV"), &tone(0.15));
        record(&spanish.join("bienvenida.flac"), &tone(0.15));
        record(&spanish.join("cancelado.wav"), &tone(0.01));
        record(&spanish.join("confirma.wav"), &tone(1.5));
        record(&spanish.join("despedida.wav"), &[&[0.0; 4000], &tone(0.15)[..]].concat());
        record(&spanish.join("procesando.wav"), &[0.0; 80]);
        fs::write(spanish.join("rechazada.wav"), "no sound").unwrap();
        fs::write(spanish.join("leeme.txt"), "notes").unwrap();
        fs::create_dir(folder.path().join("es_MX")).unwrap();
        record(&folder.path().join("es_MX/adios.wav"), &tone(0.15));
        let findings = check_recordings(folder.path()).unwrap();
        let told: Vec<String> = findings
            .iter()
            .map(|finding| {
                let name = finding.path.file_name().unwrap().to_str().unwrap();
                format!("{} {name}: {}", if finding.concern.is_error() { "error" } else { "note" }, finding.concern)
            })
            .collect();
        for (line, expected) in told.iter().zip([
            "note adios.wav: nobody hears it here",
            "note a_menu_s_own.wav: no built-in clip",
            "error bienvenida.flac: a second recording",
            "note cancelado.wav: speech level -36",
            "note confirma.wav: speech level",
            "note confirma.wav: ",
            "note despedida.wav: 500 ms of silence before",
            "note leeme.txt: not a recording",
            "note procesando.wav: nothing but silence",
            "error rechazada.wav: ",
        ]) {
            assert!(line.starts_with(expected), "{line:?} is not {expected:?}; all of it: {told:#?}");
        }
        assert_eq!(told.len(), 10, "{told:#?}");
        assert!(Clips::with_overrides(folder.path()).is_err());
    }

    /// `decode` read it, and here it was left aside: the box spoke with the built-in clip.
    #[test]
    fn a_recording_of_any_form_that_is_read_elsewhere_replaces_a_clip() {
        let folder = tempfile::tempdir().unwrap();
        let spanish = folder.path().join("es-MX");
        fs::create_dir(&spanish).unwrap();
        let opus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/59-celt.opus");
        fs::copy(opus, spanish.join("despedida.opus")).unwrap();
        let findings = check_recordings(folder.path()).unwrap();
        assert!(findings.iter().all(|found| !matches!(found.concern, Concern::Ignored | Concern::Unusable(_))));
        let clips = Clips::with_overrides(folder.path()).unwrap();
        assert!(clips.get(Language::EsMx, "despedida").unwrap().recording().is_some());
    }

    #[test]
    fn the_embedded_clips_have_nothing_to_be_said_against_them() {
        let clips = Clips::embedded();
        for id in clips.ids(Language::EsMx) {
            let concerns = judge(clips.get(Language::EsMx, id).unwrap().samples());
            assert!(concerns.is_empty(), "{id}: {concerns:?}");
        }
    }

    #[test]
    fn a_folder_that_is_none_is_named_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_recordings(folder.path()).unwrap_err().to_string();
        assert!(error.contains("put them in") && error.contains("es-MX"), "{error}");
        let error = check_recordings(&folder.path().join("absent")).unwrap_err().to_string();
        assert!(error.contains("absent: cannot list"), "{error}");
    }
}
