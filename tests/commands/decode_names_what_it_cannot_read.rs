use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use crate::harness::{Folder, Run, jsonl_digits, program, tonopago};

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
        ("text.wav", "is text, not a recording"),
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

/// Standard input whose other end breaks off with something unread: a device that fails in the midst of a recording.
#[test]
fn a_recording_that_stops_in_the_middle_is_told_so_far_with_code_1() {
    let folder = Folder::new();
    let sound = fs::read(folder.digits("a.wav", "123456", &[])).unwrap();
    let svg = folder.path("a.svg");
    for plot in [&[][..], &["--plot", svg.to_str().unwrap()]] {
        for format in ["text", "jsonl", "csv"] {
            let (mut writer, mut reader) = UnixStream::pair().unwrap();
            reader.write_all(b"nobody reads this").unwrap();
            writer.write_all(&sound[..sound.len() / 2]).unwrap();
            drop(writer);
            let mut decoding = Command::new(program());
            decoding.args(["decode", "--format", format, "-"]).args(plot).stdin(OwnedFd::from(reader));
            let run = Run::of(decoding.output().unwrap());
            assert!(run.code == 1 && run.err.contains("-: cannot be read further at 0."), "{format}: {run:?}");
            match format {
                "text" => {
                    assert!(run.out.starts_with("-: 123\n  8000 Hz, 1 channel, the first 0.5"), "{run:?}");
                    assert_eq!(run.out.lines().count(), 6, "{run:?}");
                }
                "jsonl" => assert_eq!(jsonl_digits(&run.out), "123"),
                _ => assert_eq!(run.out.lines().count(), 4, "{run:?}"),
            }
        }
    }
    assert!(fs::read_to_string(svg).unwrap().contains("3 digits"));
}

#[test]
fn a_recording_that_goes_on_in_a_form_that_can_not_be_followed_is_told_so_far_with_code_1() {
    let folder = Folder::new();
    let (file, svg) = (folder.path("two.ogg"), folder.path("two.svg"));
    let first = include_bytes!("../recordings/59.ogg");
    fs::write(&file, [&first[..], &at_16_khz(first)].concat()).unwrap();
    let file = file.to_str().unwrap();
    for plot in [&[][..], &["--plot", svg.to_str().unwrap()]] {
        for format in ["text", "jsonl", "csv"] {
            let run = tonopago([&["decode", "--format", format, file], plot].concat());
            assert!(run.code == 1 && run.err.contains("two.ogg: decoded up to 1.500 s only"), "{format}: {run:?}");
            assert!(run.out.contains('9'), "{format}: {run:?}");
        }
    }
    // A detector that is measured on what could be decoded alone would seem to miss the rest.
    fs::write(folder.path("truth.tsv"), "two.ogg\t5959\n").unwrap();
    for option in ["--speech", "--recordings"] {
        let run = tonopago(["conformance", "--list", option, folder.path("").to_str().unwrap()]);
        assert!(run.code == 1 && run.err.contains("two.ogg: decoded up to 1.500 s only"), "{option}: {run:?}");
    }
}

/// An Ogg stream that claims another sample rate in its first page, whose checksum is made to fit.
fn at_16_khz(ogg: &[u8]) -> Vec<u8> {
    let mut ogg = ogg.to_vec();
    let find =
        |from: usize, what: &[u8]| from + ogg[from..].windows(what.len()).position(|bytes| bytes == what).unwrap();
    let (rate, page_end) = (find(0, b"\x01vorbis") + 12, find(4, b"OggS"));
    ogg[rate..rate + 4].copy_from_slice(&16_000_u32.to_le_bytes());
    ogg[22..26].fill(0);
    let shift = |sum: u32, _| if sum >> 31 == 1 { (sum << 1) ^ 0x04c1_1db7 } else { sum << 1 };
    let checksum = ogg[..page_end].iter().fold(0, |sum, byte| (0..8).fold(sum ^ (u32::from(*byte) << 24), shift));
    ogg[22..26].copy_from_slice(&checksum.to_le_bytes());
    ogg
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
        (&["decode", "--raw-rate", "8000", "--raw-format", "pcm", "x"], "known are u8, s8, s16le"),
        (&["decode", "--raw-rate", "8000", "--raw-format", "g722", "x"], "give --raw-rate 16000"),
        (&["decode", "--raw-rate", "3999", "x"], "give 4000 to 192000 Hz"),
        (&["decode", "--raw-rate", "8000", "--raw-channels", "100000", "x"], "give 1 to 32 channels"),
    ] {
        let run = tonopago(args);
        assert!(run.code == 2 && run.err.contains(reason), "{args:?}: {run:?}");
    }
}

#[test]
fn what_is_left_out_of_a_folder_is_told() {
    let folder = Folder::new();
    folder.digits("a.wav", "12", &[]);
    // As a pipe, a socket is no recording; unlike a pipe, it makes nobody wait who opens it all the same.
    let _socket = UnixListener::bind(folder.path("b.wav")).unwrap();
    ["c.spx", "d", "e.txt"].iter().for_each(|name| fs::write(folder.path(name), "x").unwrap());
    let run = tonopago(["decode", "--format", "jsonl", folder.path("").to_str().unwrap()]);
    assert_eq!((run.code, jsonl_digits(&run.out)), (0, "12".to_owned()), "{run:?}");
    assert!(run.err.contains("left out 4 files not named as a recording: ") && run.err.contains("c.spx"), "{run:?}");
    assert!(run.err.contains(" and 1 more (name them to decode them)"), "{run:?}");
}
