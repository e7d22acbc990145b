//! Openpay's own Python SDK, pointed at the sandbox: it is the judge of whether the stand-in is faithful.
//!
//! The SDK comes from the Python package index, into an environment that is kept below `target`. Where there is no
//! Python, or no index, the test says so and does without.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::service::Service;

/// The SDK's `setup.py` wants 2to3, which younger setuptools do not have, and no isolation, to find this one.
const INSTALL: [&[&str]; 2] = [
    &["setuptools<58", "wheel", "future==1.0.0", "requests==2.32.3"],
    &["--no-build-isolation", "--no-deps", "openpay==1.1"],
];

/// The environment's Python, or why there is none.
fn python() -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openpay-sdk");
    let (python, ready) = (environment.join("bin/python"), environment.join("ready"));
    if ready.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    for packages in INSTALL {
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"];
        run(Command::new(&python).args(pip).args(packages))?;
    }
    std::fs::write(ready, "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let last = |text: &[u8]| String::from_utf8_lossy(text).lines().last().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", last(&output.stderr))) }
}

#[test]
fn openpays_sdk_creates_reads_lists_and_refunds() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return println!("left out, Openpay's SDK can't be installed here: {why}"),
    };
    let sandbox = Service::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/openpay_sdk.py");
    let output = Command::new(python).arg(script).arg(&sandbox.address).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the SDK and the sandbox disagree");
    assert_eq!(said.lines().filter(|line| line.starts_with("ok ")).count(), 14, "a check was not made");
}
