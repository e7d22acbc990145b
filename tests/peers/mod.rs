//! Decoders that are not ours. Where one is not installed, the test that wants it says so and does without.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tonopago::audio::Resampler;
use tonopago::audio::wav::to_16_bits;

/// The digits a peer hears in samples at 8 kHz; `None` where the peer is not installed.
pub type Peer = fn(&[f32]) -> Option<String>;

/// All peers, by name.
pub const PEERS: [(&str, Peer); 2] = [("spandsp", spandsp), ("multimon-ng", multimon_ng)];

fn spandsp(samples: &[f32]) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/spandsp_decode.c");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spandsp_decode-{}", std::process::id()));
    if !program.exists() {
        let built =
            Command::new("cc").arg("-o").arg(&program).arg(&source).arg("-lspandsp").stderr(Stdio::null()).status();
        if !built.is_ok_and(|status| status.success()) {
            println!("spandsp is not installed (libspandsp-dev, gcc): this part of the check is left out");
            return None;
        }
    }
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| to_16_bits(*sample).to_ne_bytes()).collect();
    Some(pipe(Command::new(program), bytes))
}

fn multimon_ng(samples: &[f32]) -> Option<String> {
    const RATE: u32 = 22_050;
    if Command::new("multimon-ng").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("multimon-ng is not installed: this part of the check is left out");
        return None;
    }
    let mut resampled = Vec::new();
    let mut resampler = Resampler::new(8000, RATE);
    resampler.process(samples, &mut resampled);
    resampler.finish(&mut resampled);
    let bytes: Vec<u8> = resampled.iter().flat_map(|sample| to_16_bits(*sample).to_le_bytes()).collect();
    let mut command = Command::new("multimon-ng");
    command.args(["-q", "-a", "DTMF", "-t", "raw", "-"]);
    let lines = pipe(command, bytes);
    Some(lines.lines().filter_map(|line| line.strip_prefix("DTMF: ")).map(str::trim).collect())
}

fn pipe(mut command: Command, input: Vec<u8>) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
