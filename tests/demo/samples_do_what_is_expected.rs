//! Every sample decodes to its digits, makes its call end as the file beside it says, and is the one this build makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tonopago::demo::{Fault, SCENARIOS, Sample};

fn samples() -> Vec<(PathBuf, Sample)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut expected: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with(".expected.json")).collect();
    expected.sort();
    let read = |path: PathBuf| {
        let sample: Sample = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        (folder.join(&sample.file), sample)
    };
    expected.into_iter().map(read).collect()
}

fn tonopago(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_tonopago")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn decode_finds_the_expected_digits() {
    assert!(samples().len() > SCENARIOS.len(), "one a scenario, and one at 44.1 kHz");
    for (path, sample) in samples() {
        let objects = tonopago(&["decode", "--format", "jsonl", path.to_str().unwrap()]);
        let of_caller = objects.iter().filter(|object| object["channel"] == sample.channel);
        let digits: String = of_caller.filter_map(|object| object["digit"].as_str()).collect();
        assert_eq!(digits, sample.digits, "{}", sample.file);
    }
}

#[test]
fn call_ends_as_expected() {
    for (path, sample) in samples() {
        let channel = sample.channel.to_string();
        let (fault, _) = Fault::NAMED.into_iter().find(|(_, fault)| *fault == sample.fault).unwrap();
        let arguments = ["call", path.to_str().unwrap(), "--channel", &channel, "--fault", fault, "--format", "jsonl"];
        let events = tonopago(&arguments);
        let mut states =
            events.iter().rev().filter(|event| event["event"] == "state").filter_map(|event| event["name"].as_str());
        assert_eq!(states.next(), Some(sample.last_state.as_str()), "{}", sample.file);
        assert_eq!(events.last().unwrap()["paid"], sample.paid, "{}", sample.file);
    }
}

/// `make samples` writes them anew. A rounding step is let pass: sines are the machine's library's.
#[test]
fn samples_are_those_this_build_makes() {
    let made = tempfile::tempdir().unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_tonopago")).args(["samples", "--out"]).arg(made.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let files: Vec<PathBuf> = String::from_utf8(run.stdout).unwrap().lines().map(PathBuf::from).collect();
    assert!(files.len() > 2 * SCENARIOS.len(), "{files:?}");
    // Without SoX one hard case is not made, and the list of all is shorter.
    for file in files.iter().filter(|file| !file.ends_with("truth.tsv")) {
        let name = file.strip_prefix(made.path()).unwrap();
        let (new, old) = (std::fs::read(file).unwrap(), std::fs::read(kept.join(name)).unwrap());
        assert!(is_same(&new, &old), "samples/{} is old: run `make samples`", name.display());
    }
}

fn is_same(new: &[u8], old: &[u8]) -> bool {
    if !new.starts_with(b"RIFF") || new.len() != old.len() {
        return new == old;
    }
    let header = new.len().min(WAV_HEADER);
    let steps = if new[WAV_FORM] == MU_LAW { mu_law_steps } else { pcm16_steps };
    let apart = steps(&new[header..]).zip(steps(&old[header..])).map(|(new, old)| new.abs_diff(old)).max();
    new[..header] == old[..header] && apart.is_none_or(|apart| apart <= 1)
}

/// Where a WAV's samples begin at the latest in these files (that of mu-law has more in its header).
const WAV_HEADER: usize = 58;
/// Where a WAV file tells how its samples are written, and mu-law's number.
const WAV_FORM: usize = 20;
const MU_LAW: u8 = 7;

fn pcm16_steps(bytes: &[u8]) -> Box<dyn Iterator<Item = i32> + '_> {
    Box::new(bytes.chunks_exact(2).map(|pair| i32::from(i16::from_le_bytes([pair[0], pair[1]]))))
}

fn mu_law_steps(bytes: &[u8]) -> Box<dyn Iterator<Item = i32> + '_> {
    let step = |byte: &u8| if byte & 0x80 == 0 { -i32::from(!byte & 0x7f) } else { i32::from(!byte & 0x7f) };
    Box::new(bytes.iter().map(step))
}
