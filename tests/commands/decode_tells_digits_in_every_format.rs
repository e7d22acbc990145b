use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::harness::{Folder, jsonl_digits, tonopago};

#[test]
fn text_begins_with_the_digits() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", "12", &[]);
    let run = tonopago(["decode", file.to_str().unwrap()]);
    assert!(run.out.starts_with(&format!("{}: 12\n  8000 Hz, 1 channel, 0.420 s\n", file.display())), "{}", run.out);
    assert_eq!((run.out.lines().count(), run.err.as_str()), (5, ""));
}

#[test]
fn json_lines_and_csv_say_the_same() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", "19#", &["--channels", "2", "--snr", "20"]);
    let json = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]).out;
    let csv = tonopago(["decode", "--format", "csv", file.to_str().unwrap()]).out;
    assert_eq!((json.lines().count(), csv.lines().count()), (6, 7));
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    for (object, values) in json.lines().zip(csv.lines().skip(1)) {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(object).unwrap();
        assert_eq!(object.len(), names.len());
        for (name, value) in names.iter().zip(values.split(',')) {
            match &object[*name] {
                serde_json::Value::Number(number) => assert_eq!(number.as_f64(), value.parse().ok(), "{name}"),
                other => assert_eq!(other.as_str(), Some(value), "{name}"),
            }
        }
    }
}

/// As `--help` and the README say: not what `generate --snr` means, of which only a third is in the digits' band.
#[test]
fn the_signal_to_noise_ratio_told_is_that_of_the_digits_band() {
    let help = tonopago(["decode", "--help"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    let [from, band] = ["`generate --snr` makes it at 8000 Hz", "between 600 and 1900 Hz"];
    assert!(help.contains(from) && help.contains(band), "{help}");
    let folder = Folder::new();
    // What is made at 48 kHz reaches to 24 kHz: a sixth as much of it is in the band.
    for (asked, rate, more) in [(3.0, "8000", 5.0), (10.0, "8000", 5.0), (20.0, "8000", 5.0), (3.0, "48000", 12.8)] {
        let made = ["--snr", &format!("{asked}"), "--rate", rate];
        let file = folder.digits("a.wav", &"1470258*369#".repeat(4), &made);
        let told = tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]).out;
        let values = told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let ratios: Vec<f64> = values.filter_map(|value| value["snr_db"].as_f64()).collect();
        let higher = ratios.iter().sum::<f64>() / ratios.len() as f64 - asked;
        assert!(
            ratios.len() == 48 && (-1.0..1.5).contains(&(higher - more)),
            "{asked} dB, {rate} Hz: {higher} dB more"
        );
    }
}

/// The same 1.5 s, in all of them: 5 at 0.1 s and 9 at 1.0 s.
#[test]
fn opus_alac_and_g722_are_found_in_a_folder_with_their_digits_in_time() {
    let folder = Folder::new();
    let files = ["59.opus", "59-silk.opus", "59-celt.opus", "59-opus.mp4", "59.webm", "59-alac.m4a", "59.g722"];
    for file in files {
        std::fs::copy(format!("{}/tests/recordings/{file}", env!("CARGO_MANIFEST_DIR")), folder.path(file)).unwrap();
    }
    let run = tonopago(["decode", "--format", "jsonl", folder.path("").to_str().unwrap()]);
    assert_eq!((run.code, run.err.as_str(), jsonl_digits(&run.out)), (0, "", "59".repeat(files.len())));
    for (line, start_s) in run.out.lines().zip([0.1, 1.0].into_iter().cycle()) {
        let digit: serde_json::Value = serde_json::from_str(line).unwrap();
        let off = digit["start_s"].as_f64().unwrap() - start_s;
        assert!(off.abs() < 0.003, "{line}");
    }
}

#[test]
fn near_misses_come_with_their_reason_only_when_asked_for() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", "5", &["--twist", "16"]);
    assert_eq!(tonopago(["decode", "--format", "jsonl", file.to_str().unwrap()]).out, "");
    let run = tonopago(["decode", "--format", "jsonl", "--rejected", file.to_str().unwrap()]);
    assert!(run.out.contains("\"reason\":\"twist outside the limits\""), "{}", run.out);
    let run = tonopago(["decode", "--rejected", file.to_str().unwrap()]);
    assert!(run.out.contains("a.wav: no digits\n") && run.out.contains("refused: twist"), "{}", run.out);
}

#[test]
fn profiles_set_the_limits() {
    let folder = Folder::new();
    let file = folder.digits("a.wav", "5", &["--twist", "-6"]);
    let digits = |profile| {
        jsonl_digits(&tonopago(["decode", "--format", "jsonl", "--profile", profile, file.to_str().unwrap()]).out)
    };
    assert_eq!((digits("default"), digits("att")), ("5".to_owned(), String::new()));
    let run = tonopago(["decode", "--profile", "bell", file.to_str().unwrap()]);
    assert!(run.code == 2 && run.err.contains("[possible values: default, att, "), "{run:?}");
}

#[test]
fn a_folder_is_decoded_in_the_order_of_its_names_whatever_the_number_of_jobs() {
    let folder = Folder::new();
    for n in 10..30 {
        folder.digits(&format!("{n}.wav"), &n.to_string(), &[]);
    }
    std::fs::write(folder.path("notes.txt"), "no sound").unwrap();
    let expected: String = (10..30).map(|n| n.to_string()).collect();
    for jobs in ["1", "3", "32"] {
        let run = tonopago(["decode", "--format", "jsonl", "--jobs", jobs, folder.path("").to_str().unwrap()]);
        assert_eq!((run.code, jsonl_digits(&run.out)), (0, expected.clone()), "{}", run.err);
    }
}

/// Names that are no text, or that a terminal would obey: each leads back to its file, in every form.
#[test]
fn names_of_any_bytes_are_told_unmistakably() {
    let folder = Folder::new();
    let sound = folder.digits("a.wav", "5", &[]);
    let names = [&b"b\xfe.wav"[..], b"b\xff.wav", b"c\x1b[2J\n.wav"];
    let told = [r"b\xfe.wav", r"b\xff.wav", r"c\x1b[2J\x0a.wav"];
    for name in names {
        std::fs::copy(&sound, folder.path("").join(OsStr::from_bytes(name))).unwrap();
    }
    let place = folder.path("");
    let place = place.to_str().unwrap();
    let json = tonopago(["decode", "--format", "jsonl", place]).out;
    let file =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].as_str().unwrap().to_owned();
    let files: Vec<String> = json.lines().skip(1).map(file).collect();
    assert_eq!(files, told.map(|name| format!("{place}{name}")));
    for format in ["text", "csv"] {
        let out = tonopago(["decode", "--format", format, place]).out;
        assert!(told.iter().all(|name| out.contains(name)) && !out.contains('\u{1b}'), "{out}");
    }
    let missing = folder.path("").join(OsStr::from_bytes(b"gone\x1b[2J\xff.wav"));
    for plot in [None, Some("x.svg")] {
        let drawn = plot.into_iter().flat_map(|svg| [OsStr::new("--plot"), OsStr::new(svg)]);
        let run = tonopago([OsStr::new("decode"), missing.as_os_str()].into_iter().chain(drawn));
        assert!(run.code == 1 && run.err.contains(r"gone\x1b[2J\xff.wav: cannot be opened"), "{run:?}");
    }
}
