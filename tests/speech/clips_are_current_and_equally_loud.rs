//! The clips that ship are complete, made from their present texts, equally loud, and small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use tonopago::speech::{Clips, Language, SAMPLE_RATE, active_speech_level_dbm0};

/// Where render.py puts every clip, and how far from it the fades, the trimming and the codec may take one.
const LEVEL_DBM0: f64 = -16.0;
const TOLERANCE_DB: f64 = 1.0;
/// render.py leaves this much room; mu-law adds at most half a step of 1024 of 32768.
const LARGEST_PEAK: f32 = (30_000.0 + 512.0) / 32_768.0;
const LARGEST_CLIP_MS: u64 = 7000;
const LARGEST_TOTAL_BYTES: u64 = 5_500_000;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Detailed { text: String, say: Option<String>, language: Option<String>, pitch: Option<u32> },
}

#[derive(Deserialize)]
struct Made {
    source: String,
    audio: String,
}

fn folder(voice: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("menus/voices").join(voice)
}

fn texts(voice: &str, file: &str) -> BTreeMap<String, Entry> {
    let path = folder(voice).join(file);
    let yaml = fs::read_to_string(&path).unwrap_or_default();
    serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn clip_names(voice: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder(voice)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".wav").map(str::to_owned)).collect()
}

/// 64-bit FNV-1a, as render.py writes it into the manifest.
fn fnv1a(data: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", data.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

#[test]
fn every_text_has_its_clip_and_every_clip_its_text() {
    for voice in ["es-MX", "en-US", "caller"] {
        let mut manifest: BTreeMap<String, Made> =
            serde_yaml::from_str(&fs::read_to_string(folder(voice).join("manifest.yaml")).unwrap()).unwrap();
        let mut clips = clip_names(voice);
        for (id, entry) in [texts(voice, "prompts.yaml"), texts(voice, "numbers.yaml")].into_iter().flatten() {
            let (spoken, speaker, pitch) = match &entry {
                Entry::Text(text) => (text, voice, 100),
                Entry::Detailed { text, say, language, pitch } => {
                    (say.as_ref().unwrap_or(text), language.as_deref().unwrap_or(voice), pitch.unwrap_or(100))
                }
            };
            let made = manifest.remove(&id).unwrap_or_else(|| panic!("{voice}/{id} was never rendered: make prompts"));
            let settings = fs::read(folder(speaker).join("voice.yaml")).unwrap();
            let source = [&settings[..], format!("\n{spoken}\n{pitch}").as_bytes()].concat();
            assert_eq!(made.source, fnv1a(&source), "{voice}/{id} says an older text or voice: make prompts");
            let audio = fs::read(folder(voice).join(format!("{id}.wav"))).unwrap();
            assert_eq!(made.audio, fnv1a(&audio), "{voice}/{id}.wav is not what was rendered: make prompts");
            assert!(clips.remove(&id), "{voice}/{id} has no clip");
        }
        assert!(clips.is_empty(), "{voice}: clips without a text: {clips:?}");
        assert!(manifest.is_empty(), "{voice}: the manifest names clips without a text");
    }
}

#[test]
fn both_languages_have_the_same_prompts() {
    // Other words for # and * are each language's own.
    let ids = |language: Language| {
        let ids = texts(language.code(), "prompts.yaml").into_keys();
        ids.filter(|id| !id.contains("__")).collect::<BTreeSet<_>>()
    };
    let (spanish, english) = (ids(Language::EsMx), ids(Language::EnUs));
    assert!(spanish.len() > 60);
    assert_eq!(spanish, english);
}

#[test]
fn the_embedded_clips_are_the_files() {
    let clips = Clips::embedded();
    for language in Language::ALL {
        assert_eq!(clips.ids(language).map(str::to_owned).collect::<BTreeSet<_>>(), clip_names(language.code()));
        for (id, entry) in texts(language.code(), "prompts.yaml") {
            let (Entry::Text(text) | Entry::Detailed { text, .. }) = entry;
            assert_eq!(clips.get(language, &id).unwrap().text(), text);
        }
    }
}

#[test]
fn every_clip_is_as_loud_as_the_others_and_does_not_clip() {
    let clips = Clips::embedded();
    let spoken = Language::ALL.into_iter().flat_map(|language| clips.ids(language).map(move |id| (language, id)));
    let spoken = spoken.map(|(language, id)| (format!("{language}/{id}"), clips.get(language, id).unwrap()));
    let caller = clips.caller_speech().iter().map(|clip| (clip.text().to_owned(), clip));
    for (name, clip) in spoken.chain(caller) {
        let level = active_speech_level_dbm0(clip.samples(), SAMPLE_RATE).unwrap();
        assert!((level - LEVEL_DBM0).abs() < TOLERANCE_DB, "{name}: {level:.1} dBm0");
        let peak = clip.samples().iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        assert!(peak <= LARGEST_PEAK, "{name}: peak {peak}");
        assert!((150..LARGEST_CLIP_MS).contains(&clip.duration_ms()), "{name}: {} ms", clip.duration_ms());
        let (first, last) = (clip.samples()[0], clip.samples()[clip.samples().len() - 1]);
        assert!(first == 0.0 && last == 0.0, "{name} starts at {first} and ends at {last}");
    }
}

#[test]
fn the_clips_are_small() {
    let sizes = ["es-MX", "en-US", "caller"].into_iter().flat_map(|voice| fs::read_dir(folder(voice)).unwrap());
    let total: u64 = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(total < LARGEST_TOTAL_BYTES, "{total} bytes");
}
