//! Commands that serve until they are stopped.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::harness::program;

/// A running service of the program's.
pub(crate) struct Service {
    child: Child,
    /// What it said its address is.
    pub(crate) address: String,
}

impl Service {
    /// Starts it; it is listening when this returns.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(program());
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("address ").expect("it says where it listens").trim().to_owned();
        Self { child, address }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end as a service manager does; gives how it ended and what it had said on standard error.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
