//! A setting: digits under one condition, and what must become of them. Our detector and its peers hear the same ones.

use std::sync::Arc;

use super::signal::{RATE, Signal};
use crate::dtmf::{COLUMN_HZ, Digit, GeneratorConfig, Profile, ROW_HZ};
use crate::simulator::line::LineBuilder;

/// Digits in one signal.
pub(super) const BATCH: usize = 50;

/// Which document a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// What this receiver promises in its default configuration.
    Promise,
    /// Speech, music and noise that hold no digits.
    TalkOff,
    /// ITU-T Q.24 Annex A, each administration's column with its own profile.
    Q24,
    /// ETSI ES 201 235-3.
    Etsi,
    /// The procedures of the Mitel CM7291 test tape, by synthesis.
    Mitel,
    /// Recordings with known digits.
    Recordings,
}

impl Group {
    /// All groups, in the order of the table.
    pub const ALL: [Self; 6] = [Self::Promise, Self::TalkOff, Self::Q24, Self::Etsi, Self::Mitel, Self::Recordings];

    /// The word that stands for it on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Promise => "promise",
            Self::TalkOff => "talk-off",
            Self::Q24 => "q24",
            Self::Etsi => "etsi",
            Self::Mitel => "mitel",
            Self::Recordings => "recordings",
        }
    }

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Promise => "What the receiver promises",
            Self::TalkOff => "Talk-off: sound that holds no digits",
            Self::Q24 => "ITU-T Q.24 Annex A, each administration with its profile",
            Self::Etsi => "ETSI ES 201 235-3",
            Self::Mitel => "Mitel CM7291 procedures, by synthesis",
            Self::Recordings => "Recordings with known digits",
        }
    }
}

/// What is claimed of a setting's digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// At most this part is missed (0 to 1), and none is doubled.
    Missed(f64),
    /// At most this part is accepted (0 to 1).
    Accepted(f64),
    /// None is accepted as the digit that was sent; a tone so far off may be near another's.
    NotItself,
    /// None is missed, and the time from onset to report has at most this mean and this maximum in ms.
    Latency {
        /// Greatest mean.
        mean_ms: f64,
        /// Greatest of all.
        most_ms: f64,
    },
}

/// Nothing may be missed.
pub(super) const NONE: Claim = Claim::Missed(0.0);
/// Nothing may be accepted.
pub(super) const REFUSED: Claim = Claim::Accepted(0.0);

/// Why a signal can't be made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped(pub String);

type Make = Box<dyn Fn(u64, usize) -> Result<Signal, Skipped>>;

/// Digits under one condition. The same batch gives the same signal.
pub struct Setting {
    /// Where it belongs.
    pub group: Group,
    /// The condition, in words.
    pub name: String,
    /// What is claimed.
    pub claim: Claim,
    /// Digits enough for the claim.
    pub trials: usize,
    /// The receiver the claim is about.
    pub profile: Profile,
    make: Make,
}

impl Setting {
    pub(super) fn new(
        group: Group,
        name: impl Into<String>,
        claim: Claim,
        trials: usize,
        make: impl Fn(u64, usize) -> Result<Signal, Skipped> + 'static,
    ) -> Self {
        Self { group, name: name.into(), claim, trials, profile: Profile::default(), make: Box::new(make) }
    }

    /// For another receiver than the default.
    pub(super) fn with(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// The signals of so many digits, in batches.
    ///
    /// # Errors
    /// [`Skipped`] where a program that makes the condition is not installed.
    pub fn signals(&self, digits: usize) -> impl Iterator<Item = Result<Signal, Skipped>> + '_ {
        (0..digits.div_ceil(BATCH)).map(move |batch| (self.make)(batch as u64, BATCH.min(digits - batch * BATCH)))
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("name", &self.name).field("claim", &self.claim).finish_non_exhaustive()
    }
}

/// Two equal tones for 50 ms and pauses of 50 ms.
pub(super) fn tones(level_dbm0: f64) -> GeneratorConfig {
    GeneratorConfig::default().level(level_dbm0).timing(50.0, 50.0)
}

/// White noise in dBm0 at an S/N in dB against the power of both tones of -10 dBm0.
pub(super) fn noise_at(snr_db: f64) -> f64 {
    -10.0 + 10.0 * 2f64.log10() - snr_db
}

/// Random digits over a perfect line.
pub(super) fn clean(seed: u64, config: GeneratorConfig) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    through(seed, config, LineBuilder::new)
}

/// Random digits through a line; each batch meets its own faults.
pub(super) fn through(
    seed: u64,
    config: GeneratorConfig,
    line: impl Fn(u64) -> LineBuilder,
) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    move |batch, count| {
        let seed = seed * 1000 + batch;
        let mut signal = Signal::random(seed, count, &config);
        signal.samples = line(seed).build(RATE).carry(&signal.samples);
        Ok(signal)
    }
}

/// How far off a tone is, as a fraction, by its nominal frequency in Hz.
pub(super) type Offset = Arc<dyn Fn(f64) -> f64>;

/// Digits with one tone off: each of the eight in turn, high and low.
pub(super) fn off_frequency(
    seed: u64,
    config: GeneratorConfig,
    offset: Offset,
) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    move |batch, count| {
        let mut signal = Signal::new(seed * 1000 + batch);
        for index in 0..count {
            let (tone, sign, other) = (index % 8, if index / 8 % 2 == 0 { 1.0 } else { -1.0 }, signal.rng.usize(0..4));
            send_off(&mut signal, &config, tone, other, |hz| sign * offset(hz));
        }
        signal.silence(200.0);
        Ok(signal)
    }
}

/// Sends the digit of tone `tone` (0 to 7, rows before columns) and another of the other group, the first one off.
pub(super) fn send_off(
    signal: &mut Signal,
    config: &GeneratorConfig,
    tone: usize,
    other: usize,
    offset: impl Fn(f64) -> f64,
) {
    if tone < 4 {
        let config = GeneratorConfig { low_offset: offset(ROW_HZ[tone]), ..*config };
        signal.send(Digit::at(tone, other), &config);
    } else {
        let config = GeneratorConfig { high_offset: offset(COLUMN_HZ[tone - 4]), ..*config };
        signal.send(Digit::at(other, tone - 4), &config);
    }
}

/// The same digit twice with a gap, which counts as `counts` digits.
pub(super) fn same_digit_twice(
    seed: u64,
    gap_ms: f64,
    counts: usize,
) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    move |batch, count| {
        let mut signal = Signal::new(seed * 1000 + batch);
        for _ in 0..count.div_ceil(counts) {
            signal.twice(&tones(-10.0), gap_ms, counts);
        }
        signal.silence(200.0);
        Ok(signal)
    }
}

/// Digits whose level falls while they are held.
pub(super) fn held_while_it_falls(
    seed: u64,
    config: GeneratorConfig,
) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    move |batch, count| {
        let mut signal = Signal::random(seed * 1000 + batch, count, &config);
        signal.let_fall();
        Ok(signal)
    }
}

/// Digits in fours, each another than the one before and right behind it.
pub(super) fn without_pauses(seed: u64, config: GeneratorConfig) -> impl Fn(u64, usize) -> Result<Signal, Skipped> {
    move |batch, count| {
        let mut signal = Signal::new(seed * 1000 + batch);
        let mut before = None;
        for index in 0..count {
            let digit = std::iter::repeat_with(|| signal.any_digit()).find(|digit| Some(*digit) != before);
            signal.tone(digit.expect("there is no end of digits"), &config);
            before = digit;
            if index % 4 == 3 {
                let alignment = signal.rng.f64() * 2.0;
                signal.silence(100.0 + alignment);
            }
        }
        signal.silence(200.0);
        Ok(signal)
    }
}
