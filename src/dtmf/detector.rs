//! The streaming detector: samples in, events out. No clock, no allocation per block.
//!
//! ```
//! use tonopago::dtmf::{Detector, Digit, Event, GeneratorConfig, Profile, generate};
//!
//! let keys: Vec<Digit> = "17#".chars().filter_map(Digit::from_char).collect();
//! let audio = generate(&keys, &GeneratorConfig::default())?;
//! let mut detector = Detector::new(8000, &Profile::default())?;
//! let mut heard = String::new();
//! let mut on_event = |event| {
//!     if let Event::Begin(begin) = event {
//!         heard.push(begin.digit.as_char());
//!     }
//! };
//! for block in audio.chunks(160) {
//!     detector.process(block, &mut on_event);
//! }
//! detector.finish(&mut on_event);
//! assert_eq!(heard, "17#");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::fit::{Fit, FittedTone, fit};
use super::front_end::{FrontEnd, WORKING_RATE, response};
use super::kernel::{HOP, Kernel, Phasors, TONES, tone_hz};
use super::level::dbm0;
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason};
use std::ops::RangeInclusive;

/// Sample rates the detector and the generator accept, in Hz.
pub const RATES_HZ: RangeInclusive<u32> = 4000..=192_000;

/// Why a detector could not be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum DetectorError {
    /// The rate is outside [`RATES_HZ`].
    #[error("sample rate {0} Hz is not supported: use 4000 to 192000 Hz")]
    Rate(u32),
}

/// Sub-blocks remembered.
const MEMORY: usize = 64;
/// Sub-blocks in the short coherent window, 12 ms.
const SHORT: usize = 8;
/// Filtered samples remembered.
const SAMPLES: usize = 512;

/// Finds DTMF digits in a stream of samples.
pub struct Detector {
    profile: Profile,
    rate: u32,
    front: FrontEnd,
    core: Core,
    position: u64,
}

impl Detector {
    /// A detector for a sample rate in Hz within [`RATES_HZ`]. Allocates; nothing after it does.
    ///
    /// # Errors
    /// [`DetectorError::Rate`] for a rate outside the range.
    pub fn new(sample_rate: u32, profile: &Profile) -> Result<Self, DetectorError> {
        if !RATES_HZ.contains(&sample_rate) {
            return Err(DetectorError::Rate(sample_rate));
        }
        Ok(Self {
            profile: *profile,
            rate: sample_rate,
            front: FrontEnd::new(sample_rate),
            core: Core::new(),
            position: 0,
        })
    }

    /// Hears samples (full scale 1.0). The events do not depend on how the stream is cut into blocks.
    pub fn process(&mut self, samples: &[f32], on_event: &mut dyn FnMut(Event)) {
        let Self { profile, rate, front, core, .. } = self;
        // The front end is borrowed while it produces, so a copy of its timing answers questions about the stream.
        let clock = Clock { rate: u64::from(*rate), delay: front.needed(0) };
        front.process(samples, |sample| core.hear(sample, profile, clock, on_event));
        self.position += samples.len() as u64;
    }

    /// Ends the stream: closes an open digit.
    pub fn finish(&mut self, on_event: &mut dyn FnMut(Event)) {
        // Enough silence to push the last samples through the filter and close any digit.
        let clock = Clock { rate: u64::from(self.rate), delay: self.front.needed(0) };
        let (profile, core, position) = (&self.profile, &mut self.core, self.position);
        let silence = [0.0; 256];
        let mut bounded = |event: Event| on_event(event.not_after(position));
        for _ in 0..(u64::from(self.rate) / 10).div_ceil(256) {
            self.front.process(&silence, |sample| core.hear(sample, profile, clock, &mut bounded));
        }
    }

    /// Samples heard so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.rate
    }
}

impl Event {
    /// The same event with no time beyond the end of the stream.
    fn not_after(mut self, end: u64) -> Self {
        match &mut self {
            Self::Begin(begin) => begin.reported = begin.reported.min(end),
            Self::End(digit) => {
                digit.end = digit.end.min(end);
                digit.begin_reported = digit.begin_reported.min(end);
                digit.end_reported = digit.end_reported.min(end);
            }
            Self::Rejected(miss) => {
                miss.end = miss.end.min(end);
                miss.reported = miss.reported.min(end);
            }
        }
        self
    }
}

/// Converts filtered sample positions to input samples.
#[derive(Clone, Copy)]
struct Clock {
    rate: u64,
    delay: u64,
}

impl Clock {
    fn input(self, working: f32, base: u64) -> u64 {
        let samples = (base as f64 + f64::from(working)) * self.rate as f64 / f64::from(WORKING_RATE);
        samples.round().max(0.0) as u64
    }

    /// Input samples heard when the filtered sample `n` appeared.
    fn heard(self, n: u64) -> u64 {
        n * self.rate / u64::from(WORKING_RATE) + self.delay
    }
}

/// A digit that is on.
#[derive(Clone, Copy)]
struct Active {
    digit: Digit,
    begin: Begin,
    measured: Measurement,
    /// Power of the short window of both tones when steady.
    reference: [f32; 2],
    /// Filtered-sample position where the level last fell, while it is down.
    fell: Option<u64>,
}

/// The decision machine on filtered samples.
struct Core {
    kernel: Kernel,
    samples: Box<[f32; 2 * SAMPLES]>,
    count: u64,
    blocks: Box<[Phasors; MEMORY]>,
    short: Box<[Phasors; MEMORY]>,
    powers: Box<[[f32; TONES]; MEMORY]>,
    hops: u64,
    active: Option<Active>,
    refused_until: u64,
}

impl Core {
    fn new() -> Self {
        Self {
            kernel: Kernel::new(),
            samples: Box::new([0.0; 2 * SAMPLES]),
            count: 0,
            blocks: Box::new([Phasors::default(); MEMORY]),
            short: Box::new([Phasors::default(); MEMORY]),
            powers: Box::new([[0.0; TONES]; MEMORY]),
            hops: 0,
            active: None,
            refused_until: 0,
        }
    }

    fn hear(&mut self, sample: f32, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        let slot = (self.count % SAMPLES as u64) as usize;
        self.samples[slot] = sample;
        self.samples[slot + SAMPLES] = sample;
        self.count += 1;
        if self.count % HOP as u64 == 0 {
            self.hop();
            self.decide(profile, clock, on_event);
        }
    }

    /// The last `n` filtered samples.
    fn last(&self, n: usize) -> &[f32] {
        let end = ((self.count - 1) % SAMPLES as u64) as usize + 1 + SAMPLES;
        &self.samples[end - n..end]
    }

    fn hop(&mut self) {
        let mut block = [0.0; HOP];
        block.copy_from_slice(self.last(HOP));
        let slot = (self.hops % MEMORY as u64) as usize;
        self.blocks[slot] = self.kernel.next(&block);
        self.hops += 1;
        let mut sum = Phasors::default();
        for age in 0..SHORT {
            sum.add(&self.blocks[self.slot(age)]);
        }
        self.short[slot] = sum;
        self.powers[slot] = sum.powers();
    }

    fn slot(&self, age: usize) -> usize {
        ((self.hops + (2 * MEMORY - 1 - age) as u64) % MEMORY as u64) as usize
    }

    fn decide(&mut self, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        if let Some(active) = self.active {
            self.follow(active, profile, clock, on_event);
        }
        if let Some((digit, begin, measured)) = self.candidate(profile, clock, on_event) {
            if let Some(active) = self.active.take() {
                on_event(self.ended(&active, active.fell.unwrap_or(self.count), clock));
            }
            let power = self.powers[self.slot(0)];
            let reference = [power[digit.row()], power[4 + digit.column()]];
            self.active = Some(Active { digit, begin, measured, reference, fell: None });
            on_event(Event::Begin(begin));
        }
    }

    fn follow(&mut self, mut active: Active, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        let power = self.powers[self.slot(0)];
        let now = [power[active.digit.row()], power[4 + active.digit.column()]];
        let middle = self.count - (SHORT * HOP / 2) as u64;
        let level = 0.5 * (now[0] / active.reference[0].max(1e-20) + now[1] / active.reference[1].max(1e-20));
        if level > 0.25 {
            active.fell = None;
        } else if active.fell.is_none() {
            active.fell = Some(middle);
        }
        let split = (0.5 * (profile.bridge_gap_ms + profile.split_gap_ms) * f64::from(WORKING_RATE) / 1000.0) as u64;
        self.active = Some(active);
        if let Some(fell) = active.fell
            && middle - fell >= split
        {
            on_event(self.ended(&active, fell, clock));
            self.active = None;
        }
    }

    fn ended(&self, active: &Active, end: u64, clock: Clock) -> Event {
        Event::End(Detection {
            digit: active.digit,
            start: active.begin.start,
            end: clock.input(0.0, end),
            begin_reported: active.begin.reported,
            end_reported: clock.heard(self.count - 1),
            measured: active.measured,
        })
    }

    fn candidate(
        &mut self,
        profile: &Profile,
        clock: Clock,
        on_event: &mut dyn FnMut(Event),
    ) -> Option<(Digit, Begin, Measurement)> {
        let (now, before) = (self.powers[self.slot(0)], self.powers[self.slot(SHORT)]);
        let strength = |lane: usize| now[lane] + before[lane];
        let row = (0..4).max_by(|a, b| strength(*a).total_cmp(&strength(*b)))?;
        let column = (0..4).max_by(|a, b| strength(4 + *a).total_cmp(&strength(4 + *b)))?;
        let digit = Digit::at(row, column);
        if self.active.is_some_and(|active| active.digit == digit) {
            return None;
        }
        let energy: f32 = self.last(96).iter().map(|x| x * x).sum();
        if (strength(row) + strength(4 + column)) / 24.0 < 0.5 * energy || energy < 1e-9 {
            return None;
        }
        for (window, snr) in [(96, 10.0), (144, 2.0)] {
            let fit = fit(self.last(window), self.drifted(row), self.drifted(4 + column));
            if fit.snr_db() < snr {
                continue;
            }
            let start = self.onset(digit, &fit);
            let measured = self.measure(&fit);
            if self.count as f32 - start < 98.0 {
                return None;
            }
            let begin = Begin { digit, start: clock.input(start, 0), reported: clock.heard(self.count - 1) };
            return match judge(&measured, digit, profile) {
                None => Some((digit, begin, measured)),
                Some(reason) => {
                    if self.count >= self.refused_until {
                        let (start, end, reported) = (begin.start, clock.input(0.0, self.count), begin.reported);
                        on_event(Event::Rejected(NearMiss { digit, start, end, reported, reason, measured }));
                        self.refused_until = self.count + 400;
                    }
                    None
                }
            };
        }
        None
    }

    /// Where the tone of a lane seems to be, in Hz, from its turn between the two halves of the window.
    fn drifted(&self, lane: usize) -> f32 {
        let (now, before) = (&self.short[self.slot(0)], &self.short[self.slot(SHORT)]);
        let re = now.re[lane] * before.re[lane] + now.im[lane] * before.im[lane];
        let im = now.im[lane] * before.re[lane] - now.re[lane] * before.im[lane];
        let seconds = (SHORT * HOP) as f32 / WORKING_RATE as f32;
        tone_hz(lane) as f32 + im.atan2(re) / (std::f32::consts::TAU * seconds)
    }

    /// Filtered-sample position where the pair reached half its amplitude.
    fn onset(&self, digit: Digit, fit: &Fit) -> f32 {
        let half = (SHORT * HOP) as f32 * 0.25;
        let expected = (fit.low.amplitude * half).powi(2) + (fit.high.amplitude * half).powi(2);
        let mut age = 0;
        while age + 1 < MEMORY - SHORT {
            let power = self.powers[self.slot(age)];
            if power[digit.row()] + power[4 + digit.column()] < expected {
                break;
            }
            age += 1;
        }
        self.count as f32 - (age * HOP) as f32 - (SHORT * HOP) as f32 * 0.5
    }

    fn measure(&self, fit: &Fit) -> Measurement {
        let level =
            |tone: &FittedTone| dbm0(f64::from(tone.amplitude) / response(f64::from(tone.hz)).abs().max(0.01)) as f32;
        Measurement {
            low_dbm0: level(&fit.low),
            high_dbm0: level(&fit.high),
            low_hz: fit.low.hz,
            high_hz: fit.high.hz,
            snr_db: fit.snr_db(),
        }
    }
}

fn judge(measured: &Measurement, digit: Digit, profile: &Profile) -> Option<Reason> {
    let off = |hz: f32, nominal: f64| (f64::from(hz) - nominal).abs() > profile.frequency_limit_hz(nominal);
    let twist = f64::from(measured.twist_db());
    if off(measured.low_hz, digit.low_hz()) || off(measured.high_hz, digit.high_hz()) {
        Some(Reason::Frequency)
    } else if twist > profile.normal_twist_db + 1.0 || -twist > profile.reverse_twist_db + 1.0 {
        Some(Reason::Twist)
    } else if f64::from(measured.low_dbm0.min(measured.high_dbm0)) < profile.floor_dbm0 - 1.0 {
        Some(Reason::Level)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{GeneratorConfig, generate};

    fn events(audio: &[f32], rate: u32, block: usize) -> Vec<Event> {
        let mut detector = Detector::new(rate, &Profile::default()).unwrap();
        let mut events = Vec::new();
        audio.chunks(block).for_each(|chunk| detector.process(chunk, &mut |event| events.push(event)));
        detector.finish(&mut |event| events.push(event));
        events
    }

    fn heard(events: &[Event]) -> String {
        events.iter().filter_map(|e| if let Event::End(d) = e { Some(d.digit.as_char()) } else { None }).collect()
    }

    #[test]
    fn all_digits_at_all_rates_with_equal_times() {
        let digits: Vec<Digit> = Digit::all().collect();
        for rate in [8000, 11025, 16000, 44100, 48000, 192_000] {
            let config = GeneratorConfig { sample_rate: rate, lead_ms: 100.0, ..Default::default() }.timing(50.0, 50.0);
            let found = events(&generate(&digits, &config).unwrap(), rate, 480);
            assert_eq!(heard(&found), "123A456B789C*0#D", "{rate} Hz");
            let ends = found.iter().filter_map(|e| if let Event::End(d) = e { Some(d) } else { None });
            for (index, digit) in ends.enumerate() {
                let ms = |sample: u64| sample as f64 * 1000.0 / f64::from(rate) - 100.0 * (index + 1) as f64;
                assert!(ms(digit.start).abs() < 2.0, "{rate} Hz, {digit:?}: start {}", ms(digit.start));
                assert!((ms(digit.end) - 50.0).abs() < 2.5, "{rate} Hz, {digit:?}: end {}", ms(digit.end));
                assert!(ms(digit.begin_reported) < 33.0, "{rate} Hz, {digit:?}: report {}", ms(digit.begin_reported));
            }
        }
    }

    #[test]
    fn events_do_not_depend_on_blocks() {
        let mut rng = fastrand::Rng::with_seed(7);
        let config = GeneratorConfig { sample_rate: 11025, ..Default::default() }.timing(43.0, 37.0).twist(5.0);
        let mut audio = generate(&Digit::all().collect::<Vec<_>>(), &config).unwrap();
        audio.iter_mut().for_each(|x| *x += (rng.f32() - 0.5) * 0.1);
        let whole = events(&audio, 11025, audio.len());
        assert_eq!(heard(&whole).len(), 16);
        for block in [1, 7, 80, 160, 441, 4800] {
            assert_eq!(events(&audio, 11025, block), whole, "block of {block}");
        }
    }

    #[test]
    fn rates_outside_the_range_are_refused() {
        let error = Detector::new(2000, &Profile::default()).err().unwrap();
        assert!(error.to_string().contains("4000 to 192000"));
    }
}
