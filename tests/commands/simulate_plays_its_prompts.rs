//! `simulate` on a terminal, with a paced sound card without hardware: what the menu says is heard on the card.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use crate::harness::{Run, at_home, jsonl_digits, program, tonopago_reading};
use crate::virtual_card::VirtualCard;

/// Says the digits of a recording, and hangs up.
const MENU: &str = "\
version: 1
name: digits
languages: [es-MX]
start: dice
give_up: adios
states:
  dice:
    say: [bienvenida]
    choose: {'1': adios}
  adios:
    say: [despedida]
    hang_up: true
";

/// Runs `simulate` on a terminal of its own, as `script` makes them.
fn on_a_terminal(card: &VirtualCard, args: &str) -> Child {
    let menu = card.folder.path("digits.yaml");
    fs::write(&menu, MENU).unwrap();
    let line = format!("{} simulate --menu {} {args}", program().display(), menu.display());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    at_home(&mut command, &card.folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads what a terminal shows up to some words.
fn shown_until(terminal: &mut Child, words: &str) -> String {
    let (mut shown, mut byte) = (Vec::new(), [0]);
    let output = terminal.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&shown).contains(words) {
        assert!(output.read(&mut byte).unwrap() == 1, "no {words:?}: {}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}

fn press(terminal: &mut Child, key: &str) {
    terminal.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
}

/// The digits heard on the card while the menu is tried out on a terminal.
fn heard_meanwhile(card: &VirtualCard) -> String {
    let mut terminal = on_a_terminal(card, "--speaker pulseaudio:line");
    shown_until(&mut terminal, "Prompts are played on pulseaudio:line.");
    let listen = ["listen", "--device", "pulseaudio:line.monitor", "--seconds", "5", "--format", "jsonl"];
    let heard = card.tonopago(&listen);
    press(&mut terminal, "h");
    shown_until(&mut terminal, "The call is over");
    press(&mut terminal, "x");
    assert!(terminal.wait().unwrap().success());
    jsonl_digits(&heard.out)
}

#[test]
fn what_the_menu_says_is_heard_on_the_card() {
    let Some(card) = VirtualCard::start(&["line"]) else { return };
    let recordings = card.folder.path("digits/es-MX");
    fs::create_dir_all(&recordings).unwrap();
    let keys = card.folder.digits("keys.wav", "159*0#D", &["--tone", "120", "--pause", "120", "--lead", "2000"]);
    fs::copy(keys, recordings.join("bienvenida.wav")).unwrap();
    // On a busy machine a virtual card has gaps that a real one has not: up to three attempts.
    let mut heard = (0..3).map(|_| heard_meanwhile(&card)).inspect(|digits| println!("heard {digits}"));
    assert!(heard.any(|digits| digits == "159*0#D"), "not once in three attempts");
}

#[test]
fn a_card_that_goes_away_leaves_the_words() {
    let Some(mut card) = VirtualCard::start(&["line"]) else { return };
    let mut terminal = on_a_terminal(&card, "--speaker pulseaudio:line");
    shown_until(&mut terminal, "Prompts are played on pulseaudio:line.");
    card.take_away();
    shown_until(&mut terminal, "Prompts are shown from now on: ");
    press(&mut terminal, "1");
    shown_until(&mut terminal, "The call is over");
    press(&mut terminal, "x");
    assert!(terminal.wait().unwrap().success());
}

#[test]
fn without_a_card_the_prompts_are_shown_and_a_card_asked_for_must_be_there() {
    let Some(card) = VirtualCard::start(&["line"]) else { return };
    let mut terminal = on_a_terminal(&card, "--mute");
    shown_until(&mut terminal, "Prompts are shown, not played.");
    press(&mut terminal, "1");
    shown_until(&mut terminal, "The call is over");
    press(&mut terminal, "x");
    assert!(terminal.wait().unwrap().success());
    let mut terminal = on_a_terminal(&card, "--speaker nowhere");
    shown_until(&mut terminal, "there is no sound card `nowhere` that can play");
    assert_eq!(terminal.wait().unwrap().code(), Some(1));
    let run: Run = tonopago_reading(["simulate", "--speaker", "nowhere"], b"1\n".to_vec());
    assert!(run.code == 2 && run.err.contains("--speaker is for a terminal"), "{run:?}");
}
