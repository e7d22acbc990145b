//! Decoders that are not ours. Where one is not installed, the test that wants it says so and does without.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tonopago::audio::Resampler;
use tonopago::audio::wav::to_16_bits;

/// The digits a peer hears in samples at 8 kHz; `None` where the peer is not installed.
pub(crate) type Peer = fn(&[f32]) -> Option<String>;

/// All peers, by name.
pub(crate) const PEERS: [(&str, Peer); 2] = [("spandsp", spandsp), ("multimon-ng", multimon_ng)];

/// What multimon-ng works at, in Hz.
const MULTIMON_RATE: u32 = 22_050;

fn spandsp(samples: &[f32]) -> Option<String> {
    spandsp_with(&[], samples)
}

/// What `spandsp_decode.c` prints with arguments, for samples at 8 kHz.
pub(crate) fn spandsp_with(arguments: &[&str], samples: &[f32]) -> Option<String> {
    let bytes = samples.iter().flat_map(|sample| to_16_bits(*sample).to_ne_bytes()).collect();
    Some(pipe(Command::new(spandsp_program()?).args(arguments), bytes))
}

/// The C program, built once; `None` where spandsp or a compiler is not installed.
pub(crate) fn spandsp_program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/spandsp_decode.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spandsp_decode-{}", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-o"]).arg(&program).arg(&source).arg("-lspandsp").stderr(Stdio::null());
        if compiler.status().is_ok_and(|status| status.success()) {
            return Some(program);
        }
        println!("spandsp is not installed (libspandsp-dev, gcc): its part is left out");
        None
    };
    PROGRAM.get_or_init(build).as_deref()
}

fn multimon_ng(samples: &[f32]) -> Option<String> {
    let lines = multimon_ng_lines(&for_multimon_ng(samples))?;
    Some(lines.lines().filter_map(|line| line.strip_prefix("DTMF: ")).map(str::trim).collect())
}

/// What multimon-ng prints for what [`for_multimon_ng`] made.
pub(crate) fn multimon_ng_lines(bytes: &[u8]) -> Option<String> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let look = || {
        let there = Command::new("multimon-ng").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if !there {
            println!("multimon-ng is not installed: its part is left out");
        }
        there
    };
    if !*INSTALLED.get_or_init(look) {
        return None;
    }
    let mut command = Command::new("multimon-ng");
    Some(pipe(command.args(["-q", "-a", "DTMF", "-t", "raw", "-"]), bytes.to_vec()))
}

/// Samples at 8 kHz as multimon-ng wants them.
pub(crate) fn for_multimon_ng(samples: &[f32]) -> Vec<u8> {
    let mut resampled = Vec::new();
    let mut resampler = Resampler::new(8000, MULTIMON_RATE);
    resampler.process(samples, &mut resampled);
    resampler.finish(&mut resampled);
    resampled.iter().flat_map(|sample| to_16_bits(*sample).to_le_bytes()).collect()
}

fn pipe(command: &mut Command, input: Vec<u8>) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
