use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Folder, tonopago};

/// A folder with a file of each kind of end, and the five names in order.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.digits("a-good.wav", "12", &["--channels", "2", "--channel", "left"]);
    let silent = folder.digits("b-silent.wav", "1", &["--level", "-70"]);
    let cut = fs::read(folder.digits("c-cut.wav", "123456", &[])).unwrap();
    fs::write(folder.path("c-cut.wav"), &cut[..cut.len() / 2]).unwrap();
    // Joined to one in another form.
    let other = fs::read(folder.digits("d-partial.wav", "4", &["--rate", "16000"])).unwrap();
    fs::write(folder.path("d-partial.wav"), [fs::read(silent).unwrap(), other].concat()).unwrap();
    fs::write(folder.path("e-failed.wav"), "this is no recording at all, only some words").unwrap();
    folder
}

fn named(file: &str) -> String {
    Path::new(file).file_name().unwrap().to_string_lossy().into_owned()
}

/// A file without digits left no line, so that a script could not tell "nothing heard" from "not read".
#[test]
fn in_json_lines() {
    let folder = folder();
    let all = folder.path("");
    let run = tonopago(["decode", "--format", "jsonl", "--every-file", all.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    let lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (digits, endings): (Vec<&Value>, Vec<&Value>) = lines.iter().partition(|line| line.get("digit").is_some());
    // Lines of digits are as they were.
    let plain = tonopago(["decode", "--format", "jsonl", all.to_str().unwrap()]).out;
    let plain: Vec<Value> = plain.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(digits, plain.iter().collect::<Vec<_>>());
    let told: Vec<(String, &str, u64)> = endings
        .iter()
        .map(|end| {
            let (file, status) = (end["file"].as_str().unwrap(), end["status"].as_str().unwrap());
            (named(file), status, end["digits"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("a-good.wav", "decoded", 2),
        ("b-silent.wav", "decoded", 0),
        ("c-cut.wav", "warning", 3),
        ("d-partial.wav", "partial", 0),
        ("e-failed.wav", "failed", 0),
    ];
    assert_eq!(told, expected.map(|(file, status, digits)| (file.to_owned(), status, digits)));
    assert_eq!((&endings[0]["sample_rate"], &endings[0]["channels"]), (&Value::from(8000), &Value::from(2)));
    assert_eq!((&endings[0]["seconds"], &endings[0]["problem"]), (&Value::from(0.42), &Value::Null));
    assert_eq!((&endings[4]["sample_rate"], &endings[4]["seconds"]), (&Value::Null, &Value::Null));
    assert!(endings[2]["problem"].as_str().unwrap().starts_with("cut short: ends at 0.5"), "{}", endings[2]);
    assert!(endings[4]["problem"].as_str().unwrap().starts_with("is text, not a recording"), "{}", endings[4]);
    // Each ends its own lines.
    assert_eq!(lines[2]["status"], "decoded");
    assert_eq!(named(lines[2]["file"].as_str().unwrap()), "a-good.wav");
}

#[test]
fn in_csv() {
    let folder = folder();
    for rejected in [&[][..], &["--rejected"]] {
        let all = folder.path("");
        let args = [&["decode", "--format", "csv", "--every-file", all.to_str().unwrap()], rejected].concat();
        let run = tonopago(args);
        let mut reader = csv::Reader::from_reader(run.out.as_bytes());
        let names = reader.headers().unwrap().clone();
        let column = |name: &str| names.iter().position(|column| column == name).unwrap();
        assert!(names.iter().collect::<Vec<_>>().ends_with(&[
            "status",
            "sample_rate",
            "channels",
            "seconds",
            "digits",
            "problem"
        ]));
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let (endings, digits): (Vec<_>, Vec<_>) = rows.iter().partition(|row| !row[column("status")].is_empty());
        assert!(digits.iter().all(|row| !row[column("digit")].is_empty() && row[column("digits")].is_empty()));
        assert!(endings.iter().all(|row| row[column("digit")].is_empty() && row[column("channel")].is_empty()));
        let told: Vec<String> = endings
            .iter()
            .map(|row| [&named(&row[0]), &row[column("status")], &row[column("digits")]].join(" "))
            .collect();
        let expected =
            ["a-good.wav decoded 2", "b-silent.wav decoded 0", "c-cut.wav warning 3", "d-partial.wav partial 0"];
        assert_eq!(told, [&expected[..], &["e-failed.wav failed 0"]].concat());
    }
}

#[test]
fn a_folder_that_gives_nothing_has_a_line_and_nothing_changes_unasked() {
    let folder = Folder::new();
    let empty = folder.path("");
    let args = ["decode", "--format", "jsonl", empty.to_str().unwrap()];
    let run = tonopago([&args[..], &["--every-file"]].concat());
    let line: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, line["status"].as_str()), (1, Some("failed")));
    assert!(line["problem"].as_str().unwrap().starts_with("the folder holds no recording"), "{line}");
    let file = folder.path("missing.wav");
    let plot = ["--every-file", "--plot", "x.svg", file.to_str().unwrap()];
    let run = tonopago([&args[..3], &plot].concat());
    let line: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, line["status"].as_str()), (1, Some("failed")), "of one to be drawn, too");
    assert_eq!((tonopago(args).out, tonopago(["decode", "--every-file", args[3]]).out), (String::new(), String::new()));
}
