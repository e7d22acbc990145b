//! Reading when a business is open: `hours:` and `time_zone:` at the top of a menu, and the states that go by them.

use jiff::civil::Date;
use jiff::tz::{TimeZone, db};

use crate::menu::hours::{DAY, Holiday, Hours, Line, Schedule, ScheduleId, Span};
use crate::menu::model::Kind;
use crate::yaml::{Map, Node, Notes, Path, Value, nearest, quoted, suggest};

use super::dates::{self, NoDays, NoTime};
use super::states::Outcomes;
use super::{Context, names_of};

/// What is written for a day without any hours.
const CLOSED: [&str; 2] = ["closed", "cerrado"];
/// The name under which the days stand that are different.
pub(in crate::menu) const HOLIDAYS: &str = "holidays";
const WRITE_A_ZONE: &str = "add time_zone: America/Mexico_City, or the name of yours";
const WRITE_HOURS: &str = "write 9:00-14:00, or [9:00-14:00, 16:00-19:00], or closed";
const WRITE_A_DATE: &str = "write 25 de diciembre, primer lunes de febrero, 2026-12-24, or 2026-12-24 a 2026-12-31";

/// When the businesses of a menu are open, by whose clock.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) schedules: Vec<Schedule>,
    pub(super) zone: Option<TimeZone>,
    /// Holidays of one year: their last days, and where they stand.
    pub(super) once: Vec<(Date, Path)>,
}

/// `hours:` and `time_zone:`
pub(super) fn read(top: &Map<'_>) -> Opened {
    let zone = top.optional("time_zone");
    let mut opened = Opened { zone: zone.as_ref().and_then(read_zone), ..Opened::default() };
    let Some(hours) = top.optional("hours") else {
        if let Some(zone) = zone {
            zone.warn_of_name("no hours go by this time zone", "add hours:, or remove it");
        }
        return opened;
    };
    if zone.is_none() {
        hours.problem_of_name("it is not said by which clock these hours go", WRITE_A_ZONE);
    }
    for (name, value) in hours.any_map().iter().flat_map(Map::entries) {
        let mut once = Vec::new();
        // One that can't be read is known by its name all the same.
        let schedule = read_schedule(name, &value, &mut once);
        opened.schedules.push(schedule.unwrap_or_else(|| empty(name)));
        opened.once.append(&mut once);
    }
    opened
}

fn empty(name: &str) -> Schedule {
    Schedule { name: name.to_owned(), week: Vec::new(), holidays: Vec::new() }
}

fn read_zone(value: &Value<'_>) -> Option<TimeZone> {
    let text = value.text()?;
    if let Ok(zone) = TimeZone::get(text) {
        return Some(zone);
    }
    let names: Vec<String> = db().available().map(|name| name.to_string()).collect();
    let cure = if names.is_empty() {
        "this machine knows no time zones: install its tzdata package".to_owned()
    } else {
        let near = nearest(text, names.iter().map(String::as_str));
        near.map_or_else(|| "write one such as America/Mexico_City".to_owned(), |near| suggest(text, [near]))
    };
    value.problem(format!("no time zone is named {}", quoted(text)), cure);
    None
}

fn read_schedule(name: &str, value: &Value<'_>, once: &mut Vec<(Date, Path)>) -> Option<Schedule> {
    let map = value.any_map()?;
    let mut schedule = empty(name);
    let mut taken: [Option<&str>; 7] = [None; 7];
    for (written, hours) in map.entries() {
        if written == HOLIDAYS {
            schedule.holidays = read_holidays(&hours, once);
            continue;
        }
        let days = read_days(written, &hours);
        let cut_off = days.is_empty() && matches!(hours.node, Node::Null);
        let open = if cut_off { Vec::new() } else { read_open(&hours) };
        for day in &days {
            match taken[*day].replace(written) {
                Some(earlier) if earlier == written => {
                    hours.problem_of_name(
                        format!("{} is named twice here", dates::WEEKDAYS[*day].0),
                        "name each day once",
                    );
                }
                Some(earlier) => hours.problem_of_name(
                    format!("{} has hours already, under {}", dates::WEEKDAYS[*day].0, quoted(earlier)),
                    "write all hours of a day in one place: [9:00-14:00, 16:00-19:00]",
                ),
                None => {}
            }
        }
        let days = days.into_iter().map(dates::weekday_at).collect();
        schedule.week.push(Line { written: written.to_owned(), days, open });
    }
    Some(schedule)
}

/// The days a name stands for, Monday 0: `sábado`, `lunes a viernes`, `martes y jueves`.
fn read_days(written: &str, hours: &Value<'_>) -> Vec<usize> {
    let mut days = Vec::new();
    if matches!(hours.node, Node::Null) && written.contains(':') {
        let cure = "in braces a comma ends a value: write several hours as [9:00-14:00, 16:00-19:00]";
        hours.problem_of_name(format!("{} is no day of the week", quoted(written)), cure);
        return days;
    }
    for part in dates::parts(written) {
        let (first, last) = dates::ends(&part, true);
        let named = |name: &str| {
            let day = dates::weekday(name);
            if day.is_none() {
                no_weekday(name, written, hours);
            }
            day
        };
        let is_alone = first == part;
        let ends = if is_alone { named(first).map(|day| (day, day)) } else { named(first).zip(named(last)) };
        match ends {
            Some((first, last)) if first == last && !is_alone => hours.problem_of_name(
                format!("{} may mean one day or all seven", quoted(&part)),
                "write the day alone, or lunes a domingo",
            ),
            Some((first, last)) => days.extend((first..=first + (last + 7 - first) % 7).map(|day| day % 7)),
            None => {}
        }
    }
    days
}

fn no_weekday(name: &str, written: &str, hours: &Value<'_>) {
    let known = || dates::WEEKDAYS.iter().flat_map(|(spanish, english)| [*spanish, *english]);
    let near = nearest(&name.to_lowercase(), known().chain([HOLIDAYS]));
    let cure = match near {
        Some(near) => suggest(name, [near]),
        None if dates::holiday(written).is_ok() => format!("dates stand under {HOLIDAYS}:, in here"),
        None => "write lunes, sábado, lunes a viernes (or monday to friday)".to_owned(),
    };
    hours.problem_of_name(format!("{} is no day of the week", quoted(name)), cure);
}

fn read_holidays(value: &Value<'_>, once: &mut Vec<(Date, Path)>) -> Vec<Line<Holiday>> {
    let mut lines: Vec<Line<Holiday>> = Vec::new();
    for (written, hours) in value.any_map().iter().flat_map(Map::entries) {
        let open = read_open(&hours);
        let days = match dates::holiday(written) {
            Ok(days) => days,
            Err(why) => {
                no_days(why, &hours);
                continue;
            }
        };
        if let Holiday::Once { last, .. } = days {
            once.push((last, hours.path.name()));
        }
        if let Some(other) = lines.iter().find(|line| line.days.meets(&days)) {
            hours.problem_of_name(
                format!("a day of this is also in {}", quoted(&other.written)),
                "write each day once; one with its year counts before one without",
            );
        }
        lines.push(Line { written: written.to_owned(), days, open });
    }
    lines
}

fn no_days(why: NoDays, hours: &Value<'_>) {
    let (message, cure) = match why {
        NoDays::Unknown(text) => (format!("{} is no date", quoted(&text)), WRITE_A_DATE),
        NoDays::NoSuchDay(text) => (format!("there is no {}", quoted(&text)), "see the calendar"),
        NoDays::OneYear => {
            ("one of these dates has a year and the other has not".to_owned(), "write it with both, or with none")
        }
        NoDays::Backwards => ("these days end before they begin".to_owned(), "write the earlier date first"),
    };
    hours.problem_of_name(message, cure);
}

/// `9:00-14:00`, several of them, or `closed`.
fn read_open(value: &Value<'_>) -> Vec<Span> {
    let mut open: Vec<Span> = Vec::new();
    let texts =
        if matches!(value.node, Node::List(_)) { value.list().unwrap_or_default() } else { vec![value.clone()] };
    if texts.is_empty() {
        value.problem_of_name("no hours are written", WRITE_HOURS);
    }
    for value in &texts {
        let Some(written) = value.node.scalar() else {
            value.expected("hours", WRITE_HOURS);
            continue;
        };
        if CLOSED.contains(&written.to_lowercase().as_str()) {
            if texts.len() > 1 {
                value.problem("a day is closed or has hours, not both", "leave one of them out");
            }
            continue;
        }
        for span in dates::parts(written).iter().filter_map(|part| read_span(part, value)) {
            if let Some(other) = open.iter().find(|other| span.from < other.to && other.from < span.to) {
                let (one, other) = (spoken(*other), spoken(span));
                value.problem(format!("{one} and {other} overlap"), "let each begin when the one before it is over");
            }
            open.push(span);
        }
    }
    open
}

fn spoken(span: Span) -> String {
    format!("{}-{}", dates::time(span.from), dates::time(span.to))
}

fn read_span(text: &str, value: &Value<'_>) -> Option<Span> {
    let (from, to) = dates::ends(text, true);
    let read = |time: &str| match dates::minutes(time) {
        Ok(minutes) => Some(minutes),
        Err(NoTime::Unwritten) => {
            value.expected("hours of a day", WRITE_HOURS);
            None
        }
        Err(NoTime::NoSuchTime) => {
            value.problem(format!("{} is no time of day", quoted(time)), "a day goes from 0:00 to 24:00");
            None
        }
    };
    if from == to {
        read(from)?;
        value.problem(
            format!("no time lies in {}", quoted(text)),
            "write two times: 9:00-18:00, or 0:00-24:00 for all day",
        );
        return None;
    }
    let (from, to) = (read(from), read(to));
    let span = Span { from: from?, to: to? };
    if span.from >= span.to {
        over_midnight(span, text, value);
        return None;
    }
    Some(span)
}

/// Not taken for what it says: as often it is an afternoon counted from 1, which would be open all night.
fn over_midnight(span: Span, text: &str, value: &Value<'_>) {
    // 24:00 is the next day's 0:00.
    let here = span.from < DAY || span.to == 0;
    let first = here.then(|| format!("{}-24:00 here", dates::time(span.from % DAY)));
    let rest = (span.to > 0).then(|| format!("0:00-{} on the next day", dates::time(span.to)));
    let both = first.into_iter().chain(rest).collect::<Vec<_>>().join(", and ");
    let afternoon = span.to + DAY / 2;
    let meant = (span.from < afternoon && afternoon < DAY && span.to > 0)
        .then(|| format!("; if the afternoon is meant, {}-{}", dates::time(span.from), dates::time(afternoon)));
    value.problem(format!("{} goes over midnight", quoted(text)), format!("write {both}{}", meant.unwrap_or_default()));
}

/// What is allowed, but seldom meant, of schedules that could be read; and one that never opens.
pub(super) fn check(schedules: &[Schedule], used: &[ScheduleId], notes: &Notes) {
    for (index, schedule) in schedules.iter().enumerate() {
        let path = Path::default().key("hours").key(&schedule.name);
        if notes.concern(&path) {
            continue;
        }
        let path = path.name();
        let name = quoted(&schedule.name);
        if !schedule.ever_opens() {
            notes.add(
                &path,
                format!("{name} is never open"),
                "write a day with its hours: lunes a viernes: 9:00-18:00",
            );
        }
        if schedule.never_closes() && schedule.holidays.is_empty() {
            notes.warn(&path, format!("{name} is never closed"), "go where open leads with next: instead");
        }
        if !used.contains(&ScheduleId(index)) {
            notes.warn(
                &path,
                format!("no state goes by {name}"),
                "write a state with hours: and its name, or remove it",
            );
        }
    }
}

impl Context<'_> {
    /// `hours: NAME` with `on:`
    pub(super) fn hours(&self, map: &Map<'_>) -> Option<Kind> {
        let value = map.required("hours")?;
        let on = Outcomes::read(map, self, &["open", "closed", "holiday"]);
        let schedule = value.text().and_then(|name| self.schedule_named(name, &value));
        let (open, closed) = (on.required("open"), on.required("closed"));
        if let Some(ScheduleId(index)) = schedule
            && on.names("holiday")
            && self.schedules[index].holidays.is_empty()
        {
            let holiday = map.optional("on").and_then(|on| on.any_map()?.optional("holiday"))?;
            holiday.warn_of_name(
                format!("{} has no {HOLIDAYS}:", quoted(&self.schedules[index].name)),
                format!("write them under its {HOLIDAYS}:, or leave this out"),
            );
        }
        let on_holiday = if on.names("holiday") { on.optional("holiday") } else { closed };
        Some(Kind::Hours(Hours { schedule: schedule?, on_open: open?, on_closed: closed?, on_holiday: on_holiday? }))
    }

    fn schedule_named(&self, name: &str, value: &Value<'_>) -> Option<ScheduleId> {
        let names = names_of(self.schedules);
        let found = names.iter().position(|known| *known == name);
        if found.is_none() {
            let cure = if names.is_empty() {
                format!("add them at the top: hours: {{ {name}: {{ lunes a viernes: 9:00-18:00 }} }}")
            } else {
                suggest(name, names)
            };
            value.problem(format!("no hours are named {}", quoted(name)), cure);
        }
        found.map(ScheduleId)
    }
}
