//! Paced sound cards without hardware: PulseAudio's null sinks, each of which hears what it plays.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::harness::{Folder, Run, at_home, program};

/// A PulseAudio server of its own with some null sinks; it goes with the value.
pub(crate) struct VirtualCard {
    server: Child,
    sinks: Vec<String>,
    /// Its home; tests may put files there, too.
    pub(crate) folder: Folder,
}

impl VirtualCard {
    /// Starts a server with these sinks; `None`, and a word why, where that is not possible.
    pub(crate) fn start(sinks: &[&str]) -> Option<Self> {
        let folder = Folder::new();
        fs::create_dir(folder.path("run")).unwrap();
        let sinks: Vec<String> = sinks.iter().map(|name| (*name).to_owned()).collect();
        let Some(server) = spawn(&folder, &sinks) else {
            eprintln!("skipped: PulseAudio is not installed, so that there is no virtual sound card");
            return None;
        };
        let mut card = Self { server, sinks, folder };
        card.is_ready().then_some(card)
    }

    /// Pulls the plug.
    pub(crate) fn take_away(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(self.folder.path("run/pulse"));
    }

    /// Plugs it in again.
    pub(crate) fn give_back(&mut self) {
        self.server = spawn(&self.folder, &self.sinks).unwrap();
        assert!(self.is_ready());
    }

    /// Runs `tonopago` where the card is.
    pub(crate) fn tonopago(&self, args: &[&str]) -> Run {
        let mut command = Command::new(program());
        Run::of(at_home(&mut command, &self.folder).args(args).output().unwrap())
    }

    /// It listens when its socket is there; a slow machine may take its time.
    fn is_ready(&mut self) -> bool {
        for _ in 0..600 {
            if self.folder.path("run/pulse/native").exists() {
                return true;
            }
            if self.server.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path("log")).unwrap_or_default();
        eprintln!("skipped: PulseAudio does not start here:\n{log}");
        false
    }
}

impl Drop for VirtualCard {
    fn drop(&mut self) {
        self.take_away();
    }
}

fn spawn(folder: &Folder, sinks: &[String]) -> Option<Child> {
    let log = fs::File::create(folder.path("log")).unwrap();
    let mut command = Command::new("pulseaudio");
    command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]);
    for sink in sinks {
        command.args(["-L", &format!("module-null-sink sink_name={sink} rate=8000 channels=1 format=s16le")]);
    }
    command.args(["-L", "module-native-protocol-unix auth-anonymous=1"]);
    at_home(&mut command, folder).stdout(Stdio::null()).stderr(log).spawn().ok()
}
