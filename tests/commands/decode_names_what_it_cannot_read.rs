use std::fs;

use crate::harness::{Folder, jsonl_digits, tonopago};

#[test]
fn and_decodes_the_others_with_code_1() {
    let folder = Folder::new();
    let (good, last) = (folder.digits("good.wav", "12", &[]), folder.digits("last.wav", "34", &[]));
    let (text, empty, missing) = (folder.path("text.wav"), folder.path("empty.wav"), folder.path("missing.wav"));
    fs::write(&text, "this is no recording at all, only some words").unwrap();
    fs::write(&empty, "").unwrap();
    let files = [&good, &text, &empty, &missing, &last].map(|path| path.to_str().unwrap());
    let run = tonopago([&["decode", "--format", "jsonl"], &files[..]].concat());
    assert_eq!((run.code, jsonl_digits(&run.out)), (1, "1234".to_owned()));
    let told: Vec<&str> = run.err.lines().collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (line, (name, reason)) in told.iter().zip([
        ("text.wav", "is no recording this program can decode"),
        ("empty.wav", "is empty"),
        ("missing.wav", "cannot be opened"),
    ]) {
        assert!(line.starts_with("tonopago: ") && line.contains(name) && line.contains(reason), "{line}");
    }
}

#[test]
fn a_cut_file_is_decoded_as_far_as_it_goes_with_a_warning_and_code_0() {
    let folder = Folder::new();
    let file = folder.digits("cut.wav", "123456", &[]);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let run = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]);
    assert_eq!((run.code, jsonl_digits(&run.out)), (0, "123".to_owned()));
    assert!(
        run.err.starts_with("tonopago: warning: ") && run.err.contains("cut.wav: cut short: ends at 0.5"),
        "{run:?}"
    );
}

#[test]
fn a_folder_without_recordings_is_told() {
    let folder = Folder::new();
    let run = tonopago(["decode", folder.path("").to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains("holds no recording (names ending in wav,"), "{run:?}");
}

#[test]
fn a_wrong_command_line_is_told_with_code_2() {
    for (args, reason) in [
        (&["decode"][..], "required"),
        (&["decode", "-", "-"], "only once"),
        (&["decode", "--jobs", "0", "x"], "0 is not in 1..=256"),
        (&["decode", "--raw-format", "mulaw", "x"], "--raw-rate"),
        (&["decode", "--raw-rate", "8000", "--raw-format", "pcm", "x"], "known are u8, s16le"),
    ] {
        let run = tonopago(args);
        assert!(run.code == 2 && run.err.contains(reason), "{args:?}: {run:?}");
    }
}
