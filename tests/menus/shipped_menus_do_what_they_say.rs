//! The menus that ship: checked with the clips that ship, drawn, and called by the scripted callers beside them, with
//! keys and with sound.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tonopago::menu::{Drawing, Menu, schema};
use tonopago::speech::Clips;
use tonopago::tryout::{Keying, Mismatch, Script, Setup, Tryout};

use crate::json_schema::mistakes;

const MENUS: [&str; 5] = ["pago", "pago-msi", "colegio", "centralita", "encuesta"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("menus")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap()
}

fn load(name: &str) -> (Arc<Menu>, Arc<Clips>) {
    let own = folder().join(name);
    let clips = if own.is_dir() { Clips::with_overrides(&own).unwrap() } else { Clips::embedded() };
    (Menu::parse(name, &text(name), &*clips).unwrap_or_else(|problems| panic!("{problems}")), clips)
}

fn scripts(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join("tests").join(name)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 2, "{name} has scripted callers");
    paths
}

fn calls_go_as_the_scripts_say(name: &str, keying: Keying) {
    let (menu, clips) = load(name);
    for path in scripts(name) {
        let expected = fs::read_to_string(&path).unwrap();
        let script = Script::parse(&expected).unwrap();
        let setup = Setup { keying, at: script.at().cloned().unwrap_or_default(), ..Setup::default() };
        let mut tryout = Tryout::new(Arc::clone(&menu), Arc::clone(&clips), setup);
        let came = script.play(&mut tryout).unwrap();
        if let Some(mismatch) = Mismatch::between(&expected, &came) {
            panic!("{}: {mismatch}", path.display());
        }
    }
}

#[test]
fn every_scripted_call_goes_as_its_transcript_says() {
    for name in MENUS {
        calls_go_as_the_scripts_say(name, Keying::Direct);
    }
}

#[test]
fn keys_sent_as_sound_make_the_same_calls() {
    for name in MENUS {
        calls_go_as_the_scripts_say(name, Keying::Sound);
    }
}

#[test]
fn no_secret_is_in_a_transcript() {
    for path in MENUS.iter().flat_map(|name| scripts(name)) {
        let transcript = fs::read_to_string(&path).unwrap();
        let told: String = transcript.lines().filter(|line| !line.starts_with('>')).collect();
        for secret in ["4111", "4242 4242", "257139", "737", "0830"] {
            assert!(!told.contains(secret), "{}: {secret}", path.display());
        }
    }
}

#[test]
fn a_menu_says_its_own_words_for_the_keys_where_there_are_clips_for_them() {
    let clips = Clips::embedded();
    let says = |words: &str, key: &str| {
        let text = text("pago").replacen("states:", &format!("words: {words}\nstates:"), 1);
        let menu = Menu::parse("pago", &text, &*clips).unwrap_or_else(|problems| panic!("{problems}"));
        let mut tryout = Tryout::new(menu, Arc::clone(&clips), Setup::default());
        tryout.until_it_listens();
        tryout.press(key);
        tryout.until_it_listens();
        tryout.take_lines().into_iter().map(|(_, line)| line).collect::<String>()
    };
    let numeral = "{ \"#\": { es-MX: numeral, en-US: hash } }";
    assert!(says(numeral, "1").contains("oprima numeral."));
    assert!(says(numeral, "2").contains("press hash."));
    assert!(says("{ \"*\": { es-MX: asterisco, en-US: star } }", "1").contains("oprima gato."));
}

#[test]
fn each_is_drawn_and_reads_on_two_screens() {
    for name in MENUS {
        let drawing = Drawing::of(&load(name).0, true);
        for drawn in [drawing.svg(), drawing.dot(), drawing.mermaid()] {
            assert!(load(name).0.state_names().all(|state| drawn.contains(state)), "{name}");
        }
        assert!(text(name).lines().count() <= 135, "{name}");
    }
}

/// `tonopago schema > menus/menu.schema.json` writes it anew.
#[test]
fn the_committed_schema_is_current() {
    let committed = fs::read_to_string(folder().join("menu.schema.json")).unwrap();
    assert!(committed.trim_end() == serde_json::to_string_pretty(&schema()).unwrap(), "menus/menu.schema.json is old");
}

#[test]
fn the_schema_accepts_the_menus_that_ship_and_refuses_wrong_names() {
    let schema = schema();
    for name in MENUS {
        let menu: serde_json::Value = serde_yaml::from_str(&text(name)).unwrap();
        let mistakes = mistakes(&schema, &menu);
        assert!(mistakes.is_empty(), "{name}: {mistakes:?}");
    }
    for (right, wrong) in [
        ("say: [pide_clave]", "sya: [pide_clave]"),
        ("call_limit: 15min", "call_limit: 15"),
        ("hang_up: true", "hang_up: false"),
        ("end_key: none", "end_key: 5"),
        ("next: clave", "nexto: clave"),
        ("language: es-MX, next", "language: fr-FR, next"),
        ("timers: { first_digit: 5s }", "timers: { firstdigit: 5s }"),
        ("{ pause: 300ms }", "{ paus: 300ms }"),
        ("lunes a sábado: 9:00-19:00", "lunes a sábado: 9-19"),
        ("1 de enero: closed", "1 de enero: false"),
        ("hours: tienda, on: {", "hours: tienda, onn: {"),
    ] {
        let shipped = MENUS.map(text).into_iter().find(|menu| menu.contains(right));
        let shipped = shipped.unwrap_or_else(|| panic!("{right}"));
        let broken: serde_json::Value = serde_yaml::from_str(&shipped.replacen(right, wrong, 1)).unwrap();
        assert!(!mistakes(&schema, &broken).is_empty(), "{wrong} is accepted");
    }
}
