//! What a call's stereo recording keeps and what it must not: the payment key's digits, and no digit of a card.

use std::sync::Arc;

use tonopago::call::{Call, CallConfig, Frame};
use tonopago::line::{Latencies, SimulatedCaller, Transcript, run};
use tonopago::media::MediaTime;
use tonopago::menu::{Event, EventKind, Menu};
use tonopago::simulator::line::{Line, LineBuilder};
use tonopago::simulator::{Act, Caller, Patience, Script};
use tonopago::speech::Clips;

use crate::bench::{self, Approving, CVV, EXPIRY, KEY, PAN};
use crate::sound::{Sound, digits_in, keys_in};

const CARD_STATES: [&str; 3] = ["tarjeta", "vencimiento", "codigo"];

fn plain_line() -> Line {
    LineBuilder::new(5).noise_dbm0(-45.0).echo(24.0, 16.0).build(8000)
}

fn record(script: Script, seed: u64, line: Line, latencies: Latencies) -> Transcript {
    record_in(bench::pago(), Clips::embedded(), script, seed, line, latencies)
}

fn record_in(
    menu: Arc<Menu>,
    clips: Arc<Clips>,
    script: Script,
    seed: u64,
    line: Line,
    latencies: Latencies,
) -> Transcript {
    println!("seed {seed}");
    let mut party = SimulatedCaller::new(Caller::new(script, seed), line);
    let config = CallConfig { record: true, ..CallConfig::default() };
    let mut call = Call::new(menu, clips, &config);
    let mut transcript = Transcript { heard: Some(Vec::new()), ..Transcript::default() };
    let mut services = Approving::default();
    let mut perform = |request| services.perform(request);
    run(&mut call, &mut party, &mut perform, latencies, &mut transcript, &mut |event| println!("{event}")).unwrap();
    assert_eq!(transcript.recording.len() as u64, call.now().0, "the recording is as long as the call");
    transcript
}

fn channel(recording: &[Frame], channel: usize) -> Vec<f32> {
    recording.iter().map(|frame| frame[channel]).collect()
}

/// Where the call was in states of these names, as sample ranges.
fn spans(events: &[Event], end: u64, names: &[&str]) -> Vec<std::ops::Range<usize>> {
    let entered: Vec<(&str, u64)> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::State { name } => Some((name.as_str(), event.at.0)),
            _ => None,
        })
        .collect();
    let ends = entered.iter().skip(1).map(|(_, at)| *at).chain([end]);
    entered
        .iter()
        .zip(ends)
        .filter(|((name, _), _)| names.contains(name))
        .map(|((_, at), end)| *at as usize..end as usize)
        .collect()
}

fn silent(frames: &[Frame]) -> bool {
    frames.iter().all(|frame| *frame == [0.0; 2])
}

/// The tones of all keys heard between these samples are silent in the recording from onset to end, both channels.
fn keys_are_silent_between(transcript: &Transcript, from: usize, to: usize) -> String {
    let found = digits_in(transcript.heard.as_ref().unwrap());
    let mut keys = String::new();
    for digit in found.iter().filter(|digit| (from as u64..to as u64).contains(&digit.start)) {
        let tone = digit.start as usize..(digit.end as usize).min(transcript.recording.len());
        assert!(silent(&transcript.recording[tone]), "key {} at {}", digit.digit, MediaTime(digit.start));
        keys.push(digit.digit.as_char());
    }
    keys
}

#[test]
fn a_paid_calls_recording_has_the_payment_key_and_no_card_digit() {
    for seed in 41..45 {
        let transcript = record(bench::good_caller(), seed, plain_line(), Latencies::default());
        assert_eq!(keys_in(&channel(&transcript.recording, 0)), format!("1{KEY}#1"));
        assert_eq!(keys_in(&channel(&transcript.recording, 1)), "");
    }
}

/// What went wrong: a card number keyed at the payment key's prompt counted as the key, and stayed in the recording.
#[test]
fn a_card_keyed_at_the_payment_keys_prompt_leaves_no_digit_in_the_recording() {
    for (seed, keys) in [(61, format!("{PAN}#")), (62, PAN.to_owned())] {
        let script = bench::good_caller_from("clave", &keys);
        let transcript = record(script, seed, plain_line(), Latencies::default());
        let refused = transcript.events.iter().find(|event| event.kind.to_string().contains("looks like a card"));
        let refused = refused.expect("the card number is refused").at;
        assert_eq!(keys_in(&channel(&transcript.recording, 0)), format!("1{KEY}#1"), "only what was keyed after it");
        let before = keys_in(&channel(&transcript.recording[..refused.0 as usize], 0));
        assert_eq!(before, "1", "the language");
    }
}

/// What went wrong: a field of ten digits without an end key kept the first ten of a card number in the recording, and told them.
#[test]
fn a_card_keyed_in_a_survey_leaves_no_more_of_it_than_the_answers_before_it_was_known() {
    let clips = Clips::with_overrides(&bench::repository("menus/encuesta")).unwrap();
    let text = std::fs::read_to_string(bench::repository("menus/encuesta.yaml")).unwrap();
    let menu = Menu::parse("encuesta", &text, &*clips).unwrap_or_else(|problems| panic!("{problems}"));
    let card = "5105105105105100";
    let at_the_end = Script::new().keys("servicio", "5").keys("volveria", "1").keys("telefono", card);
    let at_once = Script::new().keys("servicio", card).act("telefono", Patience::HearsOut, Act::Nothing);
    for (seed, script) in [(63, at_the_end), (64, at_once)] {
        let script = script.act("telefono", Patience::HearsOut, Act::KeysThenHangUp("33".to_owned()));
        let transcript =
            record_in(Arc::clone(&menu), Arc::clone(&clips), script, seed, plain_line(), Latencies::default());
        let told: String = transcript.events.iter().map(|event| format!("{event}\n")).collect();
        assert!(told.contains("looks like a card"), "{told}");
        assert_eq!(keys_in(&channel(&transcript.recording, 0)), "5133", "the answers 5 and 1: {told}");
        assert!(!told.contains("telefono = 5") && !told.contains("05105"), "{told}");
    }
}

/// What went wrong: of a card keyed at the language question the first 1 chose the language, and the rest was a payment key.
#[test]
fn a_card_keyed_at_a_choice_leaves_no_digit_in_the_recording() {
    let script = Script::new().keys("bienvenida", "5412751234123456").keys("bienvenida", ",,1");
    let script = script.keys("clave", &format!("{KEY}#")).act(
        "confirmar",
        Patience::HearsOut,
        Act::KeysThenHangUp("2".to_owned()),
    );
    let transcript = record(script, 65, plain_line(), Latencies::default());
    assert_eq!(keys_in(&channel(&transcript.recording, 0)), format!("1{KEY}#2"));
}

#[test]
fn card_states_are_digital_silence_in_both_channels_throughout() {
    let transcript = record(bench::good_caller(), 46, plain_line(), Latencies::default());
    let spans = spans(&transcript.events, transcript.recording.len() as u64, &CARD_STATES);
    assert_eq!(spans.len(), 3);
    for span in spans {
        assert!(span.len() > 8000 && silent(&transcript.recording[span]));
    }
    assert!(!silent(&transcript.recording[..8000]), "the rest is recorded");
}

#[test]
fn the_key_that_ends_a_card_state_is_silent_to_its_own_end() {
    let transcript = record(bench::good_caller(), 47, plain_line(), Latencies::default());
    let cvv = spans(&transcript.events, 0, &["codigo"]).remove(0);
    let keys = keys_are_silent_between(&transcript, cvv.start, transcript.recording.len());
    assert_eq!(keys, CVV);
}

#[test]
fn card_keys_pressed_while_the_authorizer_works_are_silent_from_their_onset() {
    let script = bench::good_caller().act(
        "autorizar",
        Patience::CutsIn(MediaTime::from_ms(400)),
        Act::Keys(format!("{PAN}#{EXPIRY}#{CVV}")),
    );
    let latencies = Latencies { authorize: MediaTime::from_ms(20_000), ..Latencies::default() };
    let transcript = record(script, 48, plain_line(), latencies);
    let waiting = spans(&transcript.events, 0, &["autorizar"]).remove(0);
    assert_eq!(keys_are_silent_between(&transcript, waiting.start, waiting.end), format!("{PAN}#{EXPIRY}#{CVV}"));
    assert_eq!(keys_in(&channel(&transcript.recording, 0)), format!("1{KEY}#1"));
}

#[test]
fn card_keys_pressed_over_the_question_for_the_amount_are_silent_from_their_onset() {
    for keys in [PAN.to_owned(), format!("1{PAN}#{EXPIRY}{CVV}")] {
        let script = Script::new()
            .keys("bienvenida", "1")
            .keys("clave", &format!("{KEY}#"))
            .act("confirmar", Patience::CutsIn(MediaTime::from_ms(900)), Act::Keys(keys.clone()))
            .act("confirmar", Patience::HearsOut, Act::KeysThenHangUp("2".to_owned()));
        let transcript = record(script, 49, plain_line(), Latencies::default());
        let recorded = keys_in(&channel(&transcript.recording, 0));
        let yes = if keys.starts_with('1') { "1" } else { "2" };
        assert_eq!(recorded, format!("1{KEY}#{yes}"), "only the yes or no itself is kept");
    }
}

/// Long lines give the caller's own keys back, weaker and up to 100 ms late.
#[test]
fn the_lines_echo_of_a_secret_key_is_silent_too() {
    let line = LineBuilder::new(6).caller_echo(90.0, 30.0).build(8000);
    let keys = Act::Keys(PAN.to_owned());
    let script = bench::good_caller().act("autorizar", Patience::CutsIn(MediaTime::from_ms(400)), keys);
    let latencies = Latencies { authorize: MediaTime::from_ms(20_000), ..Latencies::default() };
    let transcript = record(script, 50, line, latencies);
    let waiting = spans(&transcript.events, 0, &["autorizar"]).remove(0);
    let keyed = digits_in(transcript.heard.as_ref().unwrap());
    let secret: Vec<_> = keyed.iter().filter(|digit| waiting.contains(&(digit.start as usize))).collect();
    assert_eq!(secret.len(), PAN.len());
    for digit in secret {
        let (end, echo) = (digit.end as usize, MediaTime::from_ms(130).0 as usize);
        assert!(
            transcript.heard.as_ref().unwrap()[end + 80..end + 600].iter().any(|x| x.abs() > 0.003),
            "there is one"
        );
        assert!(silent(&transcript.recording[digit.start as usize..end + echo]));
    }
}

#[test]
fn a_recording_is_as_long_as_the_call_wherever_it_ends() {
    for samples in [0, 1, 79, 80, 81, 8000, 12_345] {
        let mut sound = Sound::new(bench::pago());
        sound.block = 441;
        sound.feed(&vec![0.01; samples]).hang_up();
        assert_eq!(sound.recording.len(), samples);
    }
}

#[test]
fn nothing_is_recorded_after_the_call() {
    let mut sound = Sound::new(bench::pago());
    sound.silence(1000).hang_up();
    let end = sound.recording.len();
    sound.keys(PAN);
    assert_eq!(sound.recording.len(), sound.heard.len(), "silence has the same length");
    assert!(silent(&sound.recording[end..]));
}
