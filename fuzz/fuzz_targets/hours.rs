//! Opening hours: the first line is a time zone, the second a time, the rest stands below a schedule's name. What passes says one
//! thing of every minute, and the call goes where it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tonopago::menu::{EventKind, Menu};
use tonopago::tryout::At;
use tonopago_fuzz::caller::{Caller, Deed, Everything};
use tonopago_fuzz::places;

const STATES: &str = "\
version: 1
name: horas
languages: [es-MX]
start: saludo
give_up: closed
states:
  saludo: { hours: tienda, on: { open: open, closed: closed, holiday: holiday } }
  open: { say: [a], hang_up: true }
  closed: { say: [a], hang_up: true }
  holiday: { say: [a], hang_up: true }
";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let (zone, at) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let hours: String = lines.map(|line| format!("    {line}\n")).collect();
    let menu = format!("{STATES}time_zone: {zone}\nhours:\n  tienda:\n{hours}");
    let Ok(at) = At::parse(at) else { return };
    match Menu::parse("hours.yaml", &menu, &Everything) {
        Err(problems) => places::check(&menu, &problems.list),
        Ok(read) => {
            let began = at.by_the_clock_of(&read);
            places::check(&menu, &read.warnings_at(&began));
            let mut caller = Caller::new(read, &at);
            caller.live([Deed::HearOut]);
            let kinds: Vec<_> = caller.events.iter().map(|event| &event.kind).collect();
            let asked = kinds.iter().enumerate().filter_map(|(place, kind)| match kind {
                EventKind::Hours { is, at, line, .. } => Some((place, *is, at, line)),
                _ => None,
            });
            let [(place, is, shown, line)] = asked.collect::<Vec<_>>()[..] else { panic!("{}", caller.trace()) };
            assert_eq!(shown.timestamp(), began.timestamp());
            assert!(line.is_some() || is == "closed", "{is} by no line");
            let next = kinds[place..].iter().find_map(|kind| match kind {
                EventKind::State { name } => Some(name.as_str()),
                _ => None,
            });
            assert_eq!(next, Some(is));
        }
    }
});
