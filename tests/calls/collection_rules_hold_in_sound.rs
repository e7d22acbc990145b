//! The six collection rules once more, with tones through the detector and the timers in the samples of the line.
//! (Each rule's exact millisecond is tested in the menu room, with keys.)

use tonopago::media::MediaTime;
use tonopago::menu::Outcome;

use crate::sound::{Sound, menu};

/// The detector tells of a key this long after its begin or end, and the engine looks every 10 ms.
const LATE: MediaTime = MediaTime::from_ms(60);

fn ask(end_key: &str) -> Sound {
    let text = format!(
        "{{version: 1, name: one, languages: [es-MX], start: ask, give_up: end, states: {{
           ask: {{say: [intente_otra_vez], collect: {{field: code, type: digits, digits: 3..5, end_key: {end_key}}},
                 on: {{done: end}}}},
           end: {{say: [despedida], hang_up: true}}}}}}"
    );
    let mut sound = Sound::new(menu(&text));
    sound.until_heard("ask");
    sound
}

/// The only outcome so far, which came `ms` after `from`, not a sample earlier and at most [`LATE`].
fn came(sound: &Sound, outcome: Outcome, from: MediaTime, ms: u64) {
    let outcomes = sound.outcomes();
    let (at, first) = outcomes[0];
    assert_eq!((outcomes.len(), first), (1, outcome), "{}", sound.trace());
    let due = from + MediaTime::from_ms(ms);
    assert!(at >= due && at <= due + LATE, "{at}, due {due}\n{}", sound.trace());
}

#[test]
fn rule_1_no_input() {
    let mut sound = ask("\"#\"");
    let heard_out = sound.events.last().unwrap().at;
    sound.silence(8100);
    came(&sound, Outcome::NoInput, heard_out, 8000);
}

#[test]
fn rule_2_inter_digit_on_an_incomplete_entry() {
    let mut sound = ask("\"#\"");
    sound.keys("1").tone('2', 80.0);
    let released = sound.now();
    sound.silence(3200);
    came(&sound, Outcome::NoMatch, released, 3000);
}

#[test]
fn rule_3_inter_digit_on_a_complete_entry() {
    let mut sound = ask("\"#\"");
    sound.keys("12").tone('3', 80.0);
    let released = sound.now();
    sound.silence(3200);
    came(&sound, Outcome::Match, released, 3000);
}

#[test]
fn rule_4_the_end_key() {
    let mut sound = ask("\"#\"");
    sound.keys("123");
    let pressed = sound.now();
    sound.keys("#");
    came(&sound, Outcome::Match, pressed, 0);
    let mut sound = ask("\"#\"");
    sound.keys("12");
    let pressed = sound.now();
    sound.keys("#");
    came(&sound, Outcome::NoMatch, pressed, 0);
}

#[test]
fn rule_5_full_without_end_key() {
    let mut sound = ask("none");
    sound.keys("1234");
    let pressed = sound.now();
    sound.keys("5");
    came(&sound, Outcome::Match, pressed, 0);
}

#[test]
fn rule_6_full_with_end_key() {
    let mut sound = ask("\"#\"");
    sound.keys("1234").tone('5', 80.0);
    let released = sound.now();
    sound.silence(1200);
    came(&sound, Outcome::Match, released, 1000);
    let mut sound = ask("\"#\"");
    sound.keys("12345");
    let pressed = sound.now();
    sound.keys("#").silence(3000);
    came(&sound, Outcome::Match, pressed, 0);
}

#[test]
fn a_held_key_is_one_key_and_no_pause() {
    let mut sound = ask("\"#\"");
    sound.keys("1").tone('2', 6000.0).silence(100).keys("3#");
    assert_eq!(sound.state(), "end", "{}", sound.trace());
}

#[test]
fn samples_that_are_no_numbers_do_not_deafen_the_box() {
    let mut sound = ask("none");
    sound.feed(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]).silence(200).keys("12345");
    assert_eq!(sound.state(), "end", "{}", sound.trace());
    assert!(sound.said.iter().all(|sample| sample.is_finite()));
}
