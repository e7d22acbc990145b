//! Properties of every call, whatever the menu, the keys, the services and the hang-ups: it ends within a bound, every
//! key is taken once or dropped once and in order, and no digit of a secret is in the trace.

use std::cell::Cell;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::call_limit::{LAST_WORDS, LIMIT_POSTPONED};
use super::*;
use crate::service::{CardField, Decline};

const CASES: u32 = 1500;

/// Runs a property over `CASES` random cases from a fixed seed, and prints both.
fn check<S: Strategy>(name: &str, seed: u8, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let runs = Cell::new(0);
    let outcome = runner.run(strategy, |value| {
        runs.set(runs.get() + 1);
        property(value)
    });
    println!("{name}: {} runs, seed {seed}", runs.get());
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// What a caller, a line or a service may do.
#[derive(Debug, Clone)]
enum Deed {
    Press(char),
    Hold(char, u64),
    Rattle(String),
    Wait(u64),
    HearOut,
    Answer {
        to: u32,
        reply: usize,
    },
    /// Presses keys that mean something somewhere.
    Call(&'static str),
    /// Does what is asked in this state, so that random calls get far.
    Proceed,
}

const MEANINGFUL: [&str; 8] =
    ["1", "257139#", "4111111111111111#", "5555555555554444", "378282246310005#", "0830", "737", "*"];

fn proceed(bench: &mut Bench) {
    let cards = ["4111111111111111#", "5555555555554444#", "378282246310005#", "4242424242424242#"];
    let keys = match bench.state() {
        "clave" => "257139#",
        "tarjeta" => cards[bench.requests.len() % cards.len()],
        "vencimiento" => "0830",
        "codigo" => "737",
        "autorizar" => {
            bench.answer(authorized());
            return;
        }
        _ => "1",
    };
    bench.keys(keys);
}

fn replies() -> Vec<Reply> {
    let authorize = |refusal| Reply::Authorize(AuthorizeReply::Refused(refusal));
    let charge = Reply::Charge;
    let reference = || "801585".to_owned();
    vec![
        authorized(),
        authorized(),
        authorized(),
        approved(),
        authorize(Refusal::Unknown),
        authorize(Refusal::Expired),
        authorize(Refusal::AlreadyPaid),
        authorize(Refusal::Blocked),
        Reply::Authorize(AuthorizeReply::Unavailable),
        Reply::Authorize(AuthorizeReply::Pending { reference: "100017".to_owned() }),
        charge(ChargeReply::Declined(Decline::OtherCard)),
        charge(ChargeReply::Declined(Decline::CallYourBank)),
        charge(ChargeReply::Declined(Decline::Generic)),
        charge(ChargeReply::Correct(CardField::Pan)),
        charge(ChargeReply::Correct(CardField::Expiry)),
        charge(ChargeReply::Correct(CardField::Cvv)),
        charge(ChargeReply::AlreadyPaid { reference: reference() }),
        charge(ChargeReply::Unknown { reference: reference() }),
        charge(ChargeReply::Unavailable),
    ]
}

fn a_key() -> impl Strategy<Value = char> {
    prop::sample::select("0123456789*#0123456789*#ABCD".chars().collect::<Vec<_>>())
}

fn a_deed() -> impl Strategy<Value = Deed> {
    let call = prop::sample::select(MEANINGFUL.to_vec()).prop_map(Deed::Call);
    prop_oneof![
        4 => a_key().prop_map(Deed::Press),
        1 => (a_key(), 0..20_000u64).prop_map(|(key, ms)| Deed::Hold(key, ms)),
        1 => prop::collection::vec(a_key(), 1..70).prop_map(|keys| Deed::Rattle(keys.into_iter().collect())),
        3 => prop_oneof![0..500u64, 0..30_000u64].prop_map(Deed::Wait),
        3 => Just(Deed::HearOut),
        3 => (0..4u32, 0..replies().len()).prop_map(|(to, reply)| Deed::Answer { to, reply }),
        4 => call,
        16 => Just(Deed::Proceed),
    ]
}

fn perform(bench: &mut Bench, deed: &Deed) {
    match deed {
        Deed::Press(key) => _ = bench.keys(&key.to_string()),
        Deed::Call(keys) => _ = bench.keys(keys),
        Deed::Hold(key, ms) => {
            bench.down(*key);
            bench.wait(*ms).up();
        }
        Deed::Proceed => proceed(bench),
        Deed::Rattle(keys) => _ = bench.rattle(keys),
        Deed::Wait(ms) => _ = bench.wait(*ms),
        Deed::HearOut => _ = bench.hear_out(),
        Deed::Answer { to, reply } => {
            // Mostly the request that is waited for, now and then an old one or none at all.
            let last = bench.requests.last().map_or(0, |(id, _)| id.0);
            let id = if *to < 3 { last } else { last + 1 };
            bench.answer_to(RequestId(id), replies().swap_remove(*reply));
        }
    }
}

/// Kinds of states in random menus.
const KINDS: u8 = 12;

/// A menu of random shape: its states' kinds, targets, policies and keys follow from the numbers.
fn random_menu(shape: &[(u8, u8, u8, u8)]) -> Option<Arc<Menu>> {
    let mut text = String::from(
        "version: 1\nname: random\nlanguages: [es-MX]\nstart: s0\ngive_up: end\ncall_limit: 5min\non_hang_up: hung\n\
         global_keys: {slower: '7', language: '8', person: {key: '6', go: end}}\nstates:\n  \
         end: {say: [bye], hang_up: true}\n  hung: {save: [$language], next: gone}\n  gone: {hang_up: true}\n",
    );
    if shape.iter().any(|(kind, ..)| kind % KINDS == 8) {
        text += "  sub: {say: [sub], choose: {'1': back, '2': sub}}\n  back: {return: true}\n";
    }
    let target = |n: u8| if usize::from(n) % (shape.len() + 1) == 0 { "end".to_owned() } else { state_name(n, shape) };
    for (index, (kind, a, b, policy)) in shape.iter().enumerate() {
        let (a, b, down) = (target(*a), target(*b), state_name_at(index + 1, shape.len()));
        let keys = if policy & 1 == 0 { "keep" } else { "flush" };
        let barge_in = policy & 2 == 0;
        let common = format!("say: [p{index}], keys: {keys}, barge_in: {barge_in}");
        let end_key = if policy & 4 == 0 { "\"#\"" } else { "none" };
        let does = match kind % KINDS {
            0 => format!("next: {down}"),
            1 => format!("choose: {{'1': {a}, '2': {b}, '9': {down}}}, help: [help]"),
            2 => format!(
                "collect: {{field: f{index}, type: digits, digits: {}..{}, end_key: {end_key}}}, on: {{done: {down}, \
                 back: {a}}}",
                policy % 4 + 1,
                policy % 4 + 1 + policy / 64
            ),
            3 => format!("collect: {{field: payment_key}}, on: {{done: {down}, give_up: {b}}}"),
            4 => format!(
                "authorize: {{}}, wait_limit: 20s, on: {{authorized: {down}, refused: {a}, unavailable: {b}, blocked: \
                 end}}"
            ),
            5 => format!(
                "collect: {{field: c{index}, type: card_number}}, attempts: 2, on: {{done: {down}, give_up: {a}}}"
            ),
            6 => format!("branch: [{{tries: s{index}, at_least: {}, go: {a}}}], otherwise: {down}", policy % 3 + 1),
            7 => format!("set: {{v{index}: x}}, next: {down}"),
            8 => format!("visit: sub, next: {down}"),
            9 => format!(
                "collect: {{field: m{index}, type: amount, at_least: 1, at_most: 5000}}, twice: [t], read_back: [r, \
                 $entry], attempts: {{mismatch: 2}}, on: {{done: {down}, back: {a}}}"
            ),
            10 => format!("collect: {{field: y{index}, type: yes_no}}, read_back: [r], on: {{done: {down}}}"),
            _ => format!("save: [$language, $months], next: {down}"),
        };
        writeln!(text, "  s{index}: {{{common}, {does}}}").unwrap();
    }
    Menu::parse("random.yaml", &text, &Everything).ok()
}

fn state_name(n: u8, shape: &[(u8, u8, u8, u8)]) -> String {
    format!("s{}", usize::from(n) % shape.len())
}

fn state_name_at(index: usize, count: usize) -> String {
    if index < count { format!("s{index}") } else { "end".to_owned() }
}

/// Keys taken, keys dropped.
fn accounts(events: &[Event]) -> (usize, usize) {
    events.iter().fold((0, 0), |(taken, dropped), event| match &event.kind {
        EventKind::Key { queued: false, .. } => (taken + 1, dropped),
        EventKind::Dropped { keys, .. } => (taken, dropped + keys),
        _ => (taken, dropped),
    })
}

/// The longest a call may last: its limit, the longest wait for a service, the sentence under way, the last words.
fn bound(menu: &Menu) -> MediaTime {
    menu.call_limit + MediaTime::from_ms(180_000) + CLIP + CLIP + LAST_WORDS + LIMIT_POSTPONED + LIMIT_POSTPONED
}

fn holds(bench: &Bench, menu: &Menu) -> Result<(), TestCaseError> {
    let trace = bench.trace();
    let (taken, dropped) = accounts(&bench.events);
    prop_assert!(bench.runtime.is_over(), "never ended\n{trace}");
    let ended = bench.events.iter().filter(|event| matches!(event.kind, EventKind::HangUp { .. })).count();
    prop_assert_eq!(ended, 1, "ends once\n{}", trace);
    let end = bench.time_of_end();
    prop_assert!(end <= bound(menu), "ended at {end}\n{trace}");
    prop_assert_eq!(bench.pressed, taken + dropped, "{} taken, {} dropped\n{}", taken, dropped, trace);
    prop_assert!(bench.runtime.session.holds_nothing());
    for event in &bench.events {
        let told = format!("{event:?} {event}");
        for card in ["4111111", "5555555", "3782822", "4242424"] {
            prop_assert!(!told.contains(card), "{} in {}", card, told);
        }
    }
    Ok(())
}

impl Bench {
    fn time_of_end(&self) -> MediaTime {
        self.events
            .iter()
            .find(|event| matches!(event.kind, EventKind::HangUp { .. }))
            .map_or(self.now, |event| event.at)
    }

    /// Plays a call to its end: the deeds, then silence, or a hang-up.
    fn live(&mut self, deeds: &[Deed], hangs_up: bool) {
        for deed in deeds {
            if self.runtime.is_over() {
                return;
            }
            perform(self, deed);
        }
        if hangs_up {
            self.hang_up();
        }
        let bound = bound(&self.runtime.menu);
        while !self.runtime.is_over() && self.now <= bound {
            self.wait(1000);
        }
    }
}

/// The payment menus that ship.
fn payment_menus() -> [Arc<Menu>; 2] {
    [pago(), menu(include_str!("../../../../menus/pago-msi.yaml"))]
}

#[test]
fn every_call_of_the_payment_menus_ends_and_accounts_for_every_key() {
    for menu in payment_menus() {
        let charges = Cell::new(0);
        let deeds = (prop::collection::vec(a_deed(), 0..120), any::<bool>());
        check(&menu.name, 11, &deeds, |(deeds, hangs_up)| {
            let mut bench = Bench::new(Arc::clone(&menu));
            bench.live(&deeds, hangs_up);
            let asked = bench.requests.iter().filter(|(_, request)| request.name() == "charge").count();
            charges.set(charges.get() + asked);
            holds(&bench, &menu)
        });
        println!("{} charges were asked for", charges.get());
        assert!(charges.get() > CASES as usize / 10, "the random calls get as far as charging");
    }
}

#[test]
fn every_call_of_a_random_menu_ends_and_accounts_for_every_key() {
    let valid = Cell::new(0);
    let shape = prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..9);
    let cases = (shape, prop::collection::vec(a_deed(), 0..80), any::<bool>());
    check("random menus", 12, &cases, |(shape, deeds, hangs_up)| {
        let Some(menu) = random_menu(&shape) else { return Ok(()) };
        valid.set(valid.get() + 1);
        let mut bench = Bench::new(Arc::clone(&menu));
        bench.live(&deeds, hangs_up);
        holds(&bench, &menu)
    });
    println!("{} of the menus passed the checks", valid.get());
    assert!(valid.get() > CASES / 5, "enough of the random menus are valid: {}", valid.get());
}

/// Digits of the payment key, of the cards, their expiry and CVV: neither one by one nor together.
#[test]
fn no_secret_is_in_the_trace() {
    let menu = pago();
    let deeds = prop::collection::vec(a_deed(), 0..60);
    check("secrets", 13, &deeds, |deeds| {
        let mut bench = Bench::new(Arc::clone(&menu));
        let mut script = deeds.iter();
        for (state, keys) in
            [("clave", "257139#"), ("tarjeta", "4111111111111111#"), ("vencimiento", "0830"), ("codigo", "737")]
        {
            for deed in script.by_ref().take(15) {
                perform(&mut bench, deed);
            }
            if bench.runtime.is_over() || bench.state() != state {
                continue;
            }
            let before = bench.events.len();
            bench.keys(keys);
            let shown: String = bench.events[before..]
                .iter()
                .filter_map(|event| match event.kind {
                    EventKind::Key { shown, .. } => shown,
                    _ => None,
                })
                .filter(char::is_ascii_digit)
                .collect();
            prop_assert!(shown.len() < 3, "{} shown\n{}", shown, bench.trace());
        }
        bench.live(&[], true);
        for event in &bench.events {
            let text = format!("{} {:?}", event.kind, event.kind);
            for secret in ["257139", "737", "0830", "4111", "5555", "3782", "4242"] {
                prop_assert!(!text.contains(secret), "{} in {}", secret, text);
            }
        }
        Ok(())
    });
}

/// Digits of a field that is not secret come out of the trace exactly as they were pressed, ahead or not.
#[test]
fn keys_come_in_the_order_they_were_pressed() {
    let presses = (prop::collection::vec(0..10u8, 8), prop::collection::vec(0..1500u64, 8), 0..4000u64);
    check("order of keys", 14, &presses, |(digits, pauses, answered_at)| {
        let text = "{version: 1, name: o, languages: [es-MX], start: key, give_up: end, states: {
           key: {say: [key], collect: {field: payment_key}, on: {done: auth}},
           auth: {say: [wait], authorize: {}, on: {authorized: told, refused: end, unavailable: end}},
           told: {say: [told], next: a},
           a: {say: [a], collect: {field: a, type: digits, digits: 3, end_key: none}, on: {done: also}},
           also: {say: [also], next: b},
           b: {say: [b], collect: {field: b, type: digits, digits: 5, end_key: none}, on: {done: end}},
           end: {say: [bye], hang_up: true}}}";
        let mut bench = Bench::new(menu(text));
        bench.keys(KEY).keys("#").wait(500);
        bench.news();
        let mut answered = false;
        let begin = bench.now;
        for (digit, pause) in digits.iter().zip(&pauses) {
            bench.keys(&digit.to_string()).wait(*pause);
            if !answered && bench.now.since(begin).as_ms() >= answered_at {
                bench.answer(authorized());
                answered = true;
            }
        }
        if !answered {
            bench.answer(authorized());
        }
        bench.wait(3000);
        let shown: Vec<u8> = bench
            .events
            .iter()
            .filter_map(|event| match event.kind {
                EventKind::Key { shown: Some(key), queued: false } => key.to_digit(10).map(|digit| digit as u8),
                _ => None,
            })
            .collect();
        prop_assert_eq!(shown, digits, "{}", bench.trace());
        Ok(())
    });
}
