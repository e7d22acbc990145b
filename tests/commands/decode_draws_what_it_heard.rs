//! `decode --plot`: the same digits as ever, and a picture of them.

use std::fs;
use std::io::Seek as _;
use std::process::Command;

use crate::harness::{Folder, Run, program, tonopago};

#[test]
fn the_picture_is_beside_what_is_told() {
    let folder = Folder::new();
    let (file, svg) = (folder.digits("keys.wav", "159#", &["--twist", "2"]), folder.path("keys.svg"));
    let (file, svg) = (file.to_str().unwrap(), svg.to_str().unwrap());
    for format in ["text", "jsonl", "csv"] {
        let plain = tonopago(["decode", "--format", format, file]);
        let drawn = tonopago(["decode", "--format", format, "--plot", svg, file]);
        assert_eq!((drawn.code, &drawn.out), (0, &plain.out), "{}", drawn.err);
    }
    let picture = fs::read_to_string(svg).unwrap();
    assert!(picture.contains("keys.wav") && picture.contains("4 digits") && picture.contains("data:image/png"));
    let twisted = folder.digits("twisted.wav", "7", &["--twist", "16"]);
    let run = tonopago(["decode", "--rejected", "--plot", svg, twisted.to_str().unwrap()]);
    assert!(run.code == 0 && run.out.contains("refused: twist"), "{run:?}");
    assert!(fs::read_to_string(svg).unwrap().contains("7? twist outside the limits"));
}

#[test]
fn it_draws_one_recording_and_says_what_it_can_not_write() {
    let folder = Folder::new();
    let file = folder.digits("keys.wav", "1", &[]);
    let file = file.to_str().unwrap();
    let run = tonopago(["decode", "--plot", "x.svg", file, file]);
    assert!(run.code == 2 && run.err.contains("one recording"), "{run:?}");
    let run = tonopago(["decode", "--plot", folder.path("no/such/x.svg").to_str().unwrap(), file]);
    assert!(run.code == 1 && run.err.contains("x.svg: cannot be written"), "{run:?}");
    let run = tonopago(["decode", "--plot", "x.svg", folder.path("missing.wav").to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains("missing.wav"), "{run:?}");
}

/// `--plot *.wav` and its like: what is there is not a drawing, so it stays.
#[test]
fn a_recording_is_never_written_over() {
    let folder = Folder::new();
    let (a, b) = (folder.digits("a.wav", "12", &[]), folder.digits("b.wav", "34", &[]));
    let sound = fs::read(&a).unwrap();
    let [hard, soft, other] = ["hard.svg", "soft.svg", "other.svg"].map(|name| folder.path(name));
    fs::hard_link(&a, &hard).unwrap();
    std::os::unix::fs::symlink(&a, &soft).unwrap();
    fs::write(&other, "<html>no drawing</html>").unwrap();
    for (target, recording, reason) in [
        (&a, &b, "a drawing's name ends in .svg"),
        (&hard, &a, "that is the recording itself"),
        (&soft, &a, "that is the recording itself"),
        (&soft, &b, "something else than an SVG"),
        (&other, &b, "something else than an SVG"),
        (&folder.path("-"), &b, "a drawing's name ends in .svg"),
    ] {
        let run = tonopago(["decode", "--plot", target.to_str().unwrap(), recording.to_str().unwrap()]);
        assert!(run.code == 2 && run.out.is_empty() && run.err.contains(reason), "{target:?}: {run:?}");
    }
    let run = tonopago(["decode", "--plot", "-", b.to_str().unwrap()]);
    assert!(run.code == 2 && run.err.contains("standard output is for the digits"), "{run:?}");
    let from_standard_input = Command::new(program())
        .args(["decode", "--plot", hard.to_str().unwrap(), "-"])
        .stdin(fs::File::open(&a).unwrap())
        .output()
        .unwrap();
    assert!(from_standard_input.status.code() == Some(2), "{from_standard_input:?}");
    assert_eq!(fs::read(&a).unwrap(), sound);
    assert_eq!(fs::read_to_string(&other).unwrap(), "<html>no drawing</html>");
}

#[test]
fn that_a_drawing_can_be_written_is_known_before_hours_are_decoded() {
    let folder = Folder::new();
    let file = folder.digits("keys.wav", &"1234567890".repeat(100), &[]);
    let mut sound = fs::File::open(&file).unwrap();
    let run = Command::new(program())
        .args(["decode", "--plot", folder.path("no/such/x.svg").to_str().unwrap(), "-"])
        .stdin(sound.try_clone().unwrap())
        .output();
    let run = Run::of(run.unwrap());
    assert!(run.code == 1 && run.err.contains("x.svg: cannot be written"), "{run:?}");
    // The place in the file is shared with the program.
    let (read, length) = (sound.stream_position().unwrap(), sound.metadata().unwrap().len());
    assert!(read < length / 2, "{read} of {length} bytes were read");
}

/// As on a full disk.
#[test]
fn digits_are_told_and_the_earlier_drawing_stays_if_the_drawing_fails() {
    let folder = Folder::new();
    let (file, svg) = (folder.digits("keys.wav", "159#", &[]), folder.path("keys.svg"));
    fs::write(&svg, "<svg>earlier</svg>").unwrap();
    let run = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(program())
        .args(["decode", "--plot", svg.to_str().unwrap(), file.to_str().unwrap()])
        .output();
    let run = Run::of(run.unwrap());
    assert!(run.code == 1 && run.err.contains("keys.svg: cannot be written"), "{run:?}");
    assert!(run.out.contains("keys.wav: 159#\n"), "{run:?}");
    assert_eq!(fs::read_to_string(&svg).unwrap(), "<svg>earlier</svg>");
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 2, "nothing else is left in the folder");
}
