//! Every sample decodes to its digits and makes its call end as the file beside it says.

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
        let channel = (sample.channel + 1).to_string();
        let (fault, _) = Fault::NAMED.into_iter().find(|(_, fault)| *fault == sample.fault).unwrap();
        let arguments = ["call", path.to_str().unwrap(), "--channel", &channel, "--fault", fault, "--format", "jsonl"];
        let events = tonopago(&arguments);
        let mut states =
            events.iter().rev().filter(|event| event["event"] == "state").filter_map(|event| event["name"].as_str());
        assert_eq!(states.next(), Some(sample.last_state.as_str()), "{}", sample.file);
        assert_eq!(events.last().unwrap()["paid"], sample.paid, "{}", sample.file);
    }
}
