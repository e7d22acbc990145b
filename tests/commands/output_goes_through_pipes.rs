use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::harness::{Folder, jsonl_digits, program, tonopago, tonopago_reading};

#[test]
fn a_wav_stream_is_generated_into_and_decoded_from_a_pipe() {
    let made = Command::new(program()).args(["generate", "0123#", "-o", "-"]).output().unwrap();
    assert!(made.status.success());
    let run = tonopago_reading(["decode", "--format", "jsonl", "-"], made.stdout);
    assert_eq!((run.code, jsonl_digits(&run.out)), (0, "0123#".to_owned()), "{}", run.err);
    assert!(run.out.starts_with("{\"file\":\"-\","), "{}", run.out);
}

#[test]
fn samples_without_a_header_are_decoded_in_the_form_that_is_named() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", "789", &["--encoding", "mulaw"]);
    // The G.711 files of this program begin their sound at byte 58.
    let raw = fs::read(file).unwrap().split_off(58);
    let form = ["decode", "--format", "jsonl", "--raw-rate", "8000", "--raw-format", "mulaw"];
    assert_eq!(jsonl_digits(&tonopago_reading([&form[..], &["-"]].concat(), raw.clone()).out), "789");
    let named = folder.path("a.ul");
    fs::write(&named, raw).unwrap();
    assert_eq!(jsonl_digits(&tonopago([&form[..], &[named.to_str().unwrap()]].concat()).out), "789");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    // More output than a pipe holds.
    for n in 0..20 {
        folder.digits(&format!("{n}.wav"), &"1234567890".repeat(30), &["--tone", "45", "--pause", "45"]);
    }
    let mut decoding = Command::new(program())
        .args(["decode", "--format", "jsonl", folder.path("").to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    decoding.stdout.take().unwrap().read_exact(&mut [0; 100]).unwrap();
    let output = decoding.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

/// On a terminal of its own (`script`), with the digits in a file: the bar is there, and digits do not make it flicker.
#[test]
fn a_progress_bar_is_not_drawn_for_each_digit() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", &"1234567890".repeat(200), &["--tone", "45", "--pause", "45"]);
    let (svg, out) = (folder.path("a.svg"), folder.path("out"));
    for plot in [String::new(), format!("--plot {}", svg.display())] {
        let (program, file, out) = (program().display(), file.display(), out.display());
        let line = format!("{program} decode --format jsonl {plot} {file} > {out}");
        let shown = Command::new("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output();
        let shown = shown.expect("script is part of every Debian (bsdutils)").stdout;
        assert!(String::from_utf8_lossy(&shown).contains("MiB"), "no bar: {}", String::from_utf8_lossy(&shown));
        let drawn = shown.iter().filter(|byte| **byte == 0x1b).count();
        assert!(drawn < 1000, "drawn {drawn} times for 2000 digits");
        assert_eq!(fs::read_to_string(folder.path("out")).unwrap().lines().count(), 2000);
    }
}
