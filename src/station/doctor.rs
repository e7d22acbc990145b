//! Looks a box over before it is left alone: cards and levels, hooks, clock, services, ledger, disk. Makes and changes
//! nothing: whoever asks may not be the user the box runs as. Cards and hooks of a box that runs are left alone.

mod services;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::config::{CardConfig, Config, LineConfig, MenuConfig, Recording, Source};
use super::recording::free_bytes;
use super::running;
use crate::line::audio_socket::ListenerConfig;

/// How long a card is listened to.
const LISTEN: Duration = Duration::from_secs(2);
/// Less free space than this is too little for a ledger that must not stop, in bytes.
pub(super) const LEAST_FREE: u64 = 200_000_000;
/// Noise on a line that is connected and quiet, in dBm0; below it nothing is connected, above it something hums.
#[cfg(feature = "sound-card")]
const QUIET_DBM0: std::ops::Range<f64> = -85.0..-35.0;
/// A clock that shows an earlier date was never set: this program is younger. Seconds since 1970.
const NOT_BEFORE: i64 = 1_790_000_000;
/// Written by systemd's time service once the clock is synchronised.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// It works, but look at it.
    Doubtful,
    /// It does not work.
    Bad,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do, unless it is good.
    pub cure: String,
}

impl Finding {
    fn good(what: &str, seen: impl Into<String>) -> Self {
        Self { what: what.to_owned(), health: Health::Good, seen: seen.into(), cure: String::new() }
    }

    fn bad(what: &str, seen: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.to_owned(), health: Health::Bad, seen: seen.into(), cure: cure.into() }
    }

    fn doubtful(what: &str, seen: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { health: Health::Doubtful, ..Self::bad(what, seen, cure) }
    }
}

/// Looks everything over; tells each finding as it is made.
pub fn examine(config: &Config, tell: &mut dyn FnMut(Finding)) {
    tell(Finding::good("configuration", format!("{} lines, {} menus", config.lines.len(), config.menus.len())));
    for warning in &config.warnings {
        tell(Finding::doubtful("configuration", &warning.message, &warning.cure));
    }
    tell(clock(Timestamp::now(), Path::new(SYNCHRONISED).exists()));
    let runs = running::is_running(&config.file);
    if runs {
        let cure = "its status page tells how its lines are; stop it to have cards, levels and hooks looked at";
        tell(Finding::doubtful("box", "it runs: its cards and hooks are left alone", cure));
    }
    let mut seen = "";
    for line in &config.lines {
        match &line.source {
            Source::Card(_) if runs => {}
            Source::Card(card) => tell(card_and_level(line, card)),
            // The lines of one entry stand together.
            Source::AudioSocket { group, listener } if group != seen => {
                tell(audio_socket(group, listener));
                seen = group;
            }
            Source::AudioSocket { .. } | Source::Simulated { .. } => {}
        }
        if line.hook.has_signals() && !runs {
            tell(hook(line));
        }
    }
    config.menus.iter().enumerate().filter_map(|(at, menu)| transfers(config, at, menu)).for_each(&mut *tell);
    services::examine(&config.services, tell);
    if let Some(recording) = &config.recording {
        tell(recordings(recording));
    }
}

/// A menu that says "I am connecting you with a person" on lines that let go of the caller instead.
fn transfers(config: &Config, at: usize, menu: &MenuConfig) -> Option<Finding> {
    let mut lines = config.lines.iter().filter(|line| line.menu == at && line.hand_over.is_none());
    let line = lines.next().filter(|_| menu.menu.transfers_callers())?;
    Some(Finding::doubtful(
        &format!("menu {}", menu.name),
        format!("it hands callers over, and line {} can't: it lets them go", line.name),
        "say the number to call in the menu, too; or give the line hand_over: (flash with a hook, dialplan with an Asterisk)",
    ))
}

fn clock(now: Timestamp, synchronised: bool) -> Finding {
    let (what, seen) = ("clock", now.to_string());
    if now.as_second() < NOT_BEFORE {
        return Finding::bad(
            what,
            seen,
            "set the clock: cards expire, certificates are judged and payments dated by it",
        );
    }
    if synchronised {
        return Finding::good(what, format!("{seen}, synchronised"));
    }
    Finding::doubtful(
        what,
        format!("{seen}, perhaps not synchronised"),
        "see `timedatectl`; turn on systemd-timesyncd or chrony",
    )
}

#[cfg(feature = "sound-card")]
fn card_and_level(line: &LineConfig, card: &CardConfig) -> Finding {
    use crate::audio::level::Meter;
    use crate::line::sound_card::SoundCard;

    let what = format!("line {}: sound", line.name);
    let stream = match SoundCard::open(&card.request()) {
        Ok(stream) => stream,
        Err(error) => return Finding::bad(&what, error.to_string(), "`tonopago devices` lists what is there"),
    };
    let (mut meter, since) = (Meter::new(stream.rate), Instant::now());
    while since.elapsed() < LISTEN {
        match stream.next_block(LISTEN) {
            Ok(block) => meter.process(block.samples()),
            Err(error) => return Finding::bad(&what, error.to_string(), "see whether another program has muted it"),
        }
    }
    level(&what, stream.rate, meter.level_dbm0() + line.gain_in_db, meter.clipped())
}

#[cfg(not(feature = "sound-card"))]
fn card_and_level(line: &LineConfig, _card: &CardConfig) -> Finding {
    let _ = (LISTEN, Instant::now);
    Finding::bad(&line.name, "this program was built without sound cards", "build it with the feature sound-card")
}

/// Judges a quiet line by its noise.
#[cfg(feature = "sound-card")]
fn level(what: &str, rate: u32, dbm0: f64, clipped: u64) -> Finding {
    let seen = format!("{rate} Hz, noise at {dbm0:.1} dBm0");
    match () {
        () if clipped > 0 => Finding::bad(
            what,
            format!("{seen}, {clipped} samples at full scale"),
            "lower the card's gain, or gain_in_db",
        ),
        () if dbm0 < QUIET_DBM0.start => Finding::doubtful(
            what,
            format!("{seen}: digital silence"),
            "see whether the line is connected and not muted",
        ),
        () if dbm0 >= QUIET_DBM0.end => Finding::doubtful(
            what,
            format!("{seen}: not quiet"),
            "hang up the line and try again; else look for hum and lower the gain",
        ),
        () => Finding::good(what, seen),
    }
}

/// Whether the address can be had; a box that runs has it already.
fn audio_socket(group: &str, listener: &ListenerConfig) -> Finding {
    let ListenerConfig { listen, calls, .. } = listener;
    let what = format!("line {group}: AudioSocket");
    match TcpListener::bind(listen) {
        Ok(_) if !listen.ip().is_loopback() => Finding::doubtful(
            &what,
            format!("{listen} is free, {calls} calls; not encrypted"),
            "keep the way to Asterisk in a network of its own, or have Asterisk on this machine: keys of cards go over it",
        ),
        Ok(_) => Finding::good(&what, format!("{listen} is free, {calls} calls")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::doubtful(
            &what,
            format!("{listen} is taken"),
            "if not by this box, which may be running, then choose another port; `ss -ltnp` tells",
        ),
        Err(error) => Finding::bad(&what, format!("{listen}: {error}"), "choose an address of this machine's"),
    }
}

fn hook(line: &LineConfig) -> Finding {
    let what = format!("line {}: hook", line.name);
    match line.hook.look() {
        Ok(signals) => Finding::good(&what, if signals.ringing { "rings now" } else { "quiet" }),
        Err(error) => Finding::bad(&what, format!("{}: {}", error.device, error.why), error.cure),
    }
}

fn recordings(recording: &Recording) -> Finding {
    let (what, folder) = ("recordings", &recording.folder);
    let room = disk(what, nearest(folder), recording.least_free_bytes);
    if folder.is_dir() || room.health == Health::Bad {
        return room;
    }
    if folder.exists() {
        return Finding::bad(what, format!("{} is no folder", folder.display()), "name a folder");
    }
    Finding::doubtful(what, format!("{} is not there yet", folder.display()), "a box makes it when it starts")
}

/// The folder itself, or the nearest above it that is there.
pub(super) fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|place| place.is_dir()).unwrap_or_else(|| Path::new("."))
}

fn disk(what: &str, folder: &Path, least: u64) -> Finding {
    let place = folder.display();
    match free_bytes(folder) {
        Some(free) if free < least => Finding::bad(
            what,
            format!("{place}: {} MB free", free / 1_000_000),
            "make room: a full disk stops payments",
        ),
        Some(free) => Finding::good(what, format!("{place}: {} MB free", free / 1_000_000)),
        None => Finding::doubtful(what, format!("{place}: its free space is not known"), "see `df`"),
    }
}

#[cfg(test)]
mod tests {
    use super::services::ledger;
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_bad() {
        let now = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(clock(now("1970-01-01T00:10:00Z"), true).health, Health::Bad);
        assert_eq!(clock(now("2026-11-23T00:00:00Z"), true).health, Health::Good);
        assert_eq!(clock(now("2026-11-23T00:00:00Z"), false).health, Health::Doubtful);
    }

    #[cfg(feature = "sound-card")]
    #[test]
    fn levels_are_judged_as_a_person_would() {
        let health = |dbm0, clipped| level("l", 8000, dbm0, clipped).health;
        assert_eq!(health(-60.0, 0), Health::Good);
        assert_eq!((health(-100.0, 0), health(-20.0, 0)), (Health::Doubtful, Health::Doubtful));
        assert_eq!(health(-60.0, 3), Health::Bad);
    }

    #[test]
    fn an_address_for_calls_is_free_or_taken_or_not_this_machines() {
        let of = |listen: &str| {
            audio_socket("pbx", &ListenerConfig { listen: listen.parse().unwrap(), calls: 2, from: vec![] })
        };
        let free = of("127.0.0.1:0");
        assert_eq!((free.health, free.what.as_str()), (Health::Good, "line pbx: AudioSocket"));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(of(&taken.local_addr().unwrap().to_string()).seen.ends_with("is taken"));
        assert_eq!(of("192.0.2.1:9092").health, Health::Bad);
        assert_eq!(of("0.0.0.0:0").health, Health::Doubtful);
    }

    #[test]
    fn a_demonstration_is_told_to_be_one_and_a_missing_hook_is_bad() {
        let text = "version: 1\nlines: { a: { simulated: true, hook: { hid: /dev/hidrawNONE, ring: 1 } } }\nservices: { demo: d }\n";
        let config = Config::parse(Path::new("/box.yaml"), text).map_err(|error| error.to_string()).unwrap();
        let mut found = Vec::new();
        examine(&config, &mut |finding| found.push(finding));
        let of = |what: &str| found.iter().find(|finding| finding.what == what).unwrap();
        assert_eq!(of("line a: hook").health, Health::Bad);
        assert_eq!(of("services").health, Health::Doubtful);
        assert!(found.iter().all(|finding| finding.health == Health::Good || !finding.cure.is_empty()));
    }

    /// A caller heard "I am connecting you with a person", and was alone; nobody who set the box up was told.
    #[test]
    fn a_menu_that_hands_over_on_a_line_that_cannot_is_told_of() {
        let menu = Path::new(env!("CARGO_MANIFEST_DIR")).join("menus/centralita.yaml");
        let told = |line: &str| {
            let text = format!(
                "version: 1\nlines: {{ a: {{ {line}, menu: c }} }}\nmenus: {{ c: {} }}\nservices: {{ demo: d }}\n",
                menu.display()
            );
            let config = Config::parse(Path::new("/box.yaml"), &text).map_err(|error| error.to_string()).unwrap();
            transfers(&config, 0, &config.menus[0])
        };
        let found = told("audio_socket: { listen: 127.0.0.1:0, calls: 1 }").unwrap();
        assert_eq!((found.health, found.what.as_str()), (Health::Doubtful, "menu c"));
        assert!(found.seen.contains("can't: it lets them go"), "{}", found.seen);
        assert_eq!(told("card: x, hook: { serial: /dev/ttyNONE }, hand_over: flash"), None);
    }

    /// It made the ledger and the recordings' folder, as root more often than not, and the box could not open its own file.
    #[test]
    fn what_is_not_there_yet_is_told_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.sqlite");
        let found = ledger(&file);
        assert_eq!((found.health, found.seen.ends_with("is not there yet")), (Health::Doubtful, true));
        let found = ledger(&folder.path().join("no/ledger.sqlite"));
        assert_eq!((found.health, found.seen.ends_with("no such folder")), (Health::Bad, true));
        let keep = Duration::from_secs(1);
        let settings = Recording { folder: folder.path().join("a/b"), keep, most_bytes: 1, least_free_bytes: 1 };
        assert_eq!(recordings(&settings).health, Health::Doubtful);
        assert_eq!(recordings(&Recording { least_free_bytes: u64::MAX, ..settings }).health, Health::Bad);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(&file, "something else, as long as a database's header is: ".repeat(10)).unwrap();
        assert_eq!(ledger(&file).health, Health::Bad);
    }

    /// It opened the hooks of a box that ran: a second program was started, and a line put on hook in a call.
    #[cfg(target_os = "linux")]
    #[test]
    fn hooks_of_a_box_that_runs_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, touched) = (folder.path().join("box.yaml"), folder.path().join("touched"));
        let hook = format!("{{ command: [sh, -c, 'echo >> {}; while read word; do :; done'] }}", touched.display());
        let text =
            format!("version: 1\nlines: {{ a: {{ simulated: true, hook: {hook} }} }}\nservices: {{ demo: d }}\n");
        let config = || Config::parse(&file, &text).map_err(|error| error.to_string()).unwrap();
        let found = |what: &str| {
            let mut found = Vec::new();
            examine(&config(), &mut |finding| found.push(finding));
            found.into_iter().find(|finding| finding.what == what).map(|finding| finding.health)
        };
        let station = super::super::Station::start(config()).unwrap();
        let read = || std::fs::read_to_string(&touched).unwrap_or_default().lines().count();
        for _ in 0..6000 {
            if read() > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!((found("box"), found("line a: hook")), (Some(Health::Doubtful), None));
        assert_eq!(read(), 1, "the box's own program, and no other");
        station.stop(&mut || true);
        assert_eq!((found("box"), found("line a: hook")), (None, Some(Health::Good)));
    }
}
