//! The clips of every language: embedded in the program, and an operator's recordings in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::Language;
use super::overrides::{self, ClipsError};
use super::recording;
use super::rendering;

/// Name and bytes of each file of an embedded folder.
type EmbeddedFiles = &'static [(&'static str, &'static [u8])];

// `static VOICES: &[(&str, EmbeddedFiles)]`, written by the build script from `menus/voices`.
include!(concat!(env!("OUT_DIR"), "/voices.rs"));

/// The file of a voice with the words that numbers are joined of.
const NUMBERS: &str = "numbers.yaml";
/// How long a voice takes for a character, in samples: 65 ms.
const DRAFT_SAMPLES: usize = super::SAMPLE_RATE as usize * 65 / 1000;

/// Every clip of every language. Cheap to share: keep it in an [`Arc`].
#[derive(Debug, Clone)]
pub struct Clips {
    voices: BTreeMap<Language, BTreeMap<String, Clip>>,
    caller: Vec<Clip>,
}

/// One clip: mono samples at [`SAMPLE_RATE`](super::SAMPLE_RATE) and what they say. Cloning shares the samples.
#[derive(Debug, Clone)]
pub struct Clip {
    samples: Arc<[f32]>,
    text: Arc<str>,
    source: Option<Arc<Path>>,
}

impl Clips {
    /// The clips that ship with the program. Decoded once, on the first call.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Clips>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(Self::decode_embedded())))
    }

    /// The embedded clips with the recordings in `folder` in their place: `folder/es-MX/<id>.wav` speaks for the clip
    /// `<id>` in Spanish, `folder/en-US/<id>.wav` in English. An id that no clip has is added as a new one. Any rate,
    /// number of channels and form that [`Recording`](crate::audio::Recording) reads will do, also mp3, ogg and flac.
    ///
    /// # Errors
    /// [`ClipsError`] names the file, what is wrong with it and the cure. Nothing is skipped silently;
    /// [`check_recordings`](super::check_recordings) lists everything wrong with a folder at once.
    pub fn with_overrides(folder: &Path) -> Result<Arc<Self>, ClipsError> {
        Self::with_folders(&[folder])
    }

    /// The same with several folders, a later one's recordings in the place of an earlier one's.
    ///
    /// # Errors
    /// As [`Self::with_overrides`].
    pub fn with_folders(folders: &[&Path]) -> Result<Arc<Self>, ClipsError> {
        let mut clips = Self::embedded().as_ref().clone();
        for folder in folders {
            clips.replace_from(folder)?;
        }
        Ok(Arc::new(clips))
    }

    fn replace_from(&mut self, folder: &Path) -> Result<(), ClipsError> {
        let rendered = rendering::texts_in(folder)?;
        for file in overrides::find(folder)? {
            let samples = recording::read(&file.path);
            let samples = samples.map_err(|source| ClipsError::Recording { path: file.path.clone(), source })?;
            let voice = self.voices.entry(file.language).or_default();
            let own = rendered.get(&(file.language, file.id.clone())).map(|text| Arc::from(text.as_str()));
            let built_in = || voice.get(&file.id).map(|clip| Arc::clone(&clip.text));
            let text = own.or_else(built_in).unwrap_or_else(|| Arc::from(""));
            let clip = Clip { samples: samples.into(), text, source: Some(file.path.into()) };
            let is_here = |clip: &Clip| clip.source.as_ref().is_some_and(|source| source.starts_with(folder));
            if voice.get(&file.id).is_some_and(is_here) {
                return Err(ClipsError::Twice { id: file.id, language: file.language });
            }
            voice.insert(file.id, clip);
        }
        Ok(())
    }

    /// The same with silence as long as a voice would take, for prompts whose words are known and whose clips are not
    /// made yet: (language, id, text).
    #[must_use]
    pub fn with_drafts<'a>(&self, drafts: impl IntoIterator<Item = (Language, &'a str, &'a str)>) -> Arc<Self> {
        let mut clips = self.clone();
        for (language, id, text) in drafts {
            let voice = clips.voices.entry(language).or_default();
            if voice.get(id).is_none_or(|clip| *clip.text != *text) {
                let samples = vec![0.0; DRAFT_SAMPLES * text.chars().count().max(1)];
                voice.insert(id.to_owned(), Clip { samples: samples.into(), text: text.into(), source: None });
            }
        }
        Arc::new(clips)
    }

    /// The clip `id` in `language`.
    pub fn get(&self, language: Language, id: &str) -> Option<&Clip> {
        self.voices.get(&language)?.get(id)
    }

    /// The ids of a language's clips, sorted.
    pub fn ids(&self, language: Language) -> impl Iterator<Item = &str> {
        self.voices.get(&language).into_iter().flat_map(|clips| clips.keys().map(String::as_str))
    }

    /// Whether numbers, amounts and references are joined of this clip, in any language: in its place they would say
    /// something else.
    pub fn joins_numbers(id: &str) -> bool {
        static JOINED: OnceLock<BTreeSet<String>> = OnceLock::new();
        let joined = JOINED.get_or_init(|| {
            let files = VOICES.iter().flat_map(|(_, files)| files.iter());
            files.filter(|(name, _)| *name == NUMBERS).flat_map(|(_, yaml)| texts_in(yaml).into_keys()).collect()
        });
        joined.contains(id)
    }

    /// Short utterances of another voice: what a simulated caller says before the first key.
    pub fn caller_speech(&self) -> &[Clip] {
        &self.caller
    }

    fn decode_embedded() -> Self {
        let mut voices = BTreeMap::new();
        let mut caller = Vec::new();
        for (folder, files) in VOICES {
            let clips = decode_voice(files);
            match Language::parse(folder) {
                Some(language) => drop(voices.insert(language, clips)),
                None => caller.extend(clips.into_values()),
            }
        }
        Self { voices, caller }
    }
}

impl Clip {
    /// Mono samples at [`SAMPLE_RATE`](super::SAMPLE_RATE), full scale 1.0.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// What the clip says. For a recording in a clip's place, what that clip said; for one with a new id, empty.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file of a recording in a clip's place; `None` for an embedded clip.
    pub fn recording(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// How long it lasts, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.samples.len() as u64 * 1000 / u64::from(super::SAMPLE_RATE)
    }

    pub(super) fn shared_samples(&self) -> Arc<[f32]> {
        Arc::clone(&self.samples)
    }
}

/// A text file's value: the text, or the text with how it is pronounced and in which language's voice.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Detailed { text: String },
}

impl Entry {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Detailed { text } => text,
        }
    }
}

fn texts_in(yaml: &[u8]) -> BTreeMap<String, Entry> {
    serde_yaml::from_slice(yaml).expect("a test reads the embedded texts")
}

fn decode_voice(files: EmbeddedFiles) -> BTreeMap<String, Clip> {
    let texts: BTreeMap<String, Entry> =
        files.iter().filter(|(name, _)| name.ends_with(".yaml")).flat_map(|(_, yaml)| texts_in(yaml)).collect();
    let clips = files.iter().filter_map(|(name, bytes)| {
        let id = name.strip_suffix(".wav")?;
        let samples = recording::decode_bytes(name, bytes).expect("a test reads the embedded clips");
        let text = texts.get(id).map_or("", Entry::text);
        Some((id.to_owned(), Clip { samples: samples.into(), text: text.into(), source: None }))
    });
    clips.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write_recording(path: &Path, samples: &[i16]) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
    }

    #[test]
    fn every_language_has_every_prompt_with_a_text() {
        let clips = Clips::embedded();
        for id in
            clips.ids(Language::EsMx).filter(|id| !id.ends_with("_un") && !id.ends_with("_de") && !id.contains("__"))
        {
            let Some(clip) = clips.get(Language::EnUs, id) else {
                assert!(["ciento", "de", "millones", "primero"].contains(&id), "{id} is missing in English");
                continue;
            };
            assert!(!clip.text().is_empty(), "{id} has a clip but no text");
        }
        assert!(clips.get(Language::EsMx, "bienvenida").is_some());
        assert!(clips.get(Language::EsMx, "bienvenido").is_none());
    }

    #[test]
    fn numbers_are_joined_of_some_clips() {
        for id in ["n1", "n21_un", "mil", "pesos", "centavo", "letra_a", "mes_1"] {
            assert!(Clips::joins_numbers(id), "{id}");
        }
        for id in ["despedida", "oprima", "n1000", ""] {
            assert!(!Clips::joins_numbers(id), "{id}");
        }
    }

    #[test]
    fn the_caller_has_a_voice() {
        let clips = Clips::embedded();
        assert!(clips.caller_speech().len() >= 2);
        assert!(clips.caller_speech().iter().all(|clip| clip.duration_ms() > 500 && !clip.text().is_empty()));
    }

    #[test]
    fn a_recording_takes_the_place_of_a_clip() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("es-MX")).unwrap();
        write_recording(&folder.path().join("es-MX/despedida.wav"), &[16384; 800]);
        write_recording(&folder.path().join("es-MX/promocion.wav"), &[100; 80]);
        let clips = Clips::with_overrides(folder.path()).unwrap();
        let replaced = clips.get(Language::EsMx, "despedida").unwrap();
        assert_eq!(replaced.duration_ms(), 100);
        assert!(replaced.samples()[32..768].iter().all(|sample| *sample == 0.5));
        assert_eq!(replaced.text(), Clips::embedded().get(Language::EsMx, "despedida").unwrap().text());
        assert!(replaced.recording().unwrap().ends_with("es-MX/despedida.wav"));
        assert_eq!(clips.get(Language::EsMx, "promocion").unwrap().duration_ms(), 10);
        assert!(clips.get(Language::EnUs, "despedida").unwrap().recording().is_none());
    }

    #[test]
    fn an_unusable_recording_is_named_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let fails = || Clips::with_overrides(folder.path()).unwrap_err().to_string();
        fs::create_dir(folder.path().join("en-US")).unwrap();
        let file = folder.path().join("en-US/bienvenida.wav");
        fs::write(&file, b"ID3 this is no WAV file").unwrap();
        assert!(fails().contains("bienvenida.wav") && fails().contains("copy it again"), "{}", fails());
        write_recording(&file, &[]);
        assert!(fails().contains("no samples"), "{}", fails());
        write_recording(&file, &[0; 800]);
        fs::copy(&file, folder.path().join("en-US/bienvenida.flac")).unwrap();
        assert!(fails().contains("two recordings"), "{}", fails());
    }
}
