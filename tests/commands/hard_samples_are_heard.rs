//! The hard cases in `samples/hard`: every digit of their truth, no other; and they are what the program makes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Folder, jsonl_digits, tonopago};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/hard")
}

fn truth(folder: &Path) -> Vec<(String, String)> {
    let table = fs::read_to_string(folder.join("truth.tsv")).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| line.split_once('\t').unwrap()).map(|(file, digits)| (file.into(), digits.into())).collect()
}

#[test]
fn decode_hears_their_truth() {
    let known = truth(&folder());
    assert!(known.len() >= 16, "{} files", known.len());
    let mut bytes = 0;
    for (file, digits) in known {
        let path = folder().join(&file);
        bytes += fs::metadata(&path).unwrap().len();
        let run = tonopago(["decode", "--format", "jsonl", path.to_str().unwrap()]);
        assert_eq!((run.code, jsonl_digits(&run.out)), (0, digits), "{file}: {}", run.err);
    }
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

#[test]
fn they_are_what_the_program_makes() {
    let made = Folder::new();
    let run = tonopago(["samples", "--only-hard", "--out", made.path("").to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run:?}");
    for (file, digits) in truth(&made.path("hard")) {
        assert!(truth(&folder()).contains(&(file.clone(), digits)), "{file}");
        // Another version of SoX may code a little differently.
        if file != "gsm.wav" {
            let (made, kept) =
                (fs::read(made.path("hard").join(&file)).unwrap(), fs::read(folder().join(&file)).unwrap());
            assert!(made == kept, "{file} differs: make samples");
        }
    }
}

#[test]
fn conformance_takes_the_folder_as_recordings() {
    let recordings = format!("{}=0", folder().display());
    let run = tonopago(["conformance", "--only", "recordings", "--recordings", &recordings]);
    assert!(run.code == 0 && run.out.contains("0 missed or wrong, 0 extra"), "{run:?}");
}
