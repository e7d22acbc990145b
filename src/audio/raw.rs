//! Recordings without a header: their form is told by whoever names them, or by the ending of their name.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::g722;
use super::gsm::{self, Packing};
use super::pcm::SampleFormat;
use super::problem::Problem;
use super::riff::{Encoding, Header, Length, Trailer};

/// The form of sound that comes without a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFormat {
    /// Samples per second, within [`SAMPLE_RATES`](super::SAMPLE_RATES); those of the coding where it tells them
    /// ([`RawEncoding::sample_rate`]).
    pub sample_rate: u32,
    /// Interleaved channels, 1 to [`MOST_CHANNELS`](super::MOST_CHANNELS); 1 for what is not coded sample by sample.
    pub channels: usize,
    /// How the sound is written.
    pub format: RawEncoding,
}

/// How sound without a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RawEncoding {
    /// One sample after another.
    Samples(SampleFormat),
    /// ITU-T G.722 at 64 kbit/s, one channel. Its samples per second are 16 000.
    G722,
    /// GSM full rate in frames of 33 bytes, one channel.
    Gsm,
}

impl RawEncoding {
    /// What is coded in blocks, with the name it is given on the command line.
    const NAMES: [(&'static str, Self); 2] = [("g722", Self::G722), ("gsm", Self::Gsm)];

    /// The samples per second of what is always coded at the same rate, in Hz.
    pub const fn sample_rate(self) -> Option<u32> {
        match self {
            Self::Samples(_) => None,
            Self::G722 => Some(g722::SAMPLE_RATE),
            Self::Gsm => Some(gsm::SAMPLE_RATE),
        }
    }
}

impl fmt::Display for RawEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Samples(format) = self {
            return format.fmt(f);
        }
        let name = Self::NAMES.iter().find(|(_, coding)| coding == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for RawEncoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, coding)) => Ok(*coding),
            None => text.parse().map(Self::Samples).map_err(|unknown: String| {
                let more = Self::NAMES.map(|(name, _)| name);
                format!("{unknown}, {}", more.join(", "))
            }),
        }
    }
}

impl RawFormat {
    /// The form that the ending of a name tells, as PBXs of the Asterisk family write such files, in one channel. Endings that
    /// mean one thing here and another there (`raw`, `pcm`, `sw`) tell none.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        NAMED.iter().find(|(known, ..)| known.eq_ignore_ascii_case(ending)).map(|&(_, sample_rate, format)| Self {
            sample_rate,
            channels: 1,
            format,
        })
    }

    /// The endings of names that [`of_name`](Self::of_name) knows, in lower case.
    pub fn endings() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(ending, ..)| *ending)
    }

    /// Refuses another rate than the coding's own.
    pub(super) fn check(&self) -> Result<(), Problem> {
        match self.format.sample_rate() {
            Some(own) if own != self.sample_rate => {
                Err(Problem::CodingRate { coding: self.format, own, sample_rate: self.sample_rate })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn header(&self) -> Header {
        let channels = u16::try_from(self.channels).unwrap_or(u16::MAX);
        let encoding = match self.format {
            RawEncoding::Samples(format) => Encoding::Samples(format),
            RawEncoding::G722 => Encoding::G722,
            RawEncoding::Gsm => Encoding::Gsm(Packing::Frames),
        };
        Header { encoding, channels, sample_rate: self.sample_rate, length: Length::ToTheEnd, trailer: Trailer::Own }
    }
}

/// Endings that tell the form, with the samples per second, in lower case.
const NAMED: [(&str, u32, RawEncoding); 20] = [
    ("sln", 8000, SLIN),
    ("sln8", 8000, SLIN),
    ("sln12", 12_000, SLIN),
    ("sln16", 16_000, SLIN),
    ("sln24", 24_000, SLIN),
    ("sln32", 32_000, SLIN),
    ("sln44", 44_100, SLIN),
    ("sln48", 48_000, SLIN),
    ("sln96", 96_000, SLIN),
    ("sln192", 192_000, SLIN),
    ("slin", 8000, SLIN),
    ("ul", 8000, MU_LAW),
    ("ulaw", 8000, MU_LAW),
    ("mulaw", 8000, MU_LAW),
    ("mu", 8000, MU_LAW),
    ("al", 8000, A_LAW),
    ("alaw", 8000, A_LAW),
    ("alw", 8000, A_LAW),
    ("g722", g722::SAMPLE_RATE, RawEncoding::G722),
    ("gsm", gsm::SAMPLE_RATE, RawEncoding::Gsm),
];
const SLIN: RawEncoding = RawEncoding::Samples(SampleFormat::S16Le);
const MU_LAW: RawEncoding = RawEncoding::Samples(SampleFormat::MuLaw);
const A_LAW: RawEncoding = RawEncoding::Samples(SampleFormat::ALaw);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_a_wrong_one_lists_all_right_ones() {
        let samples = SampleFormat::NAMES.map(|(name, format)| (name, RawEncoding::Samples(format)));
        for (name, encoding) in samples.into_iter().chain(RawEncoding::NAMES) {
            assert_eq!((name.parse(), encoding.to_string()), (Ok(encoding), name.to_owned()));
        }
        let told = "g729".parse::<RawEncoding>().unwrap_err();
        assert!(told.contains("`g729`") && told.contains("s16le, ") && told.ends_with("g722, gsm"), "{told}");
    }

    #[test]
    fn an_ending_tells_the_form_where_it_means_one_thing() {
        let form = |name: &str| RawFormat::of_name(Path::new(name)).map(|raw| (raw.sample_rate, raw.format));
        assert_eq!(form("a/call.SLN16"), Some((16_000, SLIN)));
        assert_eq!(form("call.ulaw"), Some((8000, MU_LAW)));
        assert_eq!(form("call.g722"), Some((16_000, RawEncoding::G722)));
        assert_eq!(form("call.gsm"), Some((8000, RawEncoding::Gsm)));
        for none in ["call.raw", "call.pcm", "call.sw", "call.wav", "sln", "gsm"] {
            assert_eq!(form(none), None, "{none}");
        }
    }
}
