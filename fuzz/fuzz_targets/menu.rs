//! A menu, and behind a zero byte what a caller and the services do. Checking it never panics, every problem lies in the text,
//! and what passes can be drawn; a call on it ends, accounts for every key, and tells no card.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use tonopago::menu::{Drawing, EventKind, Menu};
use tonopago::tryout::At;
use tonopago_fuzz::caller::{Caller, Deed, Everything};
use tonopago_fuzz::{canary, places};

/// Most that is done in one call.
const MOST_DEEDS: usize = 200;

fuzz_target!(init: canary::keep_logs(), |data: &[u8]| {
    let (text, deeds) = data.iter().position(|byte| *byte == 0).map_or((data, &[][..]), |end| data.split_at(end));
    let Ok(text) = std::str::from_utf8(text) else { return };
    let menu = match Menu::parse("menu.yaml", text, &Everything) {
        Ok(menu) => menu,
        Err(problems) => {
            assert!(!problems.list.is_empty(), "a menu that is not read has a problem");
            return places::check(text, &problems.list);
        }
    };
    assert!(Menu::parse_draft("menu.yaml", text, &Everything).is_ok());
    if canary::tells(text) {
        return; // the menu may tell it
    }
    let at = At::default();
    places::check(text, &menu.warnings_at(&at.by_the_clock_of(&menu)));
    let names: Vec<String> = menu.state_names().map(str::to_owned).collect();
    let mut drawing = Drawing::of(&menu, true);
    let mut caller = Caller::new(menu, &at);
    let mut bytes = Unstructured::new(deeds);
    caller.live(std::iter::from_fn(|| (!bytes.is_empty()).then(|| bytes.arbitrary::<Deed>().ok())?).take(MOST_DEEDS));
    let logged = canary::take_logs();
    assert!(!canary::tells(&logged), "{logged}");
    let entered = caller.events.iter().filter_map(|event| match &event.kind {
        EventKind::State { name } => Some(name.as_str()),
        _ => None,
    });
    assert!(entered.clone().all(|name| names.iter().any(|known| known == name)));
    drawing.mark(entered);
    let svg = drawing.svg();
    let marks: Vec<u8> = svg.bytes().filter(|byte| matches!(byte, b'<' | b'>')).collect();
    assert!(marks.as_chunks::<2>().0.iter().all(|pair| pair == b"<>") && marks.len().is_multiple_of(2), "{svg}");
    assert!(!drawing.mermaid().is_empty() && !drawing.dot().is_empty());
});
