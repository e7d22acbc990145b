//! `tonopago run` at work, seen through its status page.

#![expect(clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tonopago::http::{Credentials, HttpClient, Timeouts};

use crate::harness::{Folder, at_home, program, tonopago};

/// Longer than anything here takes on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A box at work.
pub(crate) struct RunningBox {
    child: Child,
    url: String,
    /// Where it listens for AudioSockets, if it does.
    pub(crate) audio_socket: Option<String>,
    client: HttpClient,
}

impl RunningBox {
    /// Starts a box of a configuration with its files in this folder, `status:` on any port and everything logged.
    pub(crate) fn start(folder: &Folder, config: &str) -> Self {
        fs::create_dir(folder.path("box-log")).unwrap();
        Self::logging_to(folder, config, fs::File::create(folder.path("box-log/log")).unwrap())
    }

    /// The same, with another place for its log.
    pub(crate) fn logging_to(folder: &Folder, config: &str, log: impl Into<Stdio>) -> Self {
        fs::write(folder.path("box.yaml"), config).unwrap();
        let mut command = Command::new(program());
        let mut child = at_home(&mut command, folder)
            .args(["--log", "trace", "run", "--config", folder.path("box.yaml").to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        let first = line();
        let url = first.strip_prefix("status page ").unwrap_or_else(|| panic!("{first:?}")).to_owned();
        let audio_socket = line().strip_prefix("AudioSocket ").map(str::to_owned);
        let client = HttpClient::new(Credentials::new("", ""), Timeouts::answering_within(Duration::from_secs(10)));
        Self { child, url, audio_socket, client }
    }

    /// All that the status page knows.
    pub(crate) fn state(&self) -> serde_json::Value {
        let answer = self.client.get(&format!("{}/api/state", self.url)).expect("the page answers");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// One line of it.
    pub(crate) fn line(&self, index: usize) -> serde_json::Value {
        self.state()["lines"][index].clone()
    }

    /// Where the caller of a call goes, as a dial plan is told: all there is.
    pub(crate) fn handover(&self, call: &str) -> String {
        let answer = self.client.get(&self.handover_url(call)).expect("the page answers");
        String::from_utf8(answer.body).unwrap()
    }

    /// Where a dial plan asks for that.
    pub(crate) fn handover_url(&self, call: &str) -> String {
        format!("{}/handover/{call}", self.url)
    }

    /// Waits for something on a line, far longer than it should take.
    pub(crate) fn wait_for(
        &self,
        index: usize,
        what: &str,
        done: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let since = Instant::now();
        loop {
            let line = self.line(index);
            if done(&line) {
                return line;
            }
            assert!(since.elapsed() < PATIENCE, "{what} did not come: {line:#}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends it as a service manager does; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        // Twice: the second cuts a call that still reads out its reference.
        for _ in 0..2 {
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
            thread::sleep(Duration::from_millis(300));
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for RunningBox {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Issues a payment key at the box's demonstration; the order is named after the number.
pub(crate) fn issue(folder: &Folder, number: usize) -> String {
    let ledger = folder.path("demo/ledger.sqlite");
    let order = format!("order-{number}");
    let run =
        tonopago(["keys", "issue", "--ledger", ledger.to_str().unwrap(), "--order", &order, "--amount", "123.45"]);
    assert_eq!(run.code, 0, "{run:?}");
    run.out.chars().filter(char::is_ascii_digit).take(8).collect()
}
