use crate::harness::{Folder, tonopago};

#[test]
fn with_the_reason_and_code_2() {
    let folder = Folder::new();
    let path = folder.path("never.wav");
    let cases: [(&[&str], &str); 11] = [
        (&["12x4"], "`x` is no DTMF digit: use 0-9, *, # and A-D"),
        (&[" "], "at least one digit"),
        (&["1", "--rate", "500"], "sample rate 500 Hz is not supported: use 4000 to 192000 Hz"),
        (&["1", "--tone", "-5"], "tone_ms is -5 ms"),
        (&["1", "--pause", "nan"], "pause_ms is NaN ms"),
        (&["1", "--level", "40"], "level 40 dBm0 is not usable"),
        (&["1", "--twist", "100"], "--twist takes -60 to 60 dB"),
        (&["1", "--snr", "1000"], "--snr takes -60 to 120 dB"),
        (&["1", "--channels", "3"], "3 is not in 1..=2"),
        (&["1", "--channel", "right"], "need --channels 2"),
        (&["1", "--encoding", "gsm"], "pcm16, mulaw, alaw, float"),
    ];
    for (args, reason) in cases {
        let run = tonopago([&["generate", "-o", path.to_str().unwrap()], args].concat());
        assert!(run.code == 2 && run.err.contains(reason), "{args:?}: {run:?}");
        assert!(!path.exists(), "{args:?}");
    }
}

#[test]
fn and_a_file_that_cannot_be_written_with_code_1() {
    let folder = Folder::new();
    let path = folder.path("missing/keys.wav");
    let run = tonopago(["generate", "1", "-o", path.to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains("keys.wav: cannot be written"), "{run:?}");
}

#[test]
fn but_tells_of_clipping_and_goes_on() {
    let folder = Folder::new();
    let path = folder.path("loud.wav");
    let run = tonopago(["generate", "1", "--level", "0", "-o", path.to_str().unwrap()]);
    assert!(run.code == 0 && run.err.contains("are clipped"), "{run:?}");
}
