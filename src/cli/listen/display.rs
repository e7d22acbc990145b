//! What `listen` shows: digits on standard output, the level meter on the terminal.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use tonopago::audio::level::Meter;
use tonopago::decode::{Entry, Format, Input, Item, Reporter};
use tonopago::dtmf::Event;

use super::{Args, FormatName};

/// Drawings of the meter in a second of sound.
const DRAWINGS: u64 = 10;
/// Width of the meter's bar, one character for each 2 dB.
const BAR: usize = 32;
/// Level at the left end of the bar, in dBm0.
const BAR_FROM_DBM0: f64 = -60.0;

/// Digits on standard output, the meter on the terminal.
pub(super) struct Display {
    card: Input,
    format: FormatName,
    rejected: bool,
    rate: u32,
    json: Reporter<io::Stdout>,
    meter: Meter,
    shown: bool,
    until_drawing: u64,
    digits: String,
}

impl Display {
    pub(super) fn new(card: &str, rate: u32, args: &Args) -> Self {
        Self {
            card: Input::File(PathBuf::from(card)),
            format: args.format,
            rejected: args.rejected,
            rate,
            json: Reporter::new(io::stdout(), Format::Jsonl, args.rejected),
            meter: Meter::new(rate),
            shown: io::stderr().is_terminal(),
            until_drawing: 0,
            digits: String::new(),
        }
    }

    /// Writes a digit that ended.
    pub(super) fn event(&mut self, event: Event) -> io::Result<()> {
        if let Event::Begin(begin) = event {
            // The meter's line shows a key while it is down.
            self.digits.push(begin.digit.as_char());
        }
        let Some(entry) = Entry::new(0, event, self.rate) else { return Ok(()) };
        if entry.rejected.is_some() && !self.rejected {
            return Ok(());
        }
        self.clear();
        match self.format {
            FormatName::Jsonl => self.json.item(&self.card, &Item::Entry(entry)),
            FormatName::Text => write_entry(&mut io::stdout().lock(), &entry),
        }
    }

    /// Shows the level of what was heard.
    pub(super) fn level(&mut self, samples: &[f32]) {
        self.meter.process(samples);
        self.until_drawing = self.until_drawing.saturating_sub(samples.len() as u64);
        if self.shown && self.until_drawing == 0 {
            self.until_drawing = u64::from(self.rate) / DRAWINGS;
            let digits: String = self.digits.chars().skip(self.digits.len().saturating_sub(32)).collect();
            let clipped = if self.meter.clipped() > 0 { " CLIPPED" } else { "" };
            let (level, peak) = (self.meter.level_dbm0(), self.meter.peak_dbm0());
            eprint!("\r\x1b[2K{level:6.1} dBm0 [{}]{clipped} {digits}", bar(level, peak));
        }
    }

    /// Takes the meter away.
    pub(super) fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[2K");
            // A terminal that can't be written to is no reason to stop listening.
            let _ = io::stderr().flush();
        }
    }
}

fn write_entry(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let (measured, length_ms) = (&entry.measured, (entry.end_s - entry.start_s) * 1000.0);
    let (low, high, snr) = (measured.low_dbm0, measured.high_dbm0, measured.snr_db);
    let start_s = entry.start_s;
    write!(out, "{}  {start_s:9.3} s  {length_ms:4.0} ms  {low:5.1} and {high:5.1} dBm0", entry.digit)?;
    write!(out, "  S/N {snr:4.1} dB")?;
    if let Some(reason) = entry.rejected {
        write!(out, "  refused: {reason}")?;
    }
    writeln!(out)?;
    out.flush()
}

/// A bar for the level with a mark for the peak.
fn bar(level: f64, peak: f64) -> String {
    let place = |dbm0: f64| ((dbm0 - BAR_FROM_DBM0) / 2.0).clamp(0.0, BAR as f64) as usize;
    let (level, peak) = (place(level), place(peak));
    let character = |n: usize| match n {
        n if n + 1 == peak => '|',
        n if n < level => '#',
        _ => ' ',
    };
    (0..BAR).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_level_and_peak() {
        assert_eq!(bar(-100.0, -100.0), " ".repeat(BAR));
        assert_eq!(bar(-40.0, -20.0), format!("{}{}|{}", "#".repeat(10), " ".repeat(9), " ".repeat(12)));
        assert_eq!(bar(0.0, 2.0).len(), BAR);
    }
}
