//! `decode --plot`: the same digits as ever, and a picture of them.

use std::fs;

use crate::harness::{Folder, tonopago};

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
