//! `conformance`: rows chosen by name or group, as table, JSON lines and a page; a row that fails makes exit code 1.

use std::fs;

use crate::harness::{Folder, tonopago};

#[test]
fn rows_are_chosen_and_told_as_table_and_json_lines() {
    let run = tonopago(["conformance", "--quick", "--only", "etsi", "--only", "level -25"]);
    assert!(
        run.code == 0 && run.out.contains("ETSI ES 201 235-3") && run.out.contains("Brazil: level -25 dBm"),
        "{run:?}"
    );
    let run = tonopago(["conformance", "--quick", "--only", "etsi", "--format", "jsonl"]);
    let rows: Vec<serde_json::Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(
            (&row["group"], &row["pass"], &row["skipped"]),
            (&"etsi".into(), &true.into(), &serde_json::Value::Null)
        );
        assert_eq!(
            (&row["profile"], &row["quick"], &row["failures"], &row["version"]),
            (&"etsi".into(), &true.into(), &0.into(), &env!("CARGO_PKG_VERSION").into())
        );
        assert!(row["upper_bound"].as_f64().unwrap() > 0.0 && row["trials"].as_u64().unwrap() >= 20, "{row}");
    }
    let names = tonopago(["conformance", "--list", "--only", "mitel"]);
    assert!(names.code == 0 && names.out.lines().all(|line| line.starts_with("mitel ")), "{names:?}");
    let none = tonopago(["conformance", "--only", "nothing like it"]);
    assert!(none.code == 2 && none.err.contains("--list names them"), "{none:?}");
}

#[test]
fn the_page_holds_curves_and_rows_and_needs_nothing_else() {
    let run = tonopago(["conformance", "--quick", "--only", "etsi", "--format", "html"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.starts_with("<!DOCTYPE html>") && run.out.matches("<svg").count() == 6);
    assert!(run.out.contains("gap 20 ms, one digit") && !run.out.contains("http"), "{}", run.out);
    assert!(run.err.contains("4 rows, 0 failed"), "{}", run.err);
}

#[test]
fn a_row_that_fails_and_a_folder_that_is_wrong_are_told() {
    let folder = Folder::new();
    folder.digits("one.wav", "123", &[]);
    fs::write(folder.path("truth.tsv"), "one.wav\t456\n").unwrap();
    let recordings = |suffix: &str| format!("{}{suffix}", folder.path("").display());
    let run = tonopago(["conformance", "--only", "recordings", "--recordings", &recordings("")]);
    assert!(run.code == 1 && run.out.contains("FAIL") && run.out.contains("3 missed or wrong"), "{run:?}");
    let run = tonopago(["conformance", "--recordings", &recordings("=200")]);
    assert!(run.code == 2 && run.err.contains("no percentage"), "{run:?}");
    fs::write(folder.path("truth.tsv"), "one.wav 456\n").unwrap();
    let run = tonopago(["conformance", "--recordings", &recordings("")]);
    assert!(run.code == 1 && run.err.contains("truth.tsv:1: `one.wav 456`"), "{run:?}");
    let run = tonopago(["conformance", "--quick", "--speech", "missing.wav"]);
    assert!(run.code == 1 && run.err.contains("missing.wav"), "{run:?}");
}

/// Measured in silence on half of what was brought, a figure is no figure.
#[test]
fn sound_that_is_not_all_there_is_told() {
    let folder = Folder::new();
    folder.digits("159.wav", "159", &["--tone", "5000"]);
    let whole = fs::read(folder.path("159.wav")).unwrap();
    fs::write(folder.path("159.wav"), &whole[..whole.len() - 20_000]).unwrap();
    fs::write(folder.path("notes.wma"), "?").unwrap();
    let sound = folder.path("").display().to_string();
    let run = tonopago(["conformance", "--list", "--speech", &sound, "--only", "digits in speech"]);
    assert!(run.code == 0 && run.err.contains("159.wav: cut short: ends at "), "{run:?}");
    assert!(run.err.contains("left out 1 file not named as a recording: ") && run.err.contains("notes.wma"), "{run:?}");
    let run = tonopago(["conformance", "--recordings", &sound, "--only", "recordings"]);
    assert!(run.err.contains("warning: ") && run.err.contains("159.wav: cut short: ends at "), "{run:?}");
}
