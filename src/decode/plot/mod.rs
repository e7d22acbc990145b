//! A recording as a picture: spectrogram, digits, near misses and the reasons for them, in one self-contained SVG.
//!
//! However long the recording, the picture stays below two megabytes: columns are merged as they become too many, and of very
//! many marks the first are drawn. Memory does not grow with the length, either.

mod spectrogram;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ChannelName, Entry};
use crate::audio::Block;
use crate::dtmf::{COLUMN_HZ, ROW_HZ};
use crate::svg::{Anchor, escape, line, number, text, ticks};
use spectrogram::{HIGHEST_HZ, Spectrogram};

/// Channels drawn; a recording with more has its first ones drawn.
const CHANNELS: usize = 4;
/// Digits, and near misses, that are marked in a channel.
const MARKS: usize = 1000;
/// Height of a channel's picture.
const HEIGHT: f64 = 260.0;
/// Width of the picture: for each second, at least and at most.
const WIDTH: (f64, f64, f64) = (180.0, 640.0, 2400.0);
/// Room left, right, above the first channel, and below each for its time axis.
const MARGIN: (f64, f64, f64, f64) = (64.0, 16.0, 64.0, 40.0);
/// Room above a channel's picture for its digits.
const LABELS: f64 = 22.0;
/// Least distance of two labels that don't overlap.
const APART: f64 = 11.0;

const STYLE: &str = "text{font:12px sans-serif;fill:#222}.dim{fill:#666;font-size:11px}.title{font-size:15px;font-weight:600}\
.digit{fill:none;stroke:#fff;stroke-width:1.6}.key{font-weight:700}\
.miss{fill:none;stroke:#ff5a4f;stroke-width:1.4;stroke-dasharray:4 2}.why{fill:#b3261e;font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}\
.tone{stroke:#fff;stroke-opacity:.25;stroke-width:.6}.axis{fill:none;stroke:#888}";

/// A picture in the making.
pub struct Plot {
    sample_rate: u32,
    channels: Vec<Spectrogram>,
    left_out: usize,
}

impl Plot {
    /// For a recording of a rate in Hz and so many channels.
    pub fn new(sample_rate: u32, channels: usize) -> Self {
        let drawn = channels.min(CHANNELS);
        let channel = |_| Spectrogram::new(sample_rate);
        Self { sample_rate, channels: (0..drawn).map(channel).collect(), left_out: channels - drawn }
    }

    /// Takes the next block of sound.
    pub fn hear(&mut self, block: &Block) {
        for (channel, spectrogram) in self.channels.iter_mut().enumerate() {
            spectrogram.hear(block.channel(channel));
        }
    }

    /// The picture, with what was found in the recording.
    pub fn svg(&self, title: &str, entries: &[Entry]) -> String {
        let seconds = self.channels.iter().map(Spectrogram::seconds).fold(0.0, f64::max).max(0.01);
        let sheet = Sheet { seconds, width: (seconds * WIDTH.0).clamp(WIDTH.1, WIDTH.2) };
        let each = LABELS + HEIGHT + MARGIN.3;
        let (width, height) = (MARGIN.0 + sheet.width + MARGIN.1, MARGIN.2 + each * self.channels.len() as f64);
        let mut out = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}">"#
        );
        let _ = write!(out, r##"<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>"##);
        text(&mut out, "title", (MARGIN.0, 22.0), Anchor::Start, title);
        text(&mut out, "dim", (MARGIN.0, 42.0), Anchor::Start, &self.caption(entries));
        for (channel, spectrogram) in self.channels.iter().enumerate() {
            let top = MARGIN.2 + each * channel as f64 + LABELS;
            sheet.picture(spectrogram, top, &mut out);
            let name = ChannelName(channel, self.channels.len() + self.left_out, "");
            sheet.axes(top, &name.to_string(), &mut out);
            sheet.marks(entries.iter().filter(|entry| entry.channel == channel), top, &mut out);
        }
        out.push_str("</svg>\n");
        out
    }

    fn caption(&self, entries: &[Entry]) -> String {
        let digits = entries.iter().filter(|entry| entry.rejected.is_none()).count();
        let misses = entries.len() - digits;
        let mut caption = format!(
            "{} Hz; {digits} digits (white frames), {misses} near misses (red, with the reason)",
            self.sample_rate
        );
        if digits.max(misses) > MARKS {
            let _ = write!(caption, "; the first {MARKS} of each are marked");
        }
        if self.left_out > 0 {
            let _ = write!(caption, "; {} more channels are not drawn", self.left_out);
        }
        caption
    }
}

/// Where things are.
struct Sheet {
    seconds: f64,
    width: f64,
}

impl Sheet {
    fn x(&self, seconds: f64) -> f64 {
        MARGIN.0 + (seconds / self.seconds).clamp(0.0, 1.0) * self.width
    }

    fn picture(&self, spectrogram: &Spectrogram, top: f64, out: &mut String) {
        let width = self.x(spectrogram.seconds()) - MARGIN.0;
        if let Some(png) = spectrogram.png() {
            let _ = write!(
                out,
                r#"<image x="{}" y="{top}" width="{width:.1}" height="{HEIGHT}" preserveAspectRatio="none" href="data:image/png;base64,{}"/>"#,
                MARGIN.0,
                STANDARD.encode(png)
            );
        }
    }

    fn axes(&self, top: f64, channel: &str, out: &mut String) {
        let (left, right, bottom) = (MARGIN.0, MARGIN.0 + self.width, top + HEIGHT);
        for hz in ROW_HZ.into_iter().chain(COLUMN_HZ) {
            let y = y(top, hz);
            line(out, "tone", (left, y), (right, y));
            text(out, "dim", (left - 5.0, y + 4.0), Anchor::End, &format!("{hz} Hz"));
        }
        for at in ticks(0.0, self.seconds, self.width / 90.0) {
            let x = self.x(at);
            line(out, "axis", (x, bottom), (x, bottom + 4.0));
            text(out, "dim", (x, bottom + 16.0), Anchor::Middle, &format!("{} s", number(at)));
        }
        let _ = write!(out, r#"<path class="axis" d="M{left} {top}V{bottom}H{right:.1}"/>"#);
        if !channel.is_empty() {
            text(out, "dim", (right - 4.0, bottom + 30.0), Anchor::End, channel);
        }
    }

    fn marks<'a>(&self, entries: impl Iterator<Item = &'a Entry>, top: f64, out: &mut String) {
        let (mut marked, mut last) = ([0, 0], [f64::MIN, f64::MIN]);
        for entry in entries {
            let kind = usize::from(entry.rejected.is_some());
            marked[kind] += 1;
            if marked[kind] > MARKS {
                continue;
            }
            let x = (self.x(entry.start_s), self.x(entry.end_s));
            frame(entry, x, top, out);
            let middle = 0.5 * (x.0 + x.1);
            // Reasons are long: they need more room than digits.
            if middle - last[kind] >= if kind == 0 { APART } else { 12.0 * APART } {
                last[kind] = middle;
                label(entry, middle, top, out);
            }
        }
    }
}

/// A frame from the lowest to the highest of a digit's two tones; a pointer over it tells all that was measured.
fn frame(entry: &Entry, x: (f64, f64), top: f64, out: &mut String) {
    let class = if entry.rejected.is_some() { "miss" } else { "digit" };
    let (high, low) = (y(top, entry.digit.high_hz() + 45.0), y(top, entry.digit.low_hz() - 45.0));
    let (width, height) = ((x.1 - x.0).max(1.5), low - high);
    let _ = write!(
        out,
        r#"<rect class="{class}" x="{:.1}" y="{high:.1}" width="{width:.1}" height="{height:.1}"><title>{}</title></rect>"#,
        x.0,
        escape(&told(entry))
    );
}

fn told(entry: &Entry) -> String {
    let measured = &entry.measured;
    let mut told = format!(
        "{}: {:.3} to {:.3} s, heard at {:.3} s; {:.1} and {:.1} dBm0, {:.1} and {:.1} Hz, S/N {:.1} dB",
        entry.digit,
        entry.start_s,
        entry.end_s,
        entry.detected_s,
        measured.low_dbm0,
        measured.high_dbm0,
        measured.low_hz,
        measured.high_hz,
        measured.snr_db
    );
    if let Some(reason) = entry.rejected {
        let _ = write!(told, "; refused: {reason}");
    }
    told
}

/// A digit above the picture, a reason inside it at the bottom.
fn label(entry: &Entry, x: f64, top: f64, out: &mut String) {
    match entry.rejected {
        None => text(out, "key", (x, top - 6.0), Anchor::Middle, &entry.digit.to_string()),
        Some(reason) => {
            text(out, "why", (x, top + HEIGHT - 8.0), Anchor::Middle, &format!("{}? {reason}", entry.digit));
        }
    }
}

fn y(top: f64, hz: f64) -> f64 {
    top + HEIGHT * (1.0 - hz / HIGHEST_HZ)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::ops::ControlFlow;

    use super::*;
    use crate::audio::{RawEncoding, RawFormat, Recording, SampleFormat};
    use crate::decode::{Options, decode_and};
    use crate::dtmf::{Digit, GeneratorConfig, Profile, generate};

    fn drawn(samples: &[f32], channels: usize) -> String {
        let bytes: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
        let raw = RawFormat { sample_rate: 8000, channels, format: RawEncoding::Samples(SampleFormat::F32Le) };
        let recording = Recording::from_raw("test", Cursor::new(bytes), raw).unwrap();
        let (mut plot, mut entries) = (Plot::new(8000, channels), Vec::new());
        let options = Options { profile: Profile::default(), rejected: true };
        let mut on_entry = |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        };
        decode_and(recording, &options, &mut |block| plot.hear(block), &mut on_entry).unwrap();
        plot.svg("a <b>.wav", &entries)
    }

    fn keys(digits: &str, config: &GeneratorConfig) -> Vec<f32> {
        let digits: Vec<Digit> = digits.chars().filter_map(Digit::from_char).collect();
        generate(&digits, config).unwrap()
    }

    #[test]
    fn digits_and_near_misses_are_marked_with_their_reason() {
        let mut samples = keys("159", &GeneratorConfig::default());
        samples.extend(keys("7", &GeneratorConfig::default().twist(16.0)));
        let svg = drawn(&samples, 1);
        assert!(svg.contains("a &lt;b&gt;.wav") && svg.contains("data:image/png;base64,iVBOR"), "{svg}");
        for digit in ["1", "5", "9"] {
            assert!(svg.contains(&format!(">{digit}</text>")), "{digit}");
        }
        assert!(svg.contains("7? twist outside the limits") && svg.contains("3 digits (white frames), 1 near misses"));
    }

    #[test]
    fn channels_are_named_as_in_what_is_told() {
        let two = drawn(&[0.0; 1600], 2);
        assert!(two.contains(">left</text>") && two.contains(">right</text>"), "{two}");
        let five = drawn(&[0.0; 1600], 5);
        let is_named = |channel: usize| five.contains(&format!(">channel {channel}</text>"));
        assert_eq!([0, 1, 2, 3, 4].map(is_named), [true, true, true, true, false]);
    }

    #[test]
    fn an_hour_of_keys_stays_small() {
        let minute = keys(&"1234567890".repeat(60), &GeneratorConfig::default().timing(50.0, 50.0));
        let svg = drawn(&minute.repeat(20), 1);
        assert!(svg.len() < 2_000_000, "{} bytes", svg.len());
        assert!(svg.contains("the first 1000 of each are marked"));
    }

    #[test]
    fn a_recording_without_sound_can_be_drawn() {
        assert!(drawn(&[], 1).ends_with("</svg>\n"));
        assert!(drawn(&[0.1; 5], 1).ends_with("</svg>\n"));
    }
}
