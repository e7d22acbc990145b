//! Runs the program and keeps what it said.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{self, Output};

use assert_cmd::Command;
use tempfile::TempDir;

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Runs `tonopago` with arguments.
pub(crate) fn tonopago<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    tonopago_reading(args, Vec::new())
}

/// Runs `tonopago` with arguments and bytes on standard input.
pub(crate) fn tonopago_reading<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: Vec<u8>) -> Run {
    Run::of(Command::new(program()).args(args).write_stdin(input).output().unwrap())
}

impl Run {
    /// What a finished process gave.
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the program was not killed by a signal"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The program's path.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tonopago"))
}

/// Lets a command live in a folder: it finds the sound server there, if any, and no other.
pub(crate) fn at_home<'a>(command: &'a mut process::Command, folder: &Folder) -> &'a mut process::Command {
    command.env_remove("PULSE_SERVER").env("HOME", folder.path("")).env("XDG_RUNTIME_DIR", folder.path("run"))
}

/// A folder for one test, with files the program generated in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of DTMF digits, made with `generate` and more arguments.
    pub(crate) fn digits(&self, name: &str, digits: &str, args: &[&str]) -> PathBuf {
        let path = self.path(name);
        let run = tonopago([&["generate", digits, "-o", path.to_str().unwrap()], args].concat());
        assert_eq!((run.code, &*run.out, &*run.err), (0, "", ""), "{run:?}");
        path
    }
}

/// The digits of a `decode --format jsonl`, in order.
pub(crate) fn jsonl_digits(out: &str) -> String {
    let digit = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["digit"].as_str().unwrap().to_owned();
    out.lines().map(digit).collect()
}
