use std::sync::Arc;

use super::*;
use crate::call::CallConfig;
use crate::dtmf::{Digit, GeneratorConfig, generate};
use crate::line::FlashTimes;
use crate::menu::{EventKind, Menu, Party};
use crate::progress::Kind;
use crate::service::AuthorizeReply;
use crate::speech::Clips;

const MENU: &str = "{version: 1, name: a, languages: [es-MX], start: clave, give_up: fin, states: {
    clave: {say: [pide_clave_breve], collect: {field: payment_key}, on: {done: autorizar}},
    autorizar: {authorize: {}, on: {authorized: fin, refused: fin, unavailable: fin}},
    fin: {say: [despedida], hang_up: true}}}";

/// A menu that hands every caller over.
const PERSON: &str = "{version: 1, name: a, languages: [es-MX], start: persona, give_up: fin, states: {
    persona: {say: [transferencia], transfer: '+52 (55) 102'}, fin: {say: [despedida], hang_up: true}}}";

/// A line in virtual time, and what came of it: (time, what).
struct Bench {
    attendant: Attendant,
    said: Vec<f32>,
    now: MediaTime,
    told: Vec<(MediaTime, String)>,
    requests: Vec<(CallNumber, RequestId)>,
}

impl Bench {
    fn new(begins: Begins) -> Self {
        Self::with(MENU, begins, None)
    }

    fn with(menu: &str, begins: Begins, hand_over: Option<HandoverConfig>) -> Self {
        let clips = Clips::embedded();
        let menu = Menu::parse("a.yaml", menu, &*clips).unwrap();
        let make = Box::new(move || Call::new(Arc::clone(&menu), Arc::clone(&clips), &CallConfig::default()));
        let config = AttendantConfig { begins, sound_dbm0: -40.0, profile: Profile::default(), hand_over };
        let attendant = Attendant::new(config, make);
        Self { attendant, said: Vec::new(), now: MediaTime::ZERO, told: Vec::new(), requests: Vec::new() }
    }

    fn feed(&mut self, samples: &[f32], signals: Signals) {
        let mut said = [0.0; STEP];
        for block in samples.chunks_exact(STEP) {
            self.attendant.step(signals, block.try_into().unwrap(), &mut said);
            self.said.extend(said);
            self.now = self.now + STEP_TIME;
            while let Some(effect) = self.attendant.poll_effect() {
                let told = match effect {
                    Effect::Ring(count) => format!("ring {count}"),
                    Effect::GaveUp => "gave up".to_owned(),
                    Effect::TakeLine => "take".to_owned(),
                    Effect::LeaveLine => "leave".to_owned(),
                    Effect::Began(number) => format!("began {number}"),
                    Effect::Ended(number, tone) => {
                        format!("ended {number} {}", tone.map_or("", |tone| tone.kind.name()))
                    }
                    Effect::Event(Event { kind: EventKind::HangUp { by: Party::Box }, .. }) => "box hung up".to_owned(),
                    Effect::Event(_) => continue,
                    Effect::Save(answers) => format!("saves {answers}"),
                    Effect::HandsOver(to) => format!("hands over to {to}"),
                    Effect::CannotHandOver(to) => format!("cannot hand over to {to}"),
                    Effect::Request { call, id, .. } => {
                        self.requests.push((call, id));
                        "asks".to_owned()
                    }
                };
                self.told.push((self.now, told));
            }
        }
    }

    fn quiet(&mut self, ms: usize) {
        self.feed(&vec![0.0; ms * 8], Signals::default());
    }

    fn ring(&mut self, ms: usize) {
        self.feed(&vec![0.0; ms * 8], Signals { ringing: true, ..Signals::default() });
    }

    fn keys(&mut self, keys: &str) {
        let digits: Vec<Digit> = keys.chars().filter_map(Digit::from_char).collect();
        let sound = generate(&digits, &GeneratorConfig::default().timing(100.0, 100.0)).unwrap();
        self.feed(&sound, Signals::default());
    }

    /// Mexico's busy tone.
    fn busy(&mut self, ms: usize) {
        let tone = |n: usize| (std::f64::consts::TAU * 425.0 * n as f64 / 8000.0).sin() * 0.1;
        let samples: Vec<f32> = (0..ms * 8).map(|n| if n / 2000 % 2 == 0 { tone(n) as f32 } else { 0.0 }).collect();
        self.feed(&samples, Signals::default());
    }

    fn told(&self) -> Vec<&str> {
        self.told.iter().map(|(_, told)| told.as_str()).collect()
    }

    fn when(&self, what: &str) -> MediaTime {
        self.told.iter().find(|(_, told)| told.starts_with(what)).unwrap_or_else(|| panic!("{what}: {:?}", self.told)).0
    }
}

#[test]
fn a_key_begins_a_call_on_a_line_without_signals_and_so_does_a_voice() {
    let mut bench = Bench::new(Begins::WithSound);
    bench.quiet(3000);
    bench.keys("5");
    assert_eq!(bench.told(), ["began 1"]);
    let mut bench = Bench::new(Begins::WithSound);
    bench.quiet(3000);
    let clips = Clips::embedded();
    bench.feed(clips.caller_speech()[0].samples(), Signals::default());
    assert_eq!(bench.told().first(), Some(&"began 1"));
}

#[test]
fn clicks_and_noise_begin_none() {
    let mut bench = Bench::new(Begins::WithSound);
    bench.quiet(3000);
    for _ in 0..50 {
        bench.feed(&[0.5; STEP], Signals::default());
        bench.quiet(200);
    }
    let noise = crate::simulator::line::LineBuilder::new(1).noise_dbm0(-45.0).build(8000).carry(&vec![0.0; 800_000]);
    bench.feed(&noise, Signals::default());
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn a_caller_who_hangs_up_frees_the_line_within_six_seconds_and_the_busy_tone_begins_no_call() {
    let mut bench = Bench::new(Begins::WithSound);
    bench.quiet(3000);
    bench.keys("5");
    bench.quiet(2000);
    let hung_up = bench.now;
    bench.busy(30_000);
    assert_eq!(bench.told(), ["began 1", "ended 1 busy tone", "leave"]);
    assert!(bench.when("ended") - hung_up < MediaTime::from_ms(6000), "{:?}", bench.told);
    assert_eq!(bench.attendant.call().and_then(Call::tone).map(|tone| tone.kind), Some(Kind::Busy));
    bench.quiet(2500);
    assert_eq!(bench.attendant.phase(), Phase::Idle);
    bench.keys("1");
    assert_eq!(bench.told().last(), Some(&"began 2"));
}

#[test]
fn a_line_with_signals_is_taken_after_two_rings_and_left_after_the_call() {
    let mut bench = Bench::new(Begins::AfterRings(2));
    bench.keys("123"); // sound begins nothing
    for _ in 0..2 {
        bench.ring(1000);
        bench.quiet(4000);
    }
    assert_eq!(bench.told(), ["ring 1", "ring 2", "take", "began 1"]);
    bench.feed(&[0.0; STEP], Signals { gone: true, ..Signals::default() });
    assert_eq!(bench.told()[4..], ["ended 1 ", "leave"]);
    bench.ring(500); // still hanging up: the exchange's own signal
    assert_eq!(bench.attendant.phase(), Phase::Clearing);
    bench.quiet(2000);
    assert_eq!(bench.attendant.phase(), Phase::Idle);
}

#[test]
fn who_gives_up_ringing_leaves_the_line_idle() {
    let mut bench = Bench::new(Begins::AfterRings(3));
    bench.ring(1000);
    bench.quiet(12_000);
    assert_eq!(bench.told(), ["ring 1", "gave up"]);
    assert_eq!(bench.attendant.phase(), Phase::Idle);
}

#[test]
fn an_answer_for_a_call_that_is_over_is_for_nobody() {
    let mut bench = Bench::new(Begins::AfterRings(1));
    let call = |bench: &mut Bench| {
        bench.ring(1000);
        bench.quiet(1500);
        bench.keys("257139#");
        bench.quiet(200);
    };
    call(&mut bench);
    let (number, id) = bench.requests[0];
    bench.feed(&[0.0; STEP], Signals { gone: true, ..Signals::default() });
    bench.quiet(3000);
    call(&mut bench);
    assert_eq!(bench.requests.len(), 2);
    bench.attendant.reply(number, id, Reply::Authorize(AuthorizeReply::Unavailable));
    bench.quiet(500);
    assert_eq!(bench.attendant.phase(), Phase::InCall, "the second call did not take the first one's answer");
    let (number, id) = bench.requests[1];
    bench.attendant.reply(number, id, Reply::Authorize(AuthorizeReply::Unavailable));
    bench.quiet(10_000);
    assert!(bench.told().ends_with(&["box hung up", "ended 2 ", "leave"]), "{:?}", bench.told());
}

#[test]
fn a_line_that_is_to_close_lets_its_call_end_and_takes_no_other() {
    let mut bench = Bench::new(Begins::AfterRings(1));
    bench.ring(1000);
    bench.quiet(1500);
    bench.attendant.close();
    bench.quiet(1000);
    assert_eq!(bench.attendant.phase(), Phase::InCall);
    bench.attendant.hang_up();
    bench.quiet(100);
    assert_eq!(bench.attendant.phase(), Phase::Closed);
    bench.ring(1000);
    bench.quiet(2000);
    assert_eq!(bench.told().last(), Some(&"leave"), "{:?}", bench.told());
    bench.attendant.open();
    bench.quiet(3000);
    assert_eq!(bench.attendant.phase(), Phase::Idle);
}

/// A call on a line with a hook that is handed over, up to some ms after its end.
fn handed_over(config: Option<HandoverConfig>, ms: usize) -> Bench {
    let mut bench = Bench::with(PERSON, Begins::AfterRings(1), config);
    bench.ring(1000);
    while !bench.told().iter().any(|told| told.starts_with("ended")) {
        bench.quiet(10);
    }
    bench.quiet(ms);
    bench
}

fn by_flash() -> HandoverConfig {
    HandoverConfig::Flash(FlashTimes::default())
}

fn dialled(said: &[f32]) -> Vec<dtmf::Detection> {
    let (mut detector, mut keys) = (Detector::new(SAMPLE_RATE, &Profile::default()).unwrap(), Vec::new());
    detector.process(said, &mut |event| {
        if let dtmf::Event::End(key) = event {
            keys.push(key);
        }
    });
    keys
}

#[test]
fn a_caller_is_handed_over_by_flash_number_and_hanging_up() {
    let times = FlashTimes { flash: MediaTime::from_ms(300), ..FlashTimes::default() };
    let bench = handed_over(Some(HandoverConfig::Flash(times)), 10_000);
    let [.., ended, begun, (flash, left), (taken, took), (over, done)] = &bench.told[..] else { panic!() };
    assert_eq!((&*ended.1, &*begun.1), ("ended 1 ", "hands over to +5255102"));
    assert_eq!((&**left, &**took, &**done), ("leave", "take", "leave"));
    assert_eq!(*taken - *flash, MediaTime::from_ms(300));
    let keys = dialled(&bench.said);
    assert_eq!(keys.iter().map(|key| key.digit.as_char()).collect::<String>(), "005255102");
    let time = |sample: u64| MediaTime(sample);
    let (first, last) = (time(keys[0].start) - *taken, *over - time(keys[8].end));
    assert!((990..1020).contains(&first.as_ms()) && (1590..1630).contains(&last.as_ms()), "{first} {last}");
    assert_eq!(bench.attendant.phase(), Phase::Idle);
}

#[test]
fn who_hangs_up_while_handed_over_frees_the_line_and_so_does_a_box_that_stops() {
    for ms in [600, 700, 2000, 4500] {
        let mut bench = handed_over(Some(by_flash()), ms);
        assert_eq!(bench.attendant.phase(), Phase::HandingOver, "after {ms} ms");
        if ms == 700 {
            bench.attendant.hang_up();
        }
        bench.feed(&[0.0; STEP], Signals { gone: ms != 700, ..Signals::default() });
        assert_eq!((bench.told().last(), bench.attendant.phase()), (Some(&"leave"), Phase::Clearing));
        let said = bench.said.len();
        bench.quiet(2000);
        assert!(bench.said[said..].iter().all(|sample| *sample == 0.0), "it went on dialling");
        bench.ring(1000);
        bench.quiet(500);
        assert_eq!(bench.told().last(), Some(&"take"), "the next call is taken");
    }
}

#[test]
fn a_hook_that_takes_the_flash_for_the_callers_going_does_not_end_it() {
    let mut bench = handed_over(Some(by_flash()), 100);
    bench.feed(&[0.0; STEP], Signals { gone: true, ..Signals::default() });
    bench.quiet(10_000);
    assert_eq!(dialled(&bench.said).len(), 9);
}

#[test]
fn a_line_that_cannot_hand_over_says_so_and_lets_go() {
    let bench = handed_over(None, 100);
    assert!(bench.told().ends_with(&["ended 1 ", "cannot hand over to +5255102", "leave"]), "{:?}", bench.told());
}

#[test]
fn whoever_asks_where_callers_go_is_told_before_they_are_let_go_of() {
    let bench = handed_over(Some(HandoverConfig::Asked), 3000);
    assert!(bench.told().ends_with(&["ended 1 ", "hands over to +5255102", "leave"]), "{:?}", bench.told());
    assert_eq!((bench.attendant.phase(), dialled(&bench.said).len()), (Phase::Idle, 0));
}

#[test]
fn a_line_that_is_to_close_hands_over_first() {
    let mut bench = handed_over(Some(by_flash()), 100);
    bench.attendant.close();
    bench.quiet(10_000);
    assert_eq!(bench.attendant.phase(), Phase::Closed);
    assert_eq!(dialled(&bench.said).len(), 9);
}

#[test]
fn a_caller_who_is_told_of_is_spoken_to_at_once_and_the_next_one_right_after() {
    let mut bench = Bench::new(Begins::WithCaller);
    bench.keys("55");
    assert_eq!(bench.told(), [""; 0], "sound alone begins nothing");
    bench.said.clear();
    let caller = Signals { caller: true, ..Signals::default() };
    let key = |key: char| Signals { key: Digit::from_char(key), ..caller };
    bench.feed(&[0.0; STEP], key('1'));
    assert_eq!(bench.attendant.call().unwrap().now(), STEP_TIME, "the first sample is the call's first");
    for key_told in "23456#".chars() {
        bench.feed(&[0.0; STEP], key(key_told));
    }
    assert_eq!(bench.told(), ["began 1", "asks"]);
    bench.feed(&[0.0; STEP], Signals { gone: true, ..caller });
    assert_eq!(bench.told(), ["began 1", "asks", "ended 1 ", "leave"]);
    bench.quiet(10);
    assert_eq!(bench.attendant.phase(), Phase::Idle);
    bench.feed(&[0.0; STEP], caller);
    assert_eq!(bench.told().last(), Some(&"began 2"));
}

#[test]
fn no_caller_who_is_told_of_is_taken_after_closing() {
    let mut bench = Bench::new(Begins::WithCaller);
    let caller = Signals { caller: true, ..Signals::default() };
    bench.feed(&[0.0; STEP], caller);
    bench.attendant.close();
    bench.feed(&[0.0; STEP], caller);
    assert_eq!(bench.attendant.phase(), Phase::InCall, "the call under way goes on");
    bench.attendant.hang_up();
    bench.feed(&[0.0; 2 * STEP], caller);
    assert_eq!(bench.attendant.phase(), Phase::Closed);
    assert_eq!(bench.told(), ["began 1", "ended 1 ", "leave"]);
}
