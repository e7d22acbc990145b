//! A menu's own prompts made into clips by a text-to-speech program of the operator's choice.
//!
//! The program is given by its command line. `{text}`, `{language}`, `{voice}` and `{out}` stand for the words, the
//! language (`es-MX`), the voice chosen for it, and the WAV file to write; without `{text}` the program is given the
//! words on its standard input, without `{out}` it gives the WAV file on its standard output. No shell is involved, so
//! no text can be mistaken for a command.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::recording::{self, RecordingError};
use super::{Language, SAMPLE_RATE, active_speech_level_dbm0};
use crate::audio::g711::Law;
use crate::audio::wav::{Encoding, WavForm, WavWriter};
use crate::program::{self, CommandLine, ProgramError};

/// What each clip was made from, beside the clips.
const MANIFEST: &str = "rendered.yaml";
/// Longest time one prompt may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Active speech level of the built-in clips, and the loudest sample left to a clip brought to it.
const LEVEL_DBM0: f64 = -16.0;
const PEAK: f32 = 0.95;

/// How prompts are rendered.
#[derive(Debug, Clone)]
pub struct Renderer {
    /// The program and its arguments, with placeholders.
    command: CommandLine,
    voices: Vec<(Language, String)>,
}

/// What a rendered clip was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    text: String,
    /// Command, voice and text, hashed.
    source: String,
}

/// By language code and clip id.
type Manifest = BTreeMap<String, BTreeMap<String, Made>>;

/// Why a prompt can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The command line has no program or an open quote.
    #[error("the command {0:?} cannot be read: write the program and its arguments, quotes closed")]
    Command(String),
    /// The program does not speak.
    #[error("{0}; try the command by hand with this text")]
    Program(#[from] ProgramError),
    /// What it wrote is no speech.
    #[error("what the program wrote {0}")]
    Sound(#[from] RecordingError),
    /// What it wrote is silence.
    #[error("the program wrote nothing but silence: see whether the voice speaks this language")]
    Silence,
    /// A file can't be read or written.
    #[error("{path}: {source}: check the permissions and the space left", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The list of what was made is damaged.
    #[error("{path}: {message}: remove the file, and everything is rendered anew", path = .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// What became of one prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendered {
    /// A new clip was made.
    Made,
    /// The clip there is was made from the same text by the same command.
    Current,
    /// A recording stands in its place that this program has not made; it is left alone.
    Recording,
}

impl Renderer {
    /// A renderer by a command line; arguments with spaces stand in quotes.
    ///
    /// # Errors
    /// [`RenderError::Command`].
    pub fn new(command: &str, voices: Vec<(Language, String)>) -> Result<Self, RenderError> {
        let command = CommandLine::parse(command).ok_or_else(|| RenderError::Command(command.to_owned()))?;
        Ok(Self { command, voices })
    }

    /// Makes the clip `folder/LANGUAGE/ID.wav` say `text`, unless it does already.
    ///
    /// # Errors
    /// [`RenderError`]; the clip that was there before is then still there.
    pub fn render(&self, folder: &Path, language: Language, id: &str, text: &str) -> Result<Rendered, RenderError> {
        let mut manifest = read_manifest(folder)?;
        let made = Made { text: text.to_owned(), source: self.source(language, text) };
        let clip = folder.join(language.code()).join(format!("{id}.wav"));
        let known = manifest.get(language.code()).and_then(|clips| clips.get(id));
        if clip.is_file() && known == Some(&made) {
            return Ok(Rendered::Current);
        }
        if clip.is_file() && known.is_none() {
            return Ok(Rendered::Recording);
        }
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| RenderError::File { path, source }
        };
        let parent = folder.join(language.code());
        fs::create_dir_all(&parent).map_err(file(&parent))?;
        let raw = parent.join(format!(".{id}.{}.wav", std::process::id()));
        let at_work = program::at_work();
        let samples = self.speak(language, text, &raw);
        let _ = fs::remove_file(&raw);
        drop(at_work);
        write(&clip, &leveled(samples?)?).map_err(file(&clip))?;
        manifest.entry(language.code().to_owned()).or_default().insert(id.to_owned(), made);
        write_manifest(folder, &manifest)?;
        Ok(Rendered::Made)
    }

    fn voice(&self, language: Language) -> &str {
        let chosen = self.voices.iter().find(|(of, _)| *of == language);
        chosen.map_or(language.code(), |(_, voice)| voice)
    }

    fn source(&self, language: Language, text: &str) -> String {
        let parts = [self.command.words().join("\u{1f}"), self.voice(language).to_owned(), text.to_owned()];
        format!("{:016x}", fnv1a(parts.join("\u{1e}").as_bytes()))
    }

    fn speak(&self, language: Language, text: &str, out: &Path) -> Result<Vec<f32>, RenderError> {
        let path = out.display().to_string();
        let fill = |word: &str| {
            let word = word.replace("{language}", language.code()).replace("{voice}", self.voice(language));
            word.replace("{out}", &path).replace("{text}", text)
        };
        let words = if self.command.has("{text}") { "" } else { text };
        let sound = self.command.run(fill, words.as_bytes().to_vec(), PATIENCE)?;
        if !self.command.has("{out}") {
            fs::write(out, sound).map_err(|source| RenderError::File { path: out.to_owned(), source })?;
        }
        Ok(recording::read(out)?)
    }
}

/// The texts of the clips in a folder that were rendered, for who compares them with what they should say.
pub(super) fn texts_in(folder: &Path) -> Result<BTreeMap<(Language, String), String>, RenderError> {
    let manifest = read_manifest(folder)?;
    let clips = manifest.into_iter().filter_map(|(code, clips)| Some((Language::parse(&code)?, clips)));
    Ok(clips
        .flat_map(|(language, clips)| clips.into_iter().map(move |(id, made)| ((language, id), made.text)))
        .collect())
}

/// As loud as the built-in clips, as far as its peaks allow.
fn leveled(mut samples: Vec<f32>) -> Result<Vec<f32>, RenderError> {
    let level = active_speech_level_dbm0(&samples, SAMPLE_RATE).ok_or(RenderError::Silence)?;
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    #[expect(clippy::cast_possible_truncation, reason = "a factor of a few")]
    let wanted = 10_f64.powf((LEVEL_DBM0 - level) / 20.0) as f32;
    let factor = wanted.min(PEAK / peak);
    samples.iter_mut().for_each(|sample| *sample *= factor);
    Ok(samples)
}

/// Written beside its place and put there whole.
fn write(path: &Path, samples: &[f32]) -> io::Result<()> {
    let beside = path.with_extension("part");
    let form = WavForm { sample_rate: SAMPLE_RATE, channels: 1, encoding: Encoding::G711(Law::Mu) };
    let mut writer = WavWriter::new(BufWriter::new(File::create(&beside)?), form)?;
    writer.write(&[samples])?;
    writer.finish()?;
    fs::rename(beside, path)
}

fn read_manifest(folder: &Path) -> Result<Manifest, RenderError> {
    let path = folder.join(MANIFEST);
    let mut text = String::new();
    match File::open(&path).and_then(|mut file| file.read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::new()),
        Err(source) => return Err(RenderError::File { path, source }),
        Ok(_) => {}
    }
    serde_yaml::from_str(&text).map_err(|error| RenderError::Manifest { path, message: error.to_string() })
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), RenderError> {
    let path = folder.join(MANIFEST);
    let text = serde_yaml::to_string(manifest);
    let text = text.map_err(|error| RenderError::Manifest { path: path.clone(), message: error.to_string() })?;
    fs::write(&path, text).map_err(|source| RenderError::File { path, source })
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const TEXT: &str = "Bienvenido a la clínica; $(oprima) \"uno\".";

    /// A speaker that needs nothing installed: a WAV file that is already there.
    fn speaker(folder: &Path) -> String {
        let wav = folder.join("voice.wav");
        let samples: Vec<f32> = (0..8000_u16).map(|n| 0.05 * (f32::from(n) * 0.7).sin()).collect();
        write(&wav, &samples).expect("the folder is new");
        format!("cat '{}'", wav.display())
    }

    fn render(folder: &Path, command: &str, text: &str) -> Result<Rendered, RenderError> {
        Renderer::new(command, Vec::new())?.render(folder, Language::EsMx, "saludo", text)
    }

    #[test]
    fn a_prompt_is_rendered_once_and_again_only_if_its_words_or_its_voice_change() {
        let folder = tempfile::tempdir().unwrap();
        let speaker = speaker(folder.path());
        let rendered = |command: &str, text: &str| render(folder.path(), command, text).unwrap();
        assert_eq!(rendered(&speaker, TEXT), Rendered::Made);
        assert_eq!(rendered(&speaker, TEXT), Rendered::Current);
        assert_eq!(rendered(&speaker, "Adiós."), Rendered::Made);
        assert_eq!(rendered(&format!("{speaker} -"), "Adiós."), Rendered::Made);
        let texts = texts_in(folder.path()).unwrap();
        assert_eq!(texts.get(&(Language::EsMx, "saludo".to_owned())).map(String::as_str), Some("Adiós."));
        let samples = recording::read(&folder.path().join("es-MX/saludo.wav")).unwrap();
        let level = active_speech_level_dbm0(&samples, SAMPLE_RATE).unwrap();
        assert!((level - LEVEL_DBM0).abs() < 0.5, "{level}");
    }

    #[test]
    fn a_persons_recording_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let speaker = speaker(folder.path());
        fs::create_dir(folder.path().join("es-MX")).unwrap();
        fs::copy(folder.path().join("voice.wav"), folder.path().join("es-MX/saludo.wav")).unwrap();
        assert_eq!(render(folder.path(), &speaker, TEXT).unwrap(), Rendered::Recording);
    }

    #[test]
    fn the_words_reach_the_program_as_one_argument_or_on_its_input() {
        let folder = tempfile::tempdir().unwrap();
        speaker(folder.path());
        let wav = folder.path().join("voice.wav").display().to_string();
        let script = format!("test \"$1\" = \"$WORDS\" && cp '{wav}' \"$2\"")
            .replace("$WORDS", &TEXT.replace('$', "\\$").replace('"', "\\\""));
        let script_file = folder.path().join("say.sh");
        fs::write(&script_file, script).unwrap();
        let command = format!("sh '{}' {{text}} {{out}}", script_file.display());
        assert_eq!(render(folder.path(), &command, TEXT).unwrap(), Rendered::Made);
        fs::write(&script_file, format!("grep -q clínica && cat '{wav}'")).unwrap();
        assert_eq!(render(folder.path(), &format!("sh '{}'", script_file.display()), TEXT).unwrap(), Rendered::Made);
    }

    #[test]
    fn what_goes_wrong_is_told_and_the_clip_there_was_stays() {
        let folder = tempfile::tempdir().unwrap();
        let speaker = speaker(folder.path());
        render(folder.path(), &speaker, TEXT).unwrap();
        let before = fs::read(folder.path().join("es-MX/saludo.wav")).unwrap();
        for (command, told) in [
            ("no-such-program-here {text}", "cannot start \"no-such-program-here\""),
            ("sh -c 'echo no voice >&2; exit 3'", "exit status: 3, saying: no voice"),
            ("echo no sound", "what the program wrote"),
            ("true", "what the program wrote"),
            ("", "cannot be read"),
            ("cat 'open", "cannot be read"),
        ] {
            let error = render(folder.path(), command, "otra cosa").unwrap_err().to_string();
            assert!(error.contains(told), "{command}: {error}");
        }
        assert_eq!(fs::read(folder.path().join("es-MX/saludo.wav")).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path().join("es-MX")).unwrap().count(), 1, "nothing is left behind");
    }
}
