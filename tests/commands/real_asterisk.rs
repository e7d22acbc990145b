//! A real Asterisk with a few modules, its files in a folder of the test, told what to do through its manager's socket.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::Folder;
use crate::running_box::PATIENCE;

/// What it loads: a dial plan and its variables, the AudioSocket's application and its channel, keys, sound from files, bridges, and
/// what asks other servers.
const MODULES: [&str; 15] = [
    "pbx_config",
    "res_audiosocket",
    "app_audiosocket",
    "chan_audiosocket",
    "app_senddtmf",
    "app_playback",
    "app_dial",
    "func_global",
    "format_wav",
    "codec_ulaw",
    "codec_resample",
    "res_timing_timerfd",
    "bridge_simple",
    "res_curl",
    "func_curl",
];

/// An Asterisk at work; it goes with the value.
pub(crate) struct RealAsterisk {
    server: Child,
    manager: BufReader<TcpStream>,
}

impl RealAsterisk {
    /// Starts one with this dial plan; `None`, and a word why, where there is none, or none that speaks AudioSocket.
    pub(crate) fn start(folder: &Folder, dial_plan: &str) -> Option<Self> {
        let Some(modules) = modules() else {
            eprintln!("skipped: no Asterisk with app_audiosocket is installed, so that only its stand-in calls");
            return None;
        };
        let manager = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        configure(folder, &modules, manager.port(), dial_plan);
        let log = fs::File::create(folder.path("asterisk.log")).unwrap();
        let mut server = Command::new("asterisk")
            .args(["-f", "-n", "-vvv", "-C", folder.path("asterisk.conf").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let since = Instant::now();
        let stream = loop {
            if let Ok(stream) = TcpStream::connect(manager) {
                break stream;
            }
            let ended = server.try_wait().unwrap();
            let log = || fs::read_to_string(folder.path("asterisk.log")).unwrap_or_default();
            assert!(ended.is_none() && since.elapsed() < PATIENCE, "Asterisk does not start: {ended:?}\n{}", log());
            thread::sleep(Duration::from_millis(100));
        };
        let mut this = Self { server, manager: BufReader::new(stream) };
        this.does("Login", &[("Username", "test"), ("Secret", "test"), ("Events", "off")]);
        // Its manager answers before its dial plan is read.
        this.does("Command", &[("Command", "core waitfullybooted")]);
        Some(this)
    }

    /// A caller of this name dials an extension, and listens.
    pub(crate) fn dial(&mut self, caller: &str, extension: &str) {
        let [channel, other] = [format!("Local/{extension}@box"), format!("{caller}-far-end")];
        let listen = [("Application", "Wait"), ("Data", "600"), ("Async", "true")];
        let who = [("Channel", &*channel), ("ChannelId", caller), ("OtherChannelId", &other)];
        self.does("Originate", &[&who[..], &listen].concat());
    }

    /// The caller presses keys, which the box is told of beside the sound.
    pub(crate) fn tells_keys(&mut self, caller: &str, keys: &str) {
        for key in keys.chars().map(String::from) {
            self.does("PlayDTMF", &[("Channel", caller), ("Digit", &key), ("Duration", "80")]);
        }
    }

    /// The caller's line goes on at another extension of the callers' own.
    pub(crate) fn goes_to(&mut self, caller: &str, extension: &str) {
        let place = [("Channel", caller), ("Context", "caller"), ("Exten", extension), ("Priority", "1")];
        self.does("Redirect", &place);
    }

    /// The caller puts the receiver down.
    pub(crate) fn hangs_up(&mut self, caller: &str) {
        self.does("Hangup", &[("Channel", caller)]);
    }

    /// Waits until no call is left.
    pub(crate) fn until_idle(&mut self) {
        let since = Instant::now();
        while !self.does("Command", &[("Command", "core show channels count")]).contains("0 active channels") {
            assert!(since.elapsed() < PATIENCE, "a call is left");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until a global variable of the dial plan is this.
    pub(crate) fn until_global(&mut self, name: &str, value: &str) {
        let since = Instant::now();
        let line = format!("Value: {value}\r\n");
        while !self.does("Getvar", &[("Variable", name)]).contains(&line) {
            assert!(since.elapsed() < PATIENCE, "{name} does not become {value}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Asks for an action; its answer, which must be good.
    fn does(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(self.manager.get_mut(), "Action: {action}\r\n{fields}\r\n").unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") {
            assert!(self.manager.read_line(&mut answer).unwrap() > 0, "{action}: {answer}");
        }
        assert!(answer.contains("Response: Success"), "{action}: {answer}");
        answer
    }
}

impl Drop for RealAsterisk {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where its modules are, if it has those for AudioSocket.
fn modules() -> Option<PathBuf> {
    Command::new("asterisk").arg("-V").stdout(Stdio::null()).status().ok()?;
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path()).chain([PathBuf::from("/usr/lib")]);
    let mut folders = folders.map(|folder| folder.join("asterisk/modules"));
    folders.find(|folder| folder.join("app_audiosocket.so").exists())
}

fn configure(folder: &Folder, modules: &std::path::Path, manager: u16, dial_plan: &str) {
    let home = folder.path("");
    let home = home.display();
    let own =
        ["etc", "varlib", "db", "key", "agi", "spool", "run", "log"].map(|what| format!("ast{what}dir => {home}\n"));
    let modules = modules.display();
    let loaded = MODULES.map(|module| format!("load => {module}.so\n")).concat();
    let manager = format!("[general]\nenabled = yes\nport = {manager}\nbindaddr = 127.0.0.1\n");
    for (file, text) in [
        ("asterisk.conf", format!("[directories]\nastmoddir => {modules}\n{}", own.concat())),
        ("modules.conf", format!("[modules]\nautoload = no\n{loaded}")),
        ("manager.conf", format!("{manager}[test]\nsecret = test\nread = all\nwrite = all\n")),
        ("logger.conf", "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n".to_owned()),
        ("extensions.conf", dial_plan.to_owned()),
    ] {
        fs::write(folder.path(file), text).unwrap();
    }
}
