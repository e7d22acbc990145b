//! A box from its start to its stop.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::board::{Board, LineBoard};
use super::config::{Config, ConfigError};
use super::disk;
use super::lines::{Exchange, Line, Shared, Spoken, describe};
use super::recording::{CallRecorder, Writing};
use super::running::Mark;
use super::services::{Shop, ShopError};
use super::status;
use crate::http::{Server, ServerError};
use crate::line::attendant::Phase;
use crate::line::{AnswersError, AnswersFile};
use crate::payment::Background;

/// Between two looks while stopping.
const LOOK: Duration = Duration::from_millis(50);
/// A line whose thread has not moved for so long hangs: more than a card's opening takes.
const HANGING: Duration = Duration::from_secs(20);

/// A running box.
pub struct Station {
    config: Arc<Config>,
    shared: Shared,
    lines: Vec<Line>,
    server: Option<Server>,
    writing: Option<Writing>,
    /// Each line's beat, and when it last moved.
    beats: Vec<(u64, Instant)>,
    /// Tells the doctor that this box runs.
    _mark: Option<Mark>,
}

/// Why a box does not start.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// The services.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The status page.
    #[error("status page: {0}")]
    Status(#[from] ServerError),
    /// The recordings' folder.
    #[error("recordings: {0}; check the folder's rights")]
    Recording(std::io::Error),
    /// The file for callers' answers can't be opened.
    #[error(transparent)]
    Answers(AnswersError),
    /// No thread.
    #[error("{0}")]
    System(std::io::Error),
}

impl Station {
    /// Starts services, status page and lines. A card or hook that is not there is no error: it is tried until it is.
    ///
    /// # Errors
    /// [`StationError`] names the part that can't start.
    pub fn start(config: Config) -> Result<Self, StationError> {
        let config = Arc::new(config);
        let mark = Mark::take(&config.file);
        let lines = config.lines.iter().map(|line| LineBoard::new(&line.name, &describe(&line.source))).collect();
        let demo = config.services.is_demo();
        let board = Arc::new(Board::new(&config.name, demo, &config.hash, Timestamp::now(), lines));
        let mut shop = Shop::start(&config.services, config.reconcile_every)?;
        board.watch(shop.cashier.till().alarms());
        shop.backgrounds.push(disk::watching(&shop.folder, &board).map_err(StationError::System)?);
        let shop = Arc::new(shop);
        let recording = config.recording.clone().map(|settings| CallRecorder::start(settings, Arc::clone(&board)));
        let (recorder, writing) = recording.transpose().map_err(StationError::Recording)?.unzip();
        let server = match &config.status {
            Some(settings) => Some(status::serve(settings, &board, &shop)?),
            None => None,
        };
        let answers = config.answers.as_deref().map(AnswersFile::open).transpose().map_err(StationError::Answers)?;
        let answers = answers.map(|file| Arc::new(Mutex::new(file)));
        let exchanges = Exchange::all(&config, &board);
        // What can't be had now is tried again by the lines, which tell of it.
        exchanges.iter().for_each(|exchange| drop(exchange.open()));
        let shared = Shared { board, shop, exchanges, recorder, answers, requests: Arc::new(AtomicUsize::new(0)) };
        let start = |index| Line::start(&config, index, &shared);
        let lines = (0..config.lines.len()).map(start).collect::<Result<Vec<_>, _>>().map_err(StationError::System)?;
        let beats = vec![(0, Instant::now()); lines.len()];
        Ok(Self { config, shared, lines, server, writing, beats, _mark: mark })
    }

    /// What the box is doing.
    pub const fn board(&self) -> &Arc<Board> {
        &self.shared.board
    }

    /// Where the status page is.
    pub fn status_url(&self) -> Option<String> {
        self.server.as_ref().map(Server::url)
    }

    /// Where AudioSockets are listened for.
    pub fn audio_sockets(&self) -> impl Iterator<Item = SocketAddr> {
        self.shared.exchanges.iter().filter_map(|exchange| exchange.address())
    }

    /// The payment key to try, if the services are a demonstration.
    pub fn demo_hint(&self) -> Option<&'static str> {
        self.shared.shop.demo_hint()
    }

    /// Reads the configuration again and gives its menus and prompts to every line's next call. Calls under way keep
    /// theirs. Everything else of it waits for a restart.
    ///
    /// # Errors
    /// All problems; the box goes on with what it had.
    pub fn reload(&mut self) -> Result<(), ConfigError> {
        let new = Config::read(&self.config.file)?;
        for (line, settings) in self.lines.iter().zip(&self.config.lines) {
            // The line keeps its menu's name; the file behind the name may be another now.
            let name = &self.config.menus[settings.menu].name;
            match new.menus.iter().find(|menu| menu.name == *name) {
                Some(menu) if menu.menu.saves_answers() && self.config.answers.is_none() => {
                    self.shared.board.trouble(&format!(
                        "reload: menu {name} saves answers now, and their file waits for a restart; the line keeps the old one"
                    ));
                }
                Some(menu) => line.speak(Spoken { menu: Arc::clone(&menu.menu), clips: Arc::clone(&menu.clips) }),
                None => self.shared.board.trouble(&format!("reload: menu {name} is gone; the line keeps the old one")),
            }
        }
        self.shared.board.set_hash(&new.hash);
        tracing::info!(config = new.hash, "menus and prompts were read again");
        if new.own_hash != self.config.own_hash {
            let file = self.config.file.display();
            self.shared.board.trouble(&format!(
                "reload: menus and prompts were read again; what else was changed in {file} waits for a restart"
            ));
        }
        Ok(())
    }

    /// What ails the box's threads: lines that hang, and whichever of them has died. For the watchdog, to be asked now and
    /// then; what it tells is mended by starting the box again.
    pub fn fault(&mut self) -> Option<String> {
        let now = Instant::now();
        let mut faults = Vec::new();
        for ((line, board), (seen, at)) in self.lines.iter().zip(&self.shared.board.lines).zip(&mut self.beats) {
            let beat = board.beat.load(Ordering::Relaxed);
            if beat != *seen {
                (*seen, *at) = (beat, now);
            }
            if line.has_ended() {
                faults.push(format!("line {} has died", board.name));
            } else if now - *at >= HANGING {
                faults.push(format!("line {} hangs", board.name));
            }
        }
        let backgrounds = self.shared.shop.backgrounds.iter().filter_map(Background::has_died);
        let writing = self.writing.as_ref().filter(|writing| writing.thread.is_finished()).map(|_| "recorder");
        faults.extend(backgrounds.chain(writing).map(|name| format!("the thread {name} has died")));
        (!faults.is_empty()).then(|| faults.join(", "))
    }

    /// Lets calls under way end, for as long as the configuration says or until `hurry` says so; hangs up what is left;
    /// waits as long again for service requests. What is still open then is in the ledger, and is found at the next start.
    pub fn stop(mut self, hurry: &mut dyn FnMut() -> bool) {
        let busy = self.calls_under_way();
        tracing::info!(calls = busy, "stopping");
        self.lines.iter().for_each(Line::close);
        let patience = self.config.stop_within;
        if !wait(patience, hurry, || self.calls_under_way() == 0) {
            tracing::warn!(calls = self.calls_under_way(), "calls are cut");
            self.lines.iter().for_each(Line::hang_up);
            wait(Duration::from_secs(2), &mut || false, || self.calls_under_way() == 0);
        }
        let requests = Arc::clone(&self.shared.requests);
        if !wait(patience, hurry, || requests.load(Ordering::Relaxed) == 0) {
            tracing::warn!("service requests are left to the next start's reconciliation");
        }
        self.lines.iter_mut().for_each(Line::stop);
        drop(self.lines);
        drop(self.server);
        drop(self.shared);
        if let Some(writing) = self.writing {
            let _ = writing.thread.join(); // a panic in it has been reported by its own thread
        }
    }

    fn calls_under_way(&self) -> usize {
        let is_busy = |phase| matches!(phase, Phase::InCall | Phase::Settling | Phase::HandingOver);
        self.shared.board.lines.iter().filter(|line| is_busy(line.phase())).count()
    }
}

/// Waits until `done`; false if it took too long, or somebody was in a hurry.
fn wait(patience: Duration, hurry: &mut dyn FnMut() -> bool, done: impl Fn() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !done() {
        if Instant::now() >= until || hurry() {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::config::Services;
    use super::*;

    fn station(folder: &Path) -> Station {
        let text =
            "version: 1\nlines: { a: { simulated: true } }\nservices: { demo: demo }\nrecording: { folder: calls }\n";
        let config = Config::parse(&folder.join("box.yaml"), text).map_err(|error| error.to_string()).unwrap();
        Station::start(config).unwrap()
    }

    /// Looks until something is wrong; bounded, and generous for a busy machine.
    fn look(station: &mut Station) -> Option<String> {
        (0..6000).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            station.fault()
        })
    }

    /// Only lines were looked at: without reconciliation open payments stayed open, and nobody was told.
    #[test]
    fn a_thread_that_dies_beside_the_lines_is_a_fault_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut station = station(folder.path());
        assert_eq!(station.fault(), None);
        let services = Services::Demo(folder.path().join("other"));
        let mut shop = Shop::start(&services, Duration::from_secs(3600)).unwrap();
        let dies = Background::every(Duration::from_secs(3600), "notify", |_| panic!("a bug"));
        shop.backgrounds.push(dies.unwrap());
        station.shared.shop = Arc::new(shop);
        assert_eq!(look(&mut station).unwrap(), "the thread notify has died");
        station.stop(&mut || true);
    }

    /// The page showed the new configuration's hash, and nothing said that its lines and services were the old ones.
    #[test]
    fn a_reload_tells_what_waits_for_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (file, menu) = (folder.path().join("box.yaml"), folder.path().join("m.yaml"));
        let config = "version: 1\nlines: { a: { simulated: true } }\nmenus: { m: m.yaml }\nservices: { demo: demo }\n";
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        write(&file, config);
        write(&menu, include_str!("../../menus/pago.yaml"));
        let mut station = Station::start(Config::read(&file).unwrap()).unwrap();
        let troubles = |station: &mut Station| {
            station.reload().unwrap();
            station.board().troubles()
        };
        write(&menu, &include_str!("../../menus/pago.yaml").replace("name: pago", "name: pago2"));
        assert_eq!(troubles(&mut station), 0);
        write(&file, &config.replace("true", "true, every: 5s"));
        assert_eq!(troubles(&mut station), 1);
        station.stop(&mut || true);
    }

    /// The new menu was taken, and what callers answered went nowhere but into the log.
    #[test]
    fn a_menu_that_begins_to_save_answers_waits_for_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, menu) = (folder.path().join("box.yaml"), folder.path().join("m.yaml"));
        let config = "version: 1\nlines: { a: { simulated: true, every: 1min } }\nmenus: { m: m.yaml }\nservices: { demo: demo }\n";
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        write(&file, config);
        write(&menu, include_str!("../../menus/pago.yaml"));
        let mut station = Station::start(Config::read(&file).unwrap()).unwrap();
        write(
            &menu,
            "{version: 1, name: m, languages: [es-MX], start: a, give_up: c, states: {
                a: {set: {x: '1'}, next: b}, b: {save: [x], next: c}, c: {say: [despedida], hang_up: true}}}",
        );
        write(&file, &format!("{config}answers: a.csv\n"));
        station.reload().unwrap();
        let told = station.board().snapshot()["troubles"].to_string();
        assert!(told.contains("menu m saves answers now, and their file waits for a restart"), "{told}");
        station.stop(&mut || true);
    }

    /// Whichever line looked first told it under its own name.
    #[test]
    fn a_caller_whom_nobody_took_on_is_told_of_under_no_lines_name() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path());
        let long_ago = Instant::now().checked_sub(Duration::from_secs(61)).expect("the machine runs for a minute");
        station.board().handovers.keep("call", "101", long_ago);
        let told = (0..6000).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            (station.board().troubles() > 0).then(|| station.board().snapshot()["troubles"].to_string())
        });
        assert!(told.as_ref().is_some_and(|told| told.contains("\"a caller was to be handed over to 101")), "{told:?}");
        station.stop(&mut || true);
    }

    #[test]
    fn a_recorder_that_dies_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let mut station = station(folder.path());
        station.writing = Some(Writing { thread: thread::spawn(|| panic!("a bug")) });
        assert_eq!(look(&mut station).unwrap(), "the thread recorder has died");
        station.stop(&mut || true);
    }
}
