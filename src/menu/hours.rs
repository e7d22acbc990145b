//! When a business is open: the hours of its week, and the days that are different. All of it is in the clock on its wall, so
//! a change to summer time needs no thought: whatever the clock shows counts.

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::model::{Menu, StateId};
use crate::yaml::Problem;

/// Index of a schedule in [`Menu::schedules`](super::Menu).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ScheduleId(pub(super) usize);

/// Minutes in a day.
pub(super) const DAY: u16 = 24 * 60;

/// A part of one day: minutes since midnight, the last one not included. Never over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: u16,
    pub(super) to: u16,
}

/// Open hours under the name they are written under: `lunes a viernes`, `25 de diciembre`. None: closed all day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<Days> {
    pub(super) written: String,
    pub(super) days: Days,
    pub(super) open: Vec<Span>,
}

/// Days of a month that come every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MonthDay {
    pub(super) month: i8,
    pub(super) day: i8,
}

/// Days that are not like others of their week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holiday {
    /// Days of one year.
    Once { first: Date, last: Date },
    /// The same days every year, perhaps over its end.
    Yearly { first: MonthDay, last: MonthDay },
    /// Such as the first Monday of February; `-1` is the last.
    Nth { nth: i8, weekday: Weekday, month: i8 },
}

/// What a schedule says of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Opening {
    Open,
    Closed,
    /// Closed by what is written of that day under `holidays:`.
    Holiday,
}

/// Where a call goes that began when a business was open, or was not.
#[derive(Debug)]
pub(super) struct Hours {
    pub(super) schedule: ScheduleId,
    pub(super) on_open: StateId,
    pub(super) on_closed: StateId,
    pub(super) on_holiday: StateId,
}

/// When one business, or one desk of it, is open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) name: String,
    /// No day is in two lines.
    pub(super) week: Vec<Line<Vec<Weekday>>>,
    pub(super) holidays: Vec<Line<Holiday>>,
}

impl Menu {
    /// A moment as the clock shows it that the menu's hours go by; as it is given where there is none.
    pub fn local(&self, moment: &Zoned) -> Zoned {
        self.time_zone.clone().map_or_else(|| moment.clone(), |zone| moment.with_time_zone(zone))
    }

    /// The clock the menu's hours go by, if it has any.
    pub const fn time_zone(&self) -> Option<&TimeZone> {
        self.time_zone.as_ref()
    }

    /// What is allowed, but seldom meant, at a moment: [`Self::warnings`] and holidays that are over, in the order of their
    /// places.
    pub fn warnings_at(&self, moment: &Zoned) -> Vec<Problem> {
        let today = self.local(moment).date();
        let over = self.passing.iter().filter(|(last, _)| *last < today).map(|(_, problem)| problem);
        let mut all: Vec<Problem> = self.warnings.iter().chain(over).cloned().collect();
        all.sort_by_key(|problem| problem.place);
        all
    }
}

impl Holiday {
    fn has(&self, date: Date) -> bool {
        match *self {
            Self::Once { first, last } => (first..=last).contains(&date),
            Self::Yearly { .. } => self.has_every_year(MonthDay { month: date.month(), day: date.day() }),
            Self::Nth { nth, weekday, month } => {
                date.month() == month && date.nth_weekday_of_month(nth, weekday).is_ok_and(|nth| nth == date)
            }
        }
    }

    fn has_every_year(&self, day: MonthDay) -> bool {
        let Self::Yearly { first, last } = self else { return false };
        if first <= last { (first..=last).contains(&&day) } else { day >= *first || day <= *last }
    }

    /// What is written for fewer days counts before what is written for more.
    const fn rank(&self) -> u8 {
        match self {
            Self::Once { .. } => 0,
            Self::Yearly { .. } => 1,
            Self::Nth { .. } => 2,
        }
    }

    /// Whether both may mean the same day with the same right.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Once { first, last }, Self::Once { first: from, last: to }) => first <= to && from <= last,
            // Of two that meet, one begins in the other.
            (Self::Yearly { first, .. }, Self::Yearly { first: from, .. }) => {
                other.has_every_year(*first) || self.has_every_year(*from)
            }
            (Self::Nth { .. }, Self::Nth { .. }) => self == other,
            _ => false,
        }
    }
}

impl Opening {
    /// The name of the outcome.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Holiday => "holiday",
        }
    }
}

impl Schedule {
    /// What holds then, and the line that says so: its name as it is written, nothing for a day that no line names.
    pub(super) fn at(&self, then: DateTime) -> (Opening, Option<&str>) {
        let minute = i32::from(then.hour()) * 60 + i32::from(then.minute());
        let in_a_span = |open: &[Span]| open.iter().any(|span| (span.from.into()..span.to.into()).contains(&minute));
        let holidays = self.holidays.iter().filter(|line| line.days.has(then.date()));
        if let Some(line) = holidays.min_by_key(|line| line.days.rank()) {
            let opening = if in_a_span(&line.open) { Opening::Open } else { Opening::Holiday };
            return (opening, Some(&line.written));
        }
        let Some(line) = self.week.iter().find(|line| line.days.contains(&then.weekday())) else {
            return (Opening::Closed, None);
        };
        let opening = if in_a_span(&line.open) { Opening::Open } else { Opening::Closed };
        (opening, Some(&line.written))
    }

    /// Whether it is ever open.
    pub(super) fn ever_opens(&self) -> bool {
        self.week.iter().any(|line| !line.open.is_empty()) || self.holidays.iter().any(|line| !line.open.is_empty())
    }

    /// Whether it is open night and day but for its holidays.
    pub(super) fn never_closes(&self) -> bool {
        let all_day = |line: &Line<Vec<Weekday>>| {
            let covered: u16 = line.open.iter().map(|span| span.to - span.from).sum();
            covered == DAY
        };
        let days: usize = self.week.iter().filter(|line| all_day(line)).map(|line| line.days.len()).sum();
        days == 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const fn hours(from: u16, to: u16) -> Span {
        Span { from: from * 60, to: to * 60 }
    }

    fn holiday(written: &str, days: Holiday, open: Vec<Span>) -> Line<Holiday> {
        Line { written: written.to_owned(), days, open }
    }

    const fn yearly(month: i8, day: i8, to_month: i8, to_day: i8) -> Holiday {
        let last = MonthDay { month: to_month, day: to_day };
        Holiday::Yearly { first: MonthDay { month, day }, last }
    }

    fn shop() -> Schedule {
        use Weekday::{Friday, Monday, Saturday, Thursday, Tuesday, Wednesday};
        let week = |written: &str, days: Vec<Weekday>, open| Line { written: written.to_owned(), days, open };
        let christmas = Holiday::Once { first: date(2026, 12, 25), last: date(2026, 12, 25) };
        Schedule {
            name: "tienda".to_owned(),
            week: vec![
                week("weekdays", vec![Monday, Tuesday, Wednesday, Thursday, Friday], vec![hours(9, 14), hours(16, 19)]),
                week("saturday", vec![Saturday], vec![hours(20, 24)]),
            ],
            holidays: vec![
                holiday("nth", Holiday::Nth { nth: 1, weekday: Monday, month: 2 }, vec![]),
                holiday("yearly", yearly(12, 24, 1, 2), vec![]),
                holiday("once", christmas, vec![hours(10, 12)]),
            ],
        }
    }

    #[test]
    fn a_moment_is_in_the_hours_or_not() {
        let at = |then: DateTime| shop().at(then).0.name();
        let wednesday = date(2026, 11, 4);
        let seen = [(8, 59), (9, 0), (13, 59), (14, 0), (15, 59), (16, 0), (18, 59), (19, 0)]
            .map(|(hour, minute)| at(wednesday.at(hour, minute, 59, 999_999_999)));
        assert_eq!(seen, ["closed", "open", "open", "closed", "closed", "open", "open", "closed"]);
        let saturday = date(2026, 11, 7);
        assert_eq!(at(saturday.at(23, 59, 59, 0)), "open", "24:00 is the day's end");
        assert_eq!(at(saturday.tomorrow().unwrap().at(0, 0, 0, 0)), "closed", "Sunday is in no line");
    }

    #[test]
    fn a_holiday_comes_before_the_week_and_what_is_written_for_fewer_days_before_the_rest() {
        let shop = shop();
        let at = |year, month, day| shop.at(date(year, month, day).at(10, 30, 0, 0));
        assert_eq!(at(2026, 12, 25), (Opening::Open, Some("once")));
        assert_eq!(at(2027, 12, 25), (Opening::Holiday, Some("yearly")));
        assert_eq!(at(2027, 1, 2), (Opening::Holiday, Some("yearly")), "over the year's end");
        assert_eq!(at(2027, 1, 4), (Opening::Open, Some("weekdays")));
        assert_eq!(at(2027, 2, 1), (Opening::Holiday, Some("nth")));
        assert_eq!(at(2027, 2, 8), (Opening::Open, Some("weekdays")));
    }

    #[test]
    fn holidays_meet_where_neither_would_count_before_the_other() {
        assert!(yearly(12, 24, 1, 2).meets(&yearly(1, 1, 1, 1)));
        assert!(!yearly(12, 24, 12, 31).meets(&yearly(1, 1, 1, 1)));
        assert!(yearly(2, 29, 2, 29).meets(&yearly(2, 1, 3, 1)));
        let once = Holiday::Once { first: date(2026, 12, 24), last: date(2026, 12, 31) };
        assert!(once.meets(&once) && !once.meets(&yearly(12, 25, 12, 25)));
    }
}
