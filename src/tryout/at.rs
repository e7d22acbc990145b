//! When a call that is tried out begins.

use jiff::civil::{DateTime, date};
use jiff::{Timestamp, Zoned};

use crate::clock::{Clock as _, SystemClock};
use crate::menu::Menu;

/// Years whose times are times in every zone.
const YEARS: std::ops::RangeInclusive<i16> = 1..=9000;

/// When a call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At(When);

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    /// When it is made.
    Now,
    /// When the clock that the menu's hours go by shows this; the machine's, for a menu without hours.
    Local(DateTime),
    /// At this moment, wherever.
    Moment(Timestamp),
}

impl Default for At {
    /// Wednesday 2026-11-04, noon: always the same, so that a script means the same for ever.
    fn default() -> Self {
        Self(When::Local(date(2026, 11, 4).at(12, 0, 0, 0)))
    }
}

impl At {
    /// `2026-12-24T18:30`, the same with `-06:00` or `Z` behind it, or `now`.
    ///
    /// # Errors
    /// What can be written, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self(When::Now));
        }
        let moment = text.parse().map(When::Moment).ok();
        // Of a date alone, midnight would be taken, and a zone in brackets would be overlooked.
        let is_time = text.contains(':') && !text.contains('[');
        let time = || is_time.then(|| text.parse::<DateTime>().ok()).flatten();
        let local = || time().filter(|time| YEARS.contains(&time.year())).map(When::Local);
        moment.or_else(local).map(Self).ok_or_else(|| {
            format!("{text:?} is no date and time: write 2026-12-24T18:30 (by the menu's clock), 2026-12-24T18:30-06:00, or now")
        })
    }

    /// The moment, as the menu's clock shows it. Where a clock that is set back shows a time twice, it is the first; where
    /// one that is set forward leaves it out, it is as much later.
    pub fn by_the_clock_of(&self, menu: &Menu) -> Zoned {
        let zone = menu.time_zone().cloned().unwrap_or_else(|| SystemClock.time_zone());
        match &self.0 {
            When::Now => SystemClock.now().to_zoned(zone),
            When::Moment(moment) => moment.to_zoned(zone),
            When::Local(time) => time.to_zoned(zone).expect("it is not at the end of the years there are"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_by_the_menus_clock_unless_it_says_by_which() {
        let local = |text: &str| matches!(At::parse(text), Ok(At(When::Local(_))));
        assert!(local("2026-12-24T18:30") && local("2026-12-24 18:30:15"));
        let moment: Timestamp = "2026-12-25T00:30:00Z".parse().unwrap();
        for text in ["2026-12-24T18:30-06:00", "2026-12-25T00:30Z"] {
            assert_eq!(At::parse(text), Ok(At(When::Moment(moment))), "{text}");
        }
        assert_eq!(At::parse("now"), Ok(At(When::Now)));
        for wrong in [
            "",
            "18:30",
            "2026-12-24",
            "2026-13-24T18:30",
            "9999-12-31T23:00",
            "tomorrow",
            "2026-12-24T18:30[America/Tijuana]",
        ] {
            assert!(At::parse(wrong).is_err(), "{wrong}");
        }
    }
}
