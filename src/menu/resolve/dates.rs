//! Days, dates and times of day in the words of those who write menus, in Spanish or English: `lunes a viernes`, `sábado`,
//! `25 de diciembre`, `primer lunes de febrero`, `2026-12-24`, `9:00-14:00`. Accents and capitals do not matter.

use jiff::civil::{Date, Weekday};

use crate::menu::hours::{DAY, Holiday, MonthDay};

/// The days of a week, as they are written and in English.
pub(super) const WEEKDAYS: [(&str, &str); 7] = [
    ("lunes", "monday"),
    ("martes", "tuesday"),
    ("miércoles", "wednesday"),
    ("jueves", "thursday"),
    ("viernes", "friday"),
    ("sábado", "saturday"),
    ("domingo", "sunday"),
];
pub(super) const MONTHS: [(&str, &str); 12] = [
    ("enero", "january"),
    ("febrero", "february"),
    ("marzo", "march"),
    ("abril", "april"),
    ("mayo", "may"),
    ("junio", "june"),
    ("julio", "july"),
    ("agosto", "august"),
    ("septiembre", "september"),
    ("octubre", "october"),
    ("noviembre", "november"),
    ("diciembre", "december"),
];
/// Which weekday of a month; the last is counted from its end.
const ORDINALS: [(&str, &str, i8); 5] = [
    ("primer", "first", 1),
    ("segundo", "second", 2),
    ("tercer", "third", 3),
    ("cuarto", "fourth", 4),
    ("último", "last", -1),
];
/// What joins the words of a date and means nothing.
const JOINING: [&str; 4] = ["de", "del", "of", "the"];
/// What stands between two ends.
const BETWEEN: [&str; 4] = [" a ", " to ", " - ", "–"];
/// What stands between the parts of a list.
const AND: [&str; 3] = [",", " y ", " and "];
/// Longest day of each month, in any year.
const LONGEST: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// In small letters without accents.
fn plain(text: &str) -> String {
    let plain = |letter| match letter {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        other => other,
    };
    text.trim().to_lowercase().chars().map(plain).collect()
}

/// The parts of a list: `9:00-14:00 y 16:00-19:00`, `lunes, martes y jueves`.
pub(super) fn parts(text: &str) -> Vec<String> {
    let joined = AND[1..].iter().fold(text.to_owned(), |text, and| text.replace(and, AND[0]));
    joined.split(AND[0]).map(|part| part.trim().to_owned()).collect()
}

/// The two ends of `A-B`, `A a B`, `A to B`; the same twice where there is one. `with_hyphen` where a bare hyphen stands
/// between ends, too.
pub(super) fn ends(text: &str, with_hyphen: bool) -> (&str, &str) {
    let hyphen = with_hyphen.then_some("-");
    let split = BETWEEN.into_iter().chain(hyphen).find_map(|between| text.split_once(between));
    let (first, last) = split.unwrap_or((text, text));
    (first.trim(), last.trim())
}

/// Monday is 0.
pub(super) fn weekday(text: &str) -> Option<usize> {
    position(&WEEKDAYS, &plain(text))
}

pub(super) fn weekday_at(index: usize) -> Weekday {
    Weekday::Monday.wrapping_add(i32::try_from(index % 7).unwrap_or_default())
}

fn position(named: &[(&str, &str)], text: &str) -> Option<usize> {
    named.iter().position(|(spanish, english)| plain(spanish) == text || *english == text)
}

fn month(text: &str) -> Option<i8> {
    i8::try_from(position(&MONTHS, text)? + 1).ok()
}

/// One end of days that are different: a day of one year, or of all.
enum End {
    Once(Date),
    Yearly(MonthDay),
}

/// Why a text is no days.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoDays {
    /// It is no date.
    Unknown(String),
    /// No month, or no month of that year, has such a day.
    NoSuchDay(String),
    /// One end has a year and the other has not.
    OneYear,
    /// It ends before it begins.
    Backwards,
}

/// Days that are different: one or several, of one year or of all.
pub(super) fn holiday(text: &str) -> Result<Holiday, NoDays> {
    if let Some(nth) = nth(text) {
        return Ok(nth);
    }
    let (first, last) = ends(text, false);
    match (end(first)?, end(last)?) {
        (End::Once(first), End::Once(last)) if first > last => Err(NoDays::Backwards),
        (End::Once(first), End::Once(last)) => Ok(Holiday::Once { first, last }),
        // Over the year's end, these would be all days but some of one month.
        (End::Yearly(first), End::Yearly(last)) if first > last && first.month == last.month => Err(NoDays::Backwards),
        (End::Yearly(first), End::Yearly(last)) => Ok(Holiday::Yearly { first, last }),
        _ => Err(NoDays::OneYear),
    }
}

/// `primer lunes de febrero`
fn nth(text: &str) -> Option<Holiday> {
    let text = plain(text);
    let words: Vec<&str> = words(&text);
    let [which, day, in_month] = words[..] else { return None };
    let (_, _, nth) = ORDINALS.iter().find(|(spanish, english, _)| plain(spanish) == which || *english == which)?;
    Some(Holiday::Nth { nth: *nth, weekday: weekday_at(weekday(day)?), month: month(in_month)? })
}

fn words(text: &str) -> Vec<&str> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty() && !JOINING.contains(word));
    words.collect()
}

/// `25 de diciembre`, `24 de diciembre de 2026`, `december 25`, `2026-12-24`
fn end(text: &str) -> Result<End, NoDays> {
    let (unknown, no_such_day) = (|| NoDays::Unknown(text.to_owned()), || NoDays::NoSuchDay(text.to_owned()));
    let plain = plain(text);
    let words = words(&plain);
    let (day_month, year) = match words[..] {
        [iso] => return iso_date(iso).ok_or_else(unknown)?.map(End::Once).ok_or_else(no_such_day),
        [one, other] => ((one, other), None),
        [one, other, year] if year.len() == 4 => ((one, other), Some(year.parse::<i16>().map_err(|_| unknown())?)),
        _ => return Err(unknown()),
    };
    let read = |day: &str, in_month: &str| Some((day_of_month(day)?, month(in_month)?));
    let (one, other) = day_month;
    let (day, month) = read(one, other).or_else(|| read(other, one)).ok_or_else(unknown)?;
    let index = usize::from(month.unsigned_abs()) - 1; // a month is 1 to 12
    if !(1..=LONGEST[index]).contains(&day) {
        return Err(no_such_day());
    }
    let Some(year) = year else { return Ok(End::Yearly(MonthDay { month, day })) };
    Date::new(year, month, day).map(End::Once).map_err(|_| no_such_day())
}

/// The first has a name of its own: `primero de mayo`, `1º de mayo`.
fn day_of_month(text: &str) -> Option<i8> {
    if text == "primero" { Some(1) } else { text.trim_end_matches('º').parse().ok() }
}

/// `2026-12-24`; nothing if it is not written so, nothing in it if there is no such day.
fn iso_date(text: &str) -> Option<Option<Date>> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<i16>().ok())
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let small = |number: i16| i8::try_from(number).ok();
    parts.next().is_none().then(|| Date::new(year, small(month)?, small(day)?).ok())
}

/// Why a text is no time of day.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoTime {
    /// It is not hour, colon, minutes.
    Unwritten,
    /// There is no such time.
    NoSuchTime,
}

/// Minutes since midnight: `9:00`, `18:30`, and `24:00` for the day's end.
pub(super) fn minutes(text: &str) -> Result<u16, NoTime> {
    let digits = |part: &str, most: usize| {
        let fine = (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        fine.then(|| part.parse::<u16>().ok()).flatten()
    };
    let read =
        |(hour, minute): (&str, &str)| Some((digits(hour, 2)?, digits(minute, 2).filter(|_| minute.len() == 2)?));
    let (hour, minute) = text.split_once(':').and_then(read).ok_or(NoTime::Unwritten)?;
    let minutes = hour * 60 + minute;
    if minute > 59 || minutes > DAY { Err(NoTime::NoSuchTime) } else { Ok(minutes) }
}

/// A time of day as it is written.
pub(super) fn time(minutes: u16) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const fn yearly(month: i8, day: i8) -> Holiday {
        let day = MonthDay { month, day };
        Holiday::Yearly { first: day, last: day }
    }

    fn once(day: Date) -> Holiday {
        Holiday::Once { first: day, last: day }
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        for (text, means) in [
            ("25 de diciembre", yearly(12, 25)),
            ("1 mayo", yearly(5, 1)),
            ("Primero de mayo", yearly(5, 1)),
            ("1º de mayo", yearly(5, 1)),
            ("May 1", yearly(5, 1)),
            ("29 de febrero", yearly(2, 29)),
            ("24 de Diciembre del 2026", once(date(2026, 12, 24))),
            ("December 24, 2026", once(date(2026, 12, 24))),
            ("2026-12-24", once(date(2026, 12, 24))),
            ("primer lunes de febrero", Holiday::Nth { nth: 1, weekday: Weekday::Monday, month: 2 }),
            ("the last friday of may", Holiday::Nth { nth: -1, weekday: Weekday::Friday, month: 5 }),
            ("Ultimo sabado de mayo", Holiday::Nth { nth: -1, weekday: Weekday::Saturday, month: 5 }),
        ] {
            assert_eq!(holiday(text), Ok(means), "{text}");
        }
        let (first, last) = (date(2026, 12, 24), date(2027, 1, 2));
        for text in
            ["2026-12-24 a 2027-01-02", "2026-12-24 - 2027-01-02", "24 de diciembre de 2026 a 2 de enero de 2027"]
        {
            assert_eq!(holiday(text), Ok(Holiday::Once { first, last }), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_told_apart_from_a_day_there_is_not() {
        for text in ["31 de febrero", "29 de febrero de 2027", "2026-02-30", "2026-13-01", "0 de mayo"] {
            assert_eq!(holiday(text), Err(NoDays::NoSuchDay(text.to_owned())), "{text}");
        }
        for text in ["", "navidad", "25/12", "12-25", "25 de dic", "quinto lunes de mayo", "25 de diciembre de 26"] {
            assert_eq!(holiday(text), Err(NoDays::Unknown(text.to_owned())), "{text}");
        }
        assert_eq!(holiday("2026-12-24 a 2 de enero"), Err(NoDays::OneYear));
        for text in ["2026-12-24 a 2026-01-02", "31 de diciembre a 24 de diciembre"] {
            assert_eq!(holiday(text), Err(NoDays::Backwards), "{text}");
        }
    }

    #[test]
    fn times_are_of_24_hours() {
        assert_eq!(["0:00", "09:05", "24:00"].map(minutes), [Ok(0), Ok(545), Ok(1440)]);
        assert_eq!(["25:00", "24:01", "9:60"].map(minutes), [(); 3].map(|()| Err(NoTime::NoSuchTime)));
        for text in ["", "9", "9:0", "9.30", "9:00am", "+9:00", "-1:00", "123:00"] {
            assert_eq!(minutes(text), Err(NoTime::Unwritten), "{text}");
        }
    }
}
