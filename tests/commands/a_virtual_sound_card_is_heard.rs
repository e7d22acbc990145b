//! `devices` and `listen` on a paced sound card without hardware: PulseAudio's null sink, which hears what it plays.
//! Where PulseAudio is not installed these tests say so and pass.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Folder, Run, at_home, jsonl_digits, program, tonopago};
use crate::virtual_card::VirtualCard;

const LISTEN: [&str; 7] =
    ["listen", "--device", "pulseaudio:line.monitor", "--output", "pulseaudio:line", "--format", "jsonl"];

fn keys(folder: &Folder, name: &str, digits: &str) -> std::path::PathBuf {
    folder.digits(name, digits, &["--tone", "120", "--pause", "120", "--lead", "200", "--level", "-13"])
}

fn listen_to(card: &VirtualCard, file: &Path, args: &[&str]) -> Run {
    card.tonopago(&[&LISTEN[..], &["--play", file.to_str().unwrap()], args].concat())
}

#[test]
fn what_it_plays_is_heard_digit_for_digit_at_several_rates() {
    let Some(card) = VirtualCard::start(&["line"]) else { return };
    let file = keys(&card.folder, "keys.wav", "159*0#D");
    for rate in [&[][..], &["--rate", "48000"]] {
        // On a busy machine a virtual card has gaps that a real one has not: up to three attempts.
        let mut attempts = (0..3).map(|_| listen_to(&card, &file, rate)).inspect(|run| {
            assert!(run.code == 0 && run.err.contains("pulseaudio:line.monitor at "), "{run:?}");
        });
        assert!(attempts.any(|run| jsonl_digits(&run.out) == "159*0#D"), "not once in three attempts");
    }
}

#[test]
fn latency_through_it_is_split_into_its_parts() {
    let Some(card) = VirtualCard::start(&["line"]) else { return };
    let cards = ["latency", "--loop", "pulseaudio:line", "pulseaudio:line.monitor", "--keys", "5", "--format", "jsonl"];
    // As above: up to three attempts, since a gap of a virtual card may fall into a key.
    let heard = (0..3).map(|_| card.tonopago(&cards)).find(|run| run.code == 0);
    let run = heard.expect("not once in three attempts");
    let keys: Vec<serde_json::Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(keys.len(), 5, "{}", run.out);
    for key in keys {
        let part = |name: &str| key[name].as_f64().unwrap();
        let sum = part("buffer_ms") + part("device_ms") + part("detector_ms");
        assert!((sum - part("total_ms")).abs() < 0.1, "{key}");
        // The sound it has to hear does not depend on this machine.
        assert!((15.0..45.0).contains(&part("evidence_ms")), "{key}");
    }
    let deaf = card.tonopago(&[
        "latency",
        "--loop",
        "pulseaudio:line",
        "pulseaudio:line.monitor",
        "--keys",
        "1",
        "--rate",
        "1",
    ]);
    assert!(deaf.code == 1 && deaf.err.contains("tonopago: "), "{deaf:?}");
}

#[test]
fn it_is_listed_with_what_each_direction_can_do() {
    let Some(card) = VirtualCard::start(&["line"]) else { return };
    let run = card.tonopago(&["devices", "--format", "jsonl"]);
    let cards: Vec<serde_json::Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |id: &str| cards.iter().find(|card| card["id"] == id).unwrap_or_else(|| panic!("{id} in {}", run.out));
    let (sink, monitor) = (find("pulseaudio:line"), find("pulseaudio:line.monitor"));
    assert_eq!((&sink["output"]["rate"], &sink["input"]), (&8000.into(), &serde_json::Value::Null));
    assert_eq!((&monitor["input"]["channels"], &monitor["output"]), (&1.into(), &serde_json::Value::Null));
    assert!(
        card.tonopago(&["devices"])
            .out
            .contains("pulseaudio:line.monitor\n  Monitor of Null Output\n  records 8000 Hz")
    );
}

#[test]
fn when_it_is_taken_away_listening_ends_with_a_clear_error() {
    let Some(mut card) = VirtualCard::start(&["line"]) else { return };
    let file = keys(&card.folder, "keys.wav", &"5".repeat(200));
    let mut command = Command::new(program());
    let mut listening = at_home(&mut command, &card.folder)
        .args(LISTEN)
        .args(["--play", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(listening.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"digit\":\"5\""), "{line}");
    card.take_away();
    let code = listening.wait().unwrap().code();
    let mut told = String::new();
    listening.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(code == Some(1) && told.contains("tonopago: pulseaudio:line") && told.contains("open it again"), "{told}");
}

#[test]
fn one_that_is_not_there_is_named() {
    let run = tonopago(["listen", "--device", "no such card"]);
    assert!(run.code == 1 && run.err.contains("no sound"), "{run:?}");
}
