//! The tones of countries, as data.

/// What a tone means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The exchange waits for a number: the line is back at its start.
    Dial,
    /// The called line is busy; exchanges also play it to the party that stays behind.
    Busy,
    /// No way through the network.
    Congestion,
    /// The called telephone rings.
    Ringback,
    /// The three rising notes before an announcement.
    SpecialInformation,
}

impl Kind {
    /// The name in words, for traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial tone",
            Self::Busy => "busy tone",
            Self::Congestion => "congestion tone",
            Self::Ringback => "ringing tone",
            Self::SpecialInformation => "special information tone",
        }
    }

    /// Whether the network plays it only to a line with nobody at the other end.
    pub const fn means_gone(self) -> bool {
        !matches!(self, Self::Ringback)
    }
}

/// A tone: its frequencies sounding together, and its rhythm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// What it means.
    pub kind: Kind,
    /// Frequencies in Hz, one or two.
    pub hz: &'static [f64],
    /// Length of a burst and of the pause after it, in ms; `None` for a tone that goes on.
    pub cadence_ms: Option<(u32, u32)>,
}

/// The tones of a country.
#[derive(Debug, PartialEq)]
pub struct Country {
    /// Name in configurations: `mx`, `us`, `etsi`.
    pub name: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
    /// The tones. Special information tones are the same everywhere (ITU-T E.180: 950, 1400, 1800 Hz, each +-50 Hz, each
    /// 330 ms +-70 ms) and need no entry.
    pub tones: &'static [Tone],
}

const fn bursts(kind: Kind, hz: &'static [f64], on_ms: u32, off_ms: u32) -> Tone {
    Tone { kind, hz, cadence_ms: Some((on_ms, off_ms)) }
}

const fn steady(kind: Kind, hz: &'static [f64]) -> Tone {
    Tone { kind, hz, cadence_ms: None }
}

/// The tables that ship.
static COUNTRIES: [Country; 3] = [
    Country {
        name: "mx",
        source: "ITU-T E.180 Supplement 2, Mexico (busy and congestion are the same tone)",
        tones: &[
            steady(Kind::Dial, &[425.0]),
            bursts(Kind::Busy, &[425.0], 250, 250),
            bursts(Kind::Ringback, &[425.0], 1000, 4000),
        ],
    },
    Country {
        name: "us",
        source: "Telcordia GR-506 (precise tone plan), ITU-T E.180 Supplement 2, United States",
        tones: &[
            steady(Kind::Dial, &[350.0, 440.0]),
            bursts(Kind::Busy, &[480.0, 620.0], 500, 500),
            bursts(Kind::Congestion, &[480.0, 620.0], 250, 250),
            bursts(Kind::Ringback, &[440.0, 480.0], 2000, 4000),
        ],
    },
    Country {
        name: "etsi",
        source: "ETSI TR 101 041-2, the tones most European networks share (busy 500/500 ms, congestion 250/250 ms)",
        tones: &[
            steady(Kind::Dial, &[425.0]),
            bursts(Kind::Busy, &[425.0], 500, 500),
            bursts(Kind::Congestion, &[425.0], 250, 250),
            bursts(Kind::Ringback, &[425.0], 1000, 4000),
        ],
    },
];

impl Country {
    /// The table of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.name == name)
    }

    /// The tables' names.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        COUNTRIES.iter().map(|country| country.name)
    }

    /// Mexico's.
    pub fn mexico() -> &'static Self {
        &COUNTRIES[0]
    }
}
