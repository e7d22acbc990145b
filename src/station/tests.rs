//! A whole box in real time, with simulated callers: no hardware, no sound.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::ledger::State;

fn config(folder: &Path, more: &str) -> Config {
    let text = format!(
        "version: 1\nlines: {{ a: {{ simulated: true, every: 1s }} }}\nservices: {{ demo: demo }}\n\
         recording: {{ folder: calls }}\n{more}"
    );
    Config::parse(&folder.join("box.yaml"), &text).map_err(|error| error.to_string()).unwrap()
}

/// Waits for something, far longer than it should take.
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(300), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_stop_lets_the_call_begin_end_and_cuts_it_when_in_a_hurry() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::start(config(folder.path(), "timing: { stop_within: 30min }\n")).unwrap();
    let board = std::sync::Arc::clone(station.board());
    wait_for("a call", || board.lines[0].last_call().is_some());
    // A second signal: in a hurry.
    station.stop(&mut || true);
    let (id, over) = board.lines[0].last_call().unwrap();
    assert!(over);
    let recording = folder.path().join(format!("calls/{id}.wav"));
    assert!(std::fs::metadata(recording).unwrap().len() >= 44, "the recording has its header");
}

#[test]
fn a_reload_changes_the_next_call_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("box.yaml");
    let menu = |words: &str| {
        format!(
            "{{version: 1, name: m, languages: [es-MX], start: a, give_up: a, states: {{a: {{say: [{words}], hang_up: true}}}}}}"
        )
    };
    std::fs::write(folder.path().join("m.yaml"), menu("despedida")).unwrap();
    let text =
        "version: 1\nlines: { a: { simulated: true, every: 0s } }\nmenus: { m: m.yaml }\nservices: { demo: demo }\n";
    std::fs::write(&file, text).unwrap();
    let mut station = Station::start(Config::read(&file).map_err(|error| error.to_string()).unwrap()).unwrap();
    let board = std::sync::Arc::clone(station.board());
    let says = |words: &str| board.snapshot()["lines"][0]["call"].to_string().contains(&format!("says     {words}"));
    wait_for("the first menu", || says("despedida"));
    let before = board.hash();
    std::fs::write(folder.path().join("m.yaml"), menu("no_hay_tal_clip")).unwrap();
    assert!(station.reload().is_err());
    assert_eq!(board.hash(), before);
    std::fs::write(folder.path().join("m.yaml"), menu("cancelado")).unwrap();
    station.reload().unwrap();
    assert_ne!(board.hash(), before);
    wait_for("the second menu", || says("cancelado"));
    assert_eq!(station.fault(), None);
    station.stop(&mut || true);
}

#[test]
fn a_card_that_is_not_there_is_a_trouble_and_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\nlines: { a: { card: no-such-card }, b: { simulated: true } }\nservices: { demo: demo }\n";
    let config = Config::parse(&folder.path().join("box.yaml"), text).map_err(|error| error.to_string()).unwrap();
    let station = Station::start(config).unwrap();
    let board = std::sync::Arc::clone(station.board());
    wait_for("the trouble", || board.troubles() > 0);
    assert!(!board.is_well());
    wait_for("the other line's call", || board.lines[1].last_call().is_some());
    station.stop(&mut || true);
}

#[test]
fn services_of_a_demonstration_give_keys_that_are_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start(&Services::Demo(folder.path().join("demo")), Duration::from_secs(60)).unwrap();
    let (one, other) = (shop.demo_key().unwrap(), shop.demo_key().unwrap());
    assert_ne!(one, other);
    assert_eq!(shop.ledger.attempts_in(State::Approved).unwrap().len(), 0);
    drop(shop);
    // A restart finds its files.
    assert!(Shop::start(&Services::Demo(folder.path().join("demo")), Duration::from_secs(60)).is_ok());
}
