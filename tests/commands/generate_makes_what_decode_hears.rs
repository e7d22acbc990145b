use std::process::Command;

use crate::harness::{Folder, jsonl_digits, program, tonopago};

const ALL: &str = "0123456789*#ABCD";

#[test]
fn at_every_rate_and_in_every_encoding() {
    let folder = Folder::new();
    for rate in ["8000", "11025", "16000", "44100", "48000"] {
        for encoding in ["pcm16", "mulaw", "alaw", "float"] {
            let name = format!("{rate}-{encoding}.wav");
            let file = folder.digits(&name, ALL, &["--rate", rate, "--encoding", encoding]);
            let run = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]);
            assert_eq!((run.code, jsonl_digits(&run.out)), (0, ALL.to_owned()), "{name}: {}", run.err);
        }
    }
}

#[test]
fn in_one_channel_of_two() {
    let folder = Folder::new();
    for (channel, index) in [("left", 0), ("right", 1)] {
        let file = folder.digits(channel, "147*", &["--channels", "2", "--channel", channel]);
        let run = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]);
        assert_eq!(jsonl_digits(&run.out), "147*");
        assert!(run.out.lines().all(|line| line.contains(&format!("\"channel\":{index}"))), "{}", run.out);
    }
}

#[test]
fn with_the_level_twist_and_timing_asked_for() {
    let folder = Folder::new();
    let args = ["--tone", "120", "--pause", "60", "--lead", "500", "--level", "-20", "--twist", "-6"];
    let file = folder.digits("a.wav", "5", &args);
    let run = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]);
    let digit: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let near = |name: &str, expected: f64, tolerance: f64| {
        let value = digit[name].as_f64().unwrap();
        assert!((value - expected).abs() < tolerance, "{name}: {value}, not {expected}");
    };
    near("start_s", 0.5, 0.01);
    near("end_s", 0.62, 0.01);
    near("low_dbm0", -26.0, 0.5);
    near("high_dbm0", -20.0, 0.5);
    near("twist_db", -6.0, 0.5);
    near("low_hz", 770.0, 2.0);
    near("high_hz", 1336.0, 2.0);
}

#[test]
fn in_noise_that_follows_its_seed() {
    let folder = Folder::new();
    let noisy = |name: &str, seed: &str| folder.digits(name, ALL, &["--snr", "15", "--seed", seed]);
    let bytes = |name: &str, seed: &str| std::fs::read(noisy(name, seed)).unwrap();
    assert_eq!(bytes("a.wav", "7"), bytes("b.wav", "7"));
    assert_ne!(bytes("a.wav", "7"), bytes("c.wav", "8"));
    let run = tonopago(["decode", "--format", "jsonl", noisy("a.wav", "7").to_str().unwrap()]);
    assert_eq!(jsonl_digits(&run.out), ALL);
}

#[test]
fn on_standard_output_as_in_a_file() {
    let folder = Folder::new();
    for args in [&["--encoding", "alaw", "--rate", "11025"][..], &["--snr", "20", "--channels", "2"]] {
        let file = std::fs::read(folder.digits("a.wav", ALL, args)).unwrap();
        let piped = Command::new(program()).args(["generate", ALL, "-o", "-"]).args(args).output().unwrap();
        assert!(piped.status.success() && piped.stdout == file, "{args:?}");
    }
}
