//! The recent past of the filtered stream: samples, correlations and powers of short Goertzel windows, energies.

use super::Digit;
use super::front_end::{BATCH, FrontEnd, Sample};
use super::kernel::{HOP, Kernel, LANES, SHORT, SHORT_SAMPLES, TONES};
use super::simd::Simd;
use std::ops::Range;

/// Sub-blocks that can be asked for: 192 ms.
pub(crate) const MEMORY: usize = 192;
/// Sub-blocks kept; a batch may be written while all of [`MEMORY`] is still asked for.
const RING: usize = 256;
/// Filtered samples kept: 256 ms.
const SAMPLES: usize = RING * HOP;
const _: () = assert!(MEMORY + 2 * LANES <= RING && RING.is_multiple_of(LANES));

/// A value for each of the last sub-blocks.
type Ring = [f32; RING];

/// The recent past. Ages count sub-blocks back from the one the history stands at, which has age 0.
pub(crate) struct History {
    front: FrontEnd,
    kernel: Kernel,
    simd: Simd,
    /// Every sample twice, `SAMPLES` apart, so that any window is one slice.
    samples: Box<[f32; 2 * SAMPLES]>,
    re: Box<[Ring; TONES]>,
    im: Box<[Ring; TONES]>,
    /// Every power twice, `RING` apart, so that any past is one slice.
    powers: Box<[[f32; 2 * RING]; TONES]>,
    /// The same for energies.
    band_energy: Box<[f32; 2 * RING]>,
    /// Sub-blocks before the batch at hand, and those of it that are complete.
    before: u64,
    complete: usize,
    /// Sub-blocks up to the one the history stands at.
    hops: u64,
}

/// Sub-blocks of the batch at hand of which something can be said: bit `n` for sub-block `n`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// A row and a column hold a fair share of the last 24 ms.
    pub(crate) pair: u8,
    /// The strongest row and column of 12 ms ago have gone down.
    pub(crate) down: u8,
}

impl Marks {
    /// Whether nothing can be said of any sub-block, complete or not.
    pub(crate) fn are_empty(self) -> bool {
        self.pair | self.down == 0
    }

    pub(crate) fn has_pair(self, hop: usize) -> bool {
        self.pair >> hop & 1 == 1
    }

    pub(crate) fn is_down(self, hop: usize) -> bool {
        self.down >> hop & 1 == 1
    }
}

impl History {
    pub(crate) fn new(rate: u32, simd: Simd) -> Self {
        let rings = || Box::new([[0.0; RING]; TONES]);
        Self {
            front: FrontEnd::new(rate, simd),
            kernel: Kernel::new(),
            simd,
            samples: Box::new([0.0; 2 * SAMPLES]),
            re: rings(),
            im: rings(),
            powers: Box::new([[0.0; 2 * RING]; TONES]),
            band_energy: Box::new([0.0; 2 * RING]),
            before: 0,
            complete: 0,
            hops: 0,
        }
    }

    /// Hears up to [`super::front_end::CHUNK`] input samples. They are there once [`Self::look`] has been called.
    pub(crate) fn push<S: Sample>(&mut self, samples: &[S]) {
        self.front.push(samples);
    }

    /// Filters and correlates what there is of the batch at hand: the sub-blocks that are complete since the last look,
    /// and what can be said of them. The history does not go on by itself.
    pub(crate) fn look(&mut self) -> (Range<usize>, Marks) {
        let (samples, filled) = self.front.fill();
        let new = self.complete..filled / HOP;
        if new.is_empty() {
            return (new, Marks { pair: 0, down: 0 });
        }
        self.complete = new.end;
        let batch = self.kernel.correlate(samples, self.simd);
        let slot = (self.before % RING as u64) as usize;
        for tone in 0..TONES {
            self.re[tone][slot..slot + LANES].copy_from_slice(&batch.re[tone]);
            self.im[tone][slot..slot + LANES].copy_from_slice(&batch.im[tone]);
            for copy in [0, RING] {
                self.powers[tone][slot + copy..slot + copy + LANES].copy_from_slice(&batch.power[tone]);
            }
        }
        for copy in [0, RING] {
            self.band_energy[slot + copy..slot + copy + LANES].copy_from_slice(&batch.energy);
        }
        for copy in [0, SAMPLES] {
            let from = slot * HOP + copy;
            self.samples[from..from + BATCH].copy_from_slice(samples);
        }
        (new, Marks { pair: batch.pair, down: batch.down })
    }

    /// Stands at a sub-block of the batch at hand.
    pub(crate) fn stand_at(&mut self, hop: usize) {
        self.hops = self.before + hop as u64 + 1;
    }

    /// Goes on to the next batch.
    pub(crate) fn next_batch(&mut self) {
        self.front.next_batch();
        self.kernel.next_batch();
        self.complete = 0;
        self.before += LANES as u64;
    }

    /// Input samples that must have been heard before the first filtered sample exists.
    pub(crate) fn delay(&self) -> u64 {
        self.front.needed(0)
    }

    /// The registers to compute in.
    pub(crate) fn simd(&self) -> Simd {
        self.simd
    }

    fn slot(&self, age: usize) -> usize {
        debug_assert!(age < MEMORY);
        ((self.hops + (RING - 1 - age) as u64) % RING as u64) as usize
    }

    /// Filtered samples so far.
    pub(crate) fn count(&self) -> u64 {
        self.hops * HOP as u64
    }

    /// `n` filtered samples that end `back` samples ago.
    pub(crate) fn window(&self, n: usize, back: usize) -> &[f32] {
        let end = ((self.count() + (SAMPLES - 1 - back) as u64) % SAMPLES as u64) as usize + 1 + SAMPLES;
        let end = if end > 2 * SAMPLES { end - SAMPLES } else { end };
        &self.samples[end - n..end]
    }

    /// Correlation with a tone over the short window, as (re, im).
    pub(crate) fn short(&self, age: usize, tone: usize) -> [f32; 2] {
        let slot = self.slot(age);
        [self.re[tone][slot], self.im[tone][slot]]
    }

    /// Squared magnitude of [`Self::short`].
    pub(crate) fn power(&self, age: usize, tone: usize) -> f32 {
        self.powers[tone][self.slot(age)]
    }

    /// Powers of a tone over the last [`MEMORY`] sub-blocks, the newest last.
    pub(crate) fn powers(&self, tone: usize) -> &[f32] {
        let end = self.slot(0) + 1 + RING;
        &self.powers[tone][end - MEMORY..end]
    }

    /// Energies in the DTMF band of the last [`MEMORY`] sub-blocks, the newest last.
    pub(crate) fn band_energies(&self) -> &[f32] {
        let end = self.slot(0) + 1 + RING;
        &self.band_energy[end - MEMORY..end]
    }

    /// Energy in the DTMF band over sub-blocks `age .. age + n`.
    pub(crate) fn band_energy(&self, age: usize, n: usize) -> f32 {
        self.band_energies()[MEMORY - age - n..MEMORY - age].iter().sum()
    }

    /// Part of the band's energy that a pair has over the last `n` short windows that end `back` sub-blocks ago.
    pub(crate) fn share(&self, digit: Digit, back: usize, n: usize) -> f32 {
        let power = |age: usize| digit.tones().map(|tone| self.power(age, tone)).iter().sum::<f32>();
        let powers: f32 = (0..n).map(|window| power(back + window * SHORT)).sum();
        // A tone's correlation power over a window is its energy there times half the window.
        powers / (0.5 * SHORT_SAMPLES as f32 * self.band_energy(back, n * SHORT)).max(f32::MIN_POSITIVE)
    }

    /// Energy in the low band over sub-blocks `age .. age + n` of the last 80 ms, as a sum over filtered samples; a
    /// sample of each sub-block stands for all of it.
    pub(crate) fn low_energy(&self, age: usize, n: usize) -> f32 {
        let low =
            |age: usize| self.hops.checked_sub(1 + age as u64).map_or(0.0, |hop| self.front.low(hop * HOP as u64));
        HOP as f32 * (age..age + n).map(|age| low(age).powi(2)).sum::<f32>()
    }
}

#[cfg(test)]
impl History {
    /// A history that has heard 8 kHz samples and stands at the last sub-block of them.
    pub(crate) fn of(samples: &[f32]) -> Self {
        let mut history = Self::new(8000, Simd::detect());
        for chunk in samples.chunks(super::front_end::CHUNK) {
            history.push(chunk);
            loop {
                let (new, _) = history.look();
                if !new.is_empty() {
                    history.stand_at(new.end - 1);
                }
                if new.end < LANES {
                    break;
                }
                history.next_batch();
            }
        }
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{GeneratorConfig, generate};

    /// 100 ms of silence, then a digit.
    fn digit_after_silence(ms: f64) -> Vec<f32> {
        let config = GeneratorConfig { lead_ms: 100.0, ..GeneratorConfig::default() }.timing(ms, 0.0);
        generate(&[Digit::at(1, 1)], &config).unwrap()
    }

    #[test]
    fn windows_ages_and_energies_count_back_from_where_it_stands() {
        let history = History::of(&digit_after_silence(60.0));
        let newest: f32 = history.window(HOP, 0).iter().map(|x| x * x).sum();
        assert!((history.band_energy(0, 1) - newest).abs() < 1e-6 * newest.max(1e-6));
        let older: f32 = history.window(20 * HOP, 10 * HOP).iter().map(|x| x * x).sum();
        assert!((history.band_energy(10, 20) - older).abs() < 1e-4 * older);
        assert!(history.power(0, 1) > 1e3 * history.power(100, 1), "the tone is there now and was not 100 ms ago");
        let row = history.powers(1);
        assert!((row[MEMORY - 1] - history.power(0, 1)).abs() < f32::EPSILON);
        assert!((row[0] - history.power(MEMORY - 1, 1)).abs() < f32::EPSILON);
    }

    #[test]
    fn the_pair_that_sounds_has_nearly_all_of_the_band() {
        let history = History::of(&digit_after_silence(60.0));
        assert!((0.9..1.1).contains(&history.share(Digit::at(1, 1), 0, 3)));
        assert!(history.share(Digit::at(3, 3), 0, 3) < 0.1);
    }
}
