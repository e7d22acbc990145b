//! `tonopago run`: the box.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tonopago::clock::{Clock as _, SystemClock};
use tonopago::private_file;
use tonopago::station::{Config, Station, hash_password};
use zeroize::Zeroizing;

use super::{FAILED, Failure, Outcome};

/// Run the box: lines, menus, services, status page, from one configuration
///
/// SIGHUP reads menus and prompts again without touching a call. SIGTERM or Ctrl-C lets calls end, a second one cuts them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago run --config box.yaml --check
  tonopago run --config box.yaml --log info
  tonopago run --make-password status.password

box.example.yaml is a configuration to copy, with every setting explained.

Exit codes: 0 stopped, or the configuration is good, 1 it has problems or something can't start, 2 the command line is \
wrong.")]
pub(super) struct Args {
    /// The configuration
    #[arg(long, short, value_name = "FILE", default_value = "box.yaml")]
    config: PathBuf,
    /// Tell every problem of the configuration, its menus and its secrets, and stop
    #[arg(long)]
    check: bool,
    /// Read a password from standard input and write its hash to this file, for the status page
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "check"])]
    make_password: Option<PathBuf>,
}

/// What the system tells a box.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    Reload,
    Stop,
}

/// Between two looks at lines and watchdog.
const LOOK: Duration = Duration::from_secs(1);
/// A thread that hangs may move again within so long; then the box is started again.
const FAULTY: Duration = Duration::from_secs(30);

pub(super) fn run(args: Args) -> Outcome {
    if let Some(file) = &args.make_password {
        return make_password(file);
    }
    let config = Config::read(&args.config).map_err(Failure::failed)?;
    let name = args.config.display();
    if args.check {
        for warning in &config.warnings {
            tell!("{}", warning.text(&name.to_string(), " warning:"));
        }
        for menu in &config.menus {
            let file = menu.path.display().to_string();
            for warning in menu.menu.warnings_at(&SystemClock.local()) {
                tell!("{}", warning.text(&file, " warning:"));
            }
        }
        tell!(
            "{name}: good, {} lines, {} menus, configuration {}",
            config.lines.len(),
            config.menus.len(),
            config.hash
        );
        return Ok(ExitCode::SUCCESS);
    }
    for warning in &config.warnings {
        tracing::warn!("{}", warning.text(&name.to_string(), ""));
    }
    let signals = listen_for_signals().map_err(Failure::failed)?;
    let mut station = Station::start(config).map_err(Failure::failed)?;
    welcome(&station);
    notify::ready();
    let well = watch(&mut station, &signals);
    notify::stopping();
    station.stop(&mut || signals.try_recv() == Ok(Signal::Stop));
    tracing::info!("stopped");
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Nobody may be reading; the box runs all the same.
fn welcome(station: &Station) {
    let mut text = String::new();
    if let Some(url) = station.status_url() {
        text += &format!("status page {url}\n");
    }
    for address in station.audio_sockets() {
        text += &format!("AudioSocket {address}\n");
    }
    if let Some(key) = station.demo_hint() {
        text += &format!(
            "demonstration: payment key {key}, card 4111 1111 1111 1111, any expiry to come, any CVV; nothing is charged\n"
        );
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Until the system says stop; false if a thread hangs or has died, which a service manager cures by starting the box again.
fn watch(station: &mut Station, signals: &Receiver<Signal>) -> bool {
    let mut faulty_since: Option<Instant> = None;
    loop {
        match signals.recv_timeout(LOOK) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Ok(Signal::Reload) => {
                notify::reloading();
                if let Err(error) = station.reload() {
                    station.board().trouble(&format!("reload: nothing was changed: {error}"));
                }
                notify::ready();
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let Some(fault) = station.fault() else {
            faulty_since = None;
            notify::alive();
            continue;
        };
        match faulty_since {
            None => {
                station.board().trouble(&fault);
                faulty_since = Some(Instant::now());
            }
            Some(since) if since.elapsed() > FAULTY => {
                station.board().trouble(&format!("{fault}; the box ends, to be started again"));
                return false;
            }
            Some(_) => {}
        }
    }
}

/// Signals come on a thread of their own.
fn listen_for_signals() -> std::io::Result<Receiver<Signal>> {
    let (tell, told) = bounded(8);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    let listen = move || {
        runtime.block_on(async {
            while let Some(signal) = signals.next().await {
                // Nobody wants more of them than wait already.
                let _ = tell.try_send(signal);
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    Ok(told)
}

/// What is listened for from the start, so that none is lost.
#[cfg(unix)]
struct Signals {
    hang_up: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (hang_up, terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
        Ok(Self { hang_up, terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Option<Signal> {
        tokio::select! {
            got = self.hang_up.recv() => got.map(|()| Signal::Reload),
            got = self.terminate.recv() => got.map(|()| Signal::Stop),
            got = self.interrupt.recv() => got.map(|()| Signal::Stop),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<Signal> {
        tokio::signal::ctrl_c().await.ok().map(|()| Signal::Stop)
    }
}

fn make_password(file: &Path) -> Outcome {
    if std::io::stdin().is_terminal() {
        eprint!("password (it is shown as you type): ");
    }
    let mut text = Zeroizing::new(String::with_capacity(1024));
    std::io::stdin().lock().take(1000).read_to_string(&mut text).map_err(Failure::failed)?;
    let hash = hash_password(text.trim_end_matches(['\r', '\n'])).map_err(Failure::failed)?;
    let written = private_file::create_new(file).and_then(|mut out| out.write_all(format!("{hash}\n").as_bytes()));
    written.map_err(|error| Failure::unwritable(file, &error))?;
    Ok(ExitCode::SUCCESS)
}

/// What the service manager is told, where there is one.
#[cfg(target_os = "linux")]
mod notify {
    use sd_notify::NotifyState;

    fn tell(state: &[NotifyState<'_>]) {
        // Without a service manager there is nobody to tell.
        let _ = sd_notify::notify(state);
    }

    pub(super) fn ready() {
        tell(&[NotifyState::Ready]);
    }

    pub(super) fn reloading() {
        let now = NotifyState::monotonic_usec_now().ok();
        tell(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>());
    }

    pub(super) fn stopping() {
        tell(&[NotifyState::Stopping]);
    }

    pub(super) fn alive() {
        tell(&[NotifyState::Watchdog]);
    }
}

#[cfg(not(target_os = "linux"))]
mod notify {
    pub(super) fn ready() {}
    pub(super) fn reloading() {}
    pub(super) fn stopping() {}
    pub(super) fn alive() {}
}
