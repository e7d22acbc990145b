//! Real recordings with known digits. They are not part of the project: without them the test says so and ends.

use std::path::{Path, PathBuf};
use tonopago::dtmf::{Detector, Event, Profile};

fn recordings() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    if !folder.is_dir() {
        eprintln!("skipped: no recordings in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn heard(file: &Path) -> String {
    let mut reader = hound::WavReader::open(file).expect("readable recording");
    let spec = reader.spec();
    let scale = 1.0 / (1u32 << (spec.bits_per_sample - 1)) as f32;
    let samples: Vec<f32> =
        reader.samples::<i32>().map(|sample| sample.expect("readable recording") as f32 * scale).collect();
    let channels = usize::from(spec.channels);
    let mono: Vec<f32> = samples.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    let mut digits = String::new();
    let mut on_event = |event| {
        if let Event::End(digit) = event {
            digits.push(digit.digit.as_char());
        }
    };
    let mut detector = Detector::new(spec.sample_rate, &Profile::default()).expect("rate in range");
    detector.process(&mono, &mut on_event);
    detector.finish(&mut on_event);
    digits
}

/// Insertions, deletions and substitutions between what was dialled and what was heard.
fn errors(truth: &str, heard: &str) -> usize {
    let heard: Vec<char> = heard.chars().collect();
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, expected) in truth.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, found) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(*found != expected);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[heard.len()]
}

#[test]
fn acoustic_recordings_have_few_errors() {
    let Some(folder) = recordings() else { return };
    let table = std::fs::read_to_string(folder.join("acoustic/truth.tsv")).expect("readable recording");
    let mut total = 0;
    for line in table.lines() {
        let (file, truth) = line.split_once('\t').expect("readable recording");
        let heard = heard(&folder.join("acoustic").join(file));
        println!("{file}: {truth} heard as {heard}");
        total += errors(truth.trim(), &heard);
    }
    // What is promised for rooms, talk radio and clipping: at most 20 errors in 163 digits.
    assert!(total * 163 <= 20 * 55, "{total} errors in 55 digits");
}

#[test]
fn fast_dialling_with_jumps_is_heard() {
    let Some(folder) = recordings() else { return };
    let (mut total, mut wrong) = (0, 0);
    for entry in std::fs::read_dir(folder.join("fast")).expect("readable recording") {
        let file = entry.expect("readable recording").path();
        let truth = file.file_stem().expect("readable recording").to_string_lossy().into_owned();
        total += truth.len();
        wrong += errors(&truth, &heard(&file));
    }
    assert!(wrong * 100 <= total, "{wrong} errors in {total} digits");
}
