//! What was found, as text for people, JSON lines or CSV for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::endings;
use super::whole_lines::WholeLines;
use super::{ChannelName, DecodeError, Entry, Input, InputError, Item, Summary};

/// How to write what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: each file's digits, then a table.
    #[default]
    Text,
    /// One JSON object a line for each digit.
    Jsonl,
    /// Comma-separated values with a line of names.
    Csv,
}

/// The columns of CSV and the members of JSON, in order; `reason` is there only where near misses are asked for.
const COLUMNS: [&str; 13] = [
    "file",
    "channel",
    "digit",
    "start_s",
    "end_s",
    "detected_s",
    "low_dbm0",
    "high_dbm0",
    "twist_db",
    "low_hz",
    "high_hz",
    "snr_db",
    "reason",
];

/// Writes the items of a [`Batch`](super::Batch).
#[derive(Debug)]
pub struct Reporter<W: Write> {
    out: WholeLines<W>,
    format: Format,
    rejected: bool,
    every_file: bool,
    /// Digits told of the file under way.
    digits: u64,
    /// Text begins with all digits, so a file's entries wait for its end.
    waiting: Vec<Entry>,
    first: bool,
}

impl<W: Write> Reporter<W> {
    /// A reporter; `rejected` says whether near misses come and their reasons need a column.
    pub const fn new(out: W, format: Format, rejected: bool) -> Self {
        Self {
            out: WholeLines::new(out),
            format,
            rejected,
            every_file: false,
            digits: 0,
            waiting: Vec::new(),
            first: true,
        }
    }

    /// Whether JSON lines and CSV end every file with a line that tells how it went. Text tells each file anyway.
    #[must_use]
    pub fn every_file(self, every_file: bool) -> Self {
        Self { every_file, ..self }
    }

    /// Writes what belongs before the first item: CSV's names.
    ///
    /// # Errors
    /// If the output can't be written.
    pub fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::Csv => self.write_csv(COLUMNS.map(str::to_owned).to_vec(), endings::COLUMNS.map(str::to_owned)),
            Format::Text | Format::Jsonl => Ok(()),
        }
    }

    /// Writes one item. What failures and warnings say is for whoever runs the batch; of a recording that broke off, text tells
    /// what was heard.
    ///
    /// # Errors
    /// If the output can't be written.
    pub fn item(&mut self, input: &Input, item: &Item) -> io::Result<()> {
        match (self.format, item) {
            (Format::Text, Item::Entry(entry)) => self.waiting.push(*entry),
            (Format::Text, Item::Done(summary)) => self.write_text(input, summary, "")?,
            (Format::Text, Item::Failed(DecodeError::Interrupted { heard, .. })) => {
                self.write_text(input, heard, "the first ")?;
            }
            (Format::Jsonl, Item::Entry(entry)) => {
                serde_json::to_writer(&mut self.out, &Row::new(input, entry))?;
                writeln!(self.out)?;
            }
            (Format::Csv, Item::Entry(entry)) => self.write_csv(Row::new(input, entry).fields(), Default::default())?,
            (_, Item::Done(_) | Item::Failed(_)) => {}
        }
        match item {
            Item::Entry(entry) => self.digits += u64::from(entry.rejected.is_none()),
            Item::Done(_) | Item::Failed(_) => {
                let digits = std::mem::take(&mut self.digits);
                endings::Row::new(input, item, digits).map_or(Ok(()), |row| self.write_ending(row))?;
            }
        }
        self.out.flush()
    }

    /// Writes the line of a folder that gives no recordings, where every file has one.
    ///
    /// # Errors
    /// If the output can't be written.
    pub fn folder(&mut self, error: &InputError) -> io::Result<()> {
        self.write_ending(endings::Row::of_folder(error))?;
        self.out.flush()
    }

    fn write_ending(&mut self, row: endings::Row) -> io::Result<()> {
        match self.format {
            Format::Jsonl if self.every_file => {
                serde_json::to_writer(&mut self.out, &row)?;
                writeln!(self.out)
            }
            Format::Csv if self.every_file => {
                let mut fields = vec![String::new(); COLUMNS.len()];
                fields[0].clone_from(&row.file);
                self.write_csv(fields, row.fields())
            }
            Format::Text | Format::Jsonl | Format::Csv => Ok(()),
        }
    }

    /// Writes a line of a digit's columns and, where every file has a line, those of its end.
    fn write_csv(&mut self, mut fields: Vec<String>, ending: [String; endings::COLUMNS.len()]) -> io::Result<()> {
        fields.truncate(COLUMNS.len() - usize::from(!self.rejected));
        if self.every_file {
            fields.extend(ending);
        }
        let mut line = csv::Writer::from_writer(&mut self.out);
        line.write_record(&fields)?;
        line.flush()
    }

    /// A recording's digits and their table; `part` stands before its length.
    fn write_text(&mut self, input: &Input, summary: &Summary, part: &str) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            writeln!(self.out)?;
        }
        for channel in 0..summary.channels {
            let found = self.waiting.iter().filter(|entry| entry.channel == channel && entry.rejected.is_none());
            let digits: String = found.map(|entry| entry.digit.as_char()).collect();
            let digits = if digits.is_empty() { "no digits" } else { &digits };
            writeln!(self.out, "{input}{}: {digits}", ChannelName(channel, summary.channels, ", "))?;
        }
        let (rate, seconds) = (summary.sample_rate, summary.seconds);
        let channels =
            if summary.channels == 1 { "1 channel".into() } else { format!("{} channels", summary.channels) };
        writeln!(self.out, "  {rate} Hz, {channels}, {part}{seconds:.3} s")?;
        if !self.waiting.is_empty() {
            writeln!(
                self.out,
                "  digit   start s     end s   heard s  low dBm0 high dBm0  twist dB    low Hz   high Hz    S/N dB"
            )?;
        }
        for entry in self.waiting.drain(..) {
            write_line(&mut self.out, &entry, summary.channels)?;
        }
        Ok(())
    }
}

fn write_line(out: &mut impl Write, entry: &Entry, channels: usize) -> io::Result<()> {
    let measured = &entry.measured;
    write!(out, "  {}     ", entry.digit)?;
    for seconds in [entry.start_s, entry.end_s, entry.detected_s] {
        write!(out, " {seconds:9.3}")?;
    }
    let levels = [measured.low_dbm0, measured.high_dbm0, measured.twist_db(), measured.low_hz, measured.high_hz];
    for value in levels.into_iter().chain([measured.snr_db]) {
        write!(out, " {value:9.1}")?;
    }
    if let Some(reason) = entry.rejected {
        write!(out, "  refused: {reason}")?;
    }
    writeln!(out, "{}", ChannelName(entry.channel, channels, "  "))
}

/// An entry in the words of the contract; what is not a finite number is absent.
#[derive(Serialize)]
struct Row {
    file: String,
    channel: usize,
    digit: char,
    start_s: Option<f64>,
    end_s: Option<f64>,
    detected_s: Option<f64>,
    low_dbm0: Option<f64>,
    high_dbm0: Option<f64>,
    twist_db: Option<f64>,
    low_hz: Option<f64>,
    high_hz: Option<f64>,
    snr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Row {
    fn new(input: &Input, entry: &Entry) -> Self {
        let measured = &entry.measured;
        Self {
            file: input.to_string(),
            channel: entry.channel,
            digit: entry.digit.as_char(),
            start_s: rounded(entry.start_s, 1e6),
            end_s: rounded(entry.end_s, 1e6),
            detected_s: rounded(entry.detected_s, 1e6),
            low_dbm0: rounded(measured.low_dbm0.into(), 100.0),
            high_dbm0: rounded(measured.high_dbm0.into(), 100.0),
            twist_db: rounded(measured.twist_db().into(), 100.0),
            low_hz: rounded(measured.low_hz.into(), 100.0),
            high_hz: rounded(measured.high_hz.into(), 100.0),
            snr_db: rounded(measured.snr_db.into(), 100.0),
            reason: entry.rejected.map(|reason| reason.to_string()),
        }
    }

    fn fields(self) -> Vec<String> {
        let numbers = [
            self.start_s,
            self.end_s,
            self.detected_s,
            self.low_dbm0,
            self.high_dbm0,
            self.twist_db,
            self.low_hz,
            self.high_hz,
            self.snr_db,
        ];
        let mut fields = vec![self.file, self.channel.to_string(), self.digit.to_string()];
        fields.extend(numbers.map(|number| number.map_or_else(String::new, |number| number.to_string())));
        fields.push(self.reason.unwrap_or_default());
        fields
    }
}

fn rounded(value: f64, steps: f64) -> Option<f64> {
    // Adding 0 makes -0 a plain 0.
    value.is_finite().then(|| (value * steps).round() / steps + 0.0)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::dtmf::{Digit, Measurement, Reason};

    fn entry(channel: usize, digit: char, rejected: Option<Reason>) -> Entry {
        let measured =
            Measurement { low_dbm0: -10.004, high_dbm0: -12.5, low_hz: 770.1, high_hz: 1336.25, snr_db: f32::INFINITY };
        let digit = Digit::from_char(digit).unwrap();
        Entry { channel, digit, start_s: 0.1, end_s: 0.25, detected_s: 0.137_125, measured, rejected }
    }

    fn report(format: Format, rejected: bool, channels: usize, entries: &[Entry]) -> String {
        let mut out = Vec::new();
        let mut reporter = Reporter::new(&mut out, format, rejected);
        reporter.begin().unwrap();
        let input = Input::File(PathBuf::from("a,b.wav"));
        for entry in entries {
            reporter.item(&input, &Item::Entry(*entry)).unwrap();
        }
        let summary = Summary { sample_rate: 8000, channels, seconds: 1.5, warning: None };
        reporter.item(&input, &Item::Done(summary)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_lines_keep_the_contract() {
        let told = report(Format::Jsonl, false, 1, &[entry(0, '5', None)]);
        let expected = concat!(
            r#"{"file":"a,b.wav","channel":0,"digit":"5","start_s":0.1,"end_s":0.25,"detected_s":0.137125,"#,
            r#""low_dbm0":-10.0,"high_dbm0":-12.5,"twist_db":2.5,"low_hz":770.1,"high_hz":1336.25,"snr_db":null}"#,
            "\n"
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn json_and_csv_have_the_same_names_in_the_same_order() {
        let miss = entry(1, '#', Some(Reason::TooShort));
        let json = report(Format::Jsonl, true, 2, &[miss]);
        let mut from = 0;
        for name in COLUMNS {
            from += json[from..].find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} in {json}"));
        }
        let csv = report(Format::Csv, true, 2, &[miss]);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], COLUMNS.join(","));
        assert_eq!(lines[1], "\"a,b.wav\",1,#,0.1,0.25,0.137125,-10,-12.5,2.5,770.1,1336.25,,too short");
        let plain = report(Format::Csv, false, 1, &[entry(0, '5', None)]);
        assert!(plain.starts_with("file,") && plain.lines().all(|line| line.matches(',').count() <= 12), "{plain}");
        assert!(plain.lines().next().unwrap().ends_with(",snr_db"));
    }

    #[test]
    fn numbers_are_rounded_and_what_is_none_is_left_out() {
        assert_eq!(rounded(1.23456, 100.0), Some(1.23));
        assert_eq!(rounded(-0.001, 100.0).map(f64::to_bits), Some(0), "not -0");
        assert_eq!((rounded(f64::NAN, 100.0), rounded(f64::NEG_INFINITY, 100.0)), (None, None));
    }

    #[test]
    fn channels_of_many_have_the_same_numbers_in_every_form() {
        let found = [entry(2, '5', None)];
        let text = report(Format::Text, false, 3, &found);
        assert!(text.contains("a,b.wav, channel 0: no digits\n") && text.contains("a,b.wav, channel 2: 5\n"), "{text}");
        assert!(text.ends_with("  channel 2\n"), "{text}");
        assert!(report(Format::Jsonl, false, 3, &found).contains(r#""channel":2,"#));
    }

    #[test]
    fn text_tells_the_digits_of_each_channel_first() {
        let told = report(
            Format::Text,
            true,
            2,
            &[entry(1, '5', None), entry(1, '9', None), entry(0, '1', Some(Reason::Twist))],
        );
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[..3], ["a,b.wav, left: no digits", "a,b.wav, right: 59", "  8000 Hz, 2 channels, 1.500 s"]);
        assert_eq!(lines[3].split_whitespace().next(), Some("digit"));
        assert!(
            lines[4].starts_with("  5          0.100     0.250     0.137     -10.0     -12.5       2.5     770.1"),
            "{told}"
        );
        assert!(lines[6].contains("refused: twist outside the limits  left"), "{told}");
        assert!(
            report(Format::Text, false, 1, &[entry(0, '*', None)]).starts_with("a,b.wav: *\n  8000 Hz, 1 channel,")
        );
    }
}
