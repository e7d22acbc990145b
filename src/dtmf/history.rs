//! The recent past of the filtered stream: samples, correlations and powers of short Goertzel windows, energies.

use super::Digit;
use super::filtered::{Filtered, KEPT};
use super::front_end::{FrontEnd, INPUT_MEMORY};
use super::input::Samples;
use super::kernel::{FORGOTTEN, HOP, Kernel, MOST, Marks, SHORT, SHORT_SAMPLES, TONES, Tones};
use super::past::KNOWN;
use super::sample::Sample;
use super::simd::Simd;
use super::steady::{LOOK_BACK, SteadyTones};
use super::waves::Energy;
use std::ops::Range;

/// Sub-blocks that can be asked for: 192 ms.
pub(crate) const MEMORY: usize = 48;
// What is kept is written ahead of where the history stands.
const _: () = assert!(MEMORY + MOST <= KNOWN);
/// Sub-blocks of a silence that are heard after all once it is over: those that can be asked for, and those that are wrong.
const HEARD_AFTER_ALL: usize = MEMORY + FORGOTTEN;
const _: () = assert!((HEARD_AFTER_ALL * HOP) as u64 <= INPUT_MEMORY);
// A steady tone is looked for in as many samples, none of which was passed over.
const _: () = assert!(LOOK_BACK <= MEMORY * HOP && LOOK_BACK <= KEPT);

/// The recent past. Ages count sub-blocks back from the one the history stands at, which has age 0.
pub(crate) struct History {
    front: FrontEnd,
    kernel: Kernel,
    simd: Simd,
    samples: Filtered,
    steady: SteadyTones,
    /// Sub-blocks that were heard after the one the history stands at.
    newer: usize,
    /// Samples of the next sub-block that are looked at, too.
    ahead: usize,
    /// Filtered samples up to there.
    count: u64,
    /// Energy of two short windows that means nothing if there is less.
    silence: f32,
    /// The last sub-blocks that were passed over as silent, up to the newest.
    passed: usize,
}

impl History {
    /// The past of a stream at a rate in Hz, in which two short windows of less energy than `silence` mean nothing, nor a sounding
    /// pair with a ratio of powers, row over column, out of these bounds.
    pub(crate) fn new(rate: u32, silence: f32, ratio: [f32; 2], simd: Simd) -> Self {
        Self {
            front: FrontEnd::new(rate, simd),
            kernel: Kernel::new(silence, ratio),
            simd,
            samples: Filtered::new(),
            steady: SteadyTones::new(silence),
            newer: 0,
            ahead: 0,
            count: 0,
            silence,
            passed: 0,
        }
    }

    /// Hears up to [`super::front_end::CHUNK`] input samples. They are there once [`Self::look`] has been called.
    pub(crate) fn push<S: Sample>(&mut self, samples: &[S]) {
        self.front.push(samples);
    }

    /// Filters and correlates the next sub-blocks: how many there are, all of them if fewer than [`MOST`], and what can be said
    /// of them. The history does not go on by itself.
    ///
    /// While a digit is on, falls are marked where there are none. If `none_is_on`, a silence may be passed over, so that nothing
    /// may be asked of it until there are marks: its sub-blocks are counted, and those still remembered are heard once it is over.
    pub(crate) fn look(&mut self, none_is_on: bool) -> (usize, Marks) {
        let ready = self.front.ready();
        if ready == 0 {
            return (0, Marks::default());
        }
        self.newer += ready / HOP;
        // A mark depends on 24 ms: where all of them are silent together, there is none.
        if none_is_on && self.front.is_silent(2 * SHORT_SAMPLES, ready, self.silence) {
            self.front.pass(ready);
            self.kernel.pass(ready / HOP);
            self.passed += ready / HOP;
            return (ready / HOP, Marks::default());
        }
        if self.passed > 0 {
            self.hear_passed();
        }
        (ready / HOP, self.hear(ready, none_is_on))
    }

    /// Hears what is still remembered of a silence that is over. There are no marks in it.
    #[cold]
    fn hear_passed(&mut self) {
        if self.passed > HEARD_AFTER_ALL {
            self.passed = HEARD_AFTER_ALL;
            self.steady.begin_at(self.front.count() - (self.passed * HOP) as u64);
        }
        self.front.go_back(self.passed * HOP);
        self.kernel.go_back(self.passed);
        while self.passed > 0 {
            let hops = self.passed.min(MOST);
            self.hear(hops * HOP, false);
            self.passed -= hops;
        }
    }

    /// Filters and correlates the next samples, which are whole sub-blocks.
    #[inline]
    fn hear(&mut self, ready: usize, asks_for_falls: bool) -> Marks {
        let first = self.front.count();
        self.front.fill(ready, self.samples.room());
        self.samples.go_on(ready);
        if self.steady.wants(ready, first) {
            let short_energy = |back| self.kernel.short_energy(back);
            self.steady.hear(self.samples.kept_mut(), ready, first, short_energy, self.simd);
        }
        self.kernel.correlate(self.samples.newest_and_beyond(ready), ready / HOP, asks_for_falls, self.simd)
    }

    /// Goes on by so many sub-blocks of those looked at.
    pub(crate) fn go_on(&mut self, hops: usize) {
        debug_assert!(self.ahead == 0);
        self.newer -= hops;
        self.count += (hops * HOP) as u64;
    }

    /// Looks at so many samples of the next sub-block, too, if they have been heard; until [`Self::look_back`].
    pub(crate) fn look_ahead(&mut self, ahead: usize) -> bool {
        if self.newer == 0 {
            if !self.front.has(ahead) {
                return false;
            }
            // A silence that is passed over is none that anything is asked of.
            debug_assert!(self.passed == 0);
            let room = self.samples.room();
            self.front.peek(ahead, room);
            self.steady.peek(&mut room[..ahead], self.simd);
        }
        self.ahead = ahead;
        self.count += ahead as u64;
        true
    }

    /// Looks at whole sub-blocks again.
    pub(crate) fn look_back(&mut self) {
        self.count -= self.ahead as u64;
        self.ahead = 0;
    }

    /// Input samples that must have been heard before the first filtered sample exists.
    pub(crate) fn delay(&self) -> u64 {
        self.front.needed(0)
    }

    /// The input as it came, and its rate in Hz, over the time of `n` filtered samples from `first` on; `None` unless all
    /// of it is of the last 220 ms.
    pub(crate) fn input(&self, first: i64, n: usize) -> Option<(Samples<'_>, u64)> {
        Some((self.front.input(first, n)?, self.front.rate()))
    }

    /// The registers to compute in.
    pub(crate) fn simd(&self) -> Simd {
        self.simd
    }

    /// Sub-blocks that were correlated after the one of an age.
    fn back(&self, age: usize) -> usize {
        debug_assert!(age < MEMORY);
        // It is far from the greatest number, which the compiler does not know.
        self.newer.wrapping_add(age)
    }

    /// Filtered samples so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// `n` filtered samples that end `back` samples ago.
    pub(crate) fn window(&self, n: usize, back: usize) -> &[f32] {
        self.samples.window(n, (self.newer * HOP + back) as isize - self.ahead as isize)
    }

    /// Correlation with a tone over the short window, as (re, im).
    pub(crate) fn short(&self, age: usize, tone: usize) -> [f32; 2] {
        self.kernel.correlation(self.back(age), tone)
    }

    /// Squared magnitude of [`Self::short`] for each tone.
    pub(crate) fn powers(&self, age: usize) -> &Tones {
        self.kernel.powers(self.back(age))
    }

    /// Squared magnitude of [`Self::short`].
    pub(crate) fn power(&self, age: usize, tone: usize) -> f32 {
        self.powers(age)[tone]
    }

    /// Whether the squared magnitudes for two tones are both more than so much.
    #[inline]
    pub(crate) fn have_more(&self, age: usize, [low, high]: [usize; 2], least: f32) -> bool {
        let powers = self.powers(age);
        powers[low % TONES] > least && powers[high % TONES] > least
    }

    /// Squared magnitudes for two tones, over the short window that ends so many sub-blocks behind the next one, of those that were
    /// heard already.
    #[inline]
    pub(crate) fn next_powers(&self, later: usize, tones: [usize; 2]) -> [f32; 2] {
        let powers = self.kernel.powers(self.newer - 1 - later);
        tones.map(|tone| powers[tone])
    }

    /// Whether two tones are the strongest row and column of the 24 ms that end there.
    #[inline]
    pub(crate) fn is_next_strongest(&self, later: usize, tones: [usize; 2]) -> bool {
        self.kernel.are_strongest(self.newer - 1 - later, tones)
    }

    /// The greatest powers of a pair's tones in the `SHORT` sub-blocks that end at an age.
    pub(crate) fn peaks(&self, age: usize, digit: Digit) -> [f32; 2] {
        let (peaks, [low, high]) = (self.kernel.peaks(self.back(age), self.simd), digit.tones());
        [peaks[low], peaks[high]]
    }

    /// The age, within a range, of the first sub-block back with less than `expected` power in two tones together; the end
    /// of the range if there is none.
    pub(crate) fn age_of_less(&self, tones: [usize; 2], expected: f32, ages: Range<usize>) -> usize {
        let backs = self.newer + ages.start..self.newer + ages.end;
        self.kernel.back_to_less(tones, expected, backs) - self.newer
    }

    /// The strongest row and column of the last 24 ms.
    pub(crate) fn strongest_pair(&self) -> Digit {
        self.kernel.strongest(self.newer, self.simd)
    }

    /// Whether a pair is the strongest row and column of the last 24 ms.
    pub(crate) fn is_strongest(&self, digit: Digit) -> bool {
        self.was_strongest(0, digit)
    }

    /// The same of the 24 ms that end at an age.
    #[inline]
    pub(crate) fn was_strongest(&self, age: usize, digit: Digit) -> bool {
        self.kernel.are_strongest(self.back(age), digit.tones())
    }

    /// The strongest row and column of 12 ms ago, if both have gone down since.
    pub(crate) fn pair_gone_down(&self) -> Option<Digit> {
        self.kernel.gone_down(self.newer, self.simd)
    }

    /// Energy in the DTMF band of `N` filtered samples that end `back` samples ago.
    pub(crate) fn band_energy<const N: usize>(&self, back: usize) -> f32 {
        self.window(N, back).first_chunk().map_or(0.0, |samples| self.simd.run(Energy::<N>(samples)))
    }

    /// Energy in the DTMF band over the short window that ends at an age.
    pub(crate) fn short_energy(&self, age: usize) -> f32 {
        self.kernel.short_energy(self.back(age))
    }

    /// Part of the band's energy that each tone of a pair has over the last `n` short windows that end `back` sub-blocks ago.
    #[inline]
    pub(crate) fn shares(&self, digit: Digit, back: usize, n: usize) -> [f32; 2] {
        let ([low, high], newest) = (digit.tones(), self.back(back));
        let (mut sums, mut energy) = ([0f32; 2], 0f32);
        for window in 0..n {
            let back = newest + window * SHORT;
            let powers = self.kernel.powers(back);
            sums = [sums[0] + powers[low], sums[1] + powers[high]];
            energy += self.kernel.short_energy(back);
        }
        // A tone's correlation power over a window is its energy there times half the window.
        let whole = (0.5 * SHORT_SAMPLES as f32 * energy).max(f32::MIN_POSITIVE);
        [sums[0] / whole, sums[1] / whole]
    }

    /// Energy in the low band over the last `n` filtered samples.
    pub(crate) fn low_energy(&self, n: usize) -> f32 {
        self.front.low_energy(self.count, n)
    }
}

#[cfg(test)]
impl History {
    /// A history that has heard 8 kHz samples and stands at the last sub-block of them.
    pub(crate) fn of(samples: &[f32]) -> Self {
        Self::of_rate(8000, samples)
    }

    /// The same at another rate in Hz.
    pub(crate) fn of_rate(rate: u32, samples: &[f32]) -> Self {
        let mut history = Self::new(rate, 1e-9, [0.0, f32::MAX], Simd::detect());
        for chunk in samples.chunks(super::front_end::CHUNK) {
            history.push(chunk);
            while let (new @ 1.., _) = history.look(false) {
                history.go_on(new);
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
        let newest: f32 = history.window(SHORT_SAMPLES, 0).iter().map(|x| x * x).sum();
        assert!((history.short_energy(0) - newest).abs() < 1e-5 * newest);
        let older: f32 = history.window(SHORT_SAMPLES, 5 * HOP).iter().map(|x| x * x).sum();
        assert!((history.short_energy(5) - older).abs() < 1e-5 * older);
        assert!((history.band_energy::<SHORT_SAMPLES>(5 * HOP) - older).abs() < 1e-5 * older);
        assert!(history.power(0, 1) > 1e3 * history.power(50, 1), "the tone is there now and was not 100 ms ago");
    }

    /// What was heard of noise with a digit in it, and what came of it.
    struct Heard {
        history: History,
        /// Sub-blocks that were passed over, and those in which a pair was marked.
        passed: u64,
        marked: Vec<u64>,
    }

    /// Hears half a second, a silence of so many samples and some more sound; stands where the last chunk of 25 ms begins.
    fn with_silence(silence: usize, more: usize, none_is_on: bool) -> Heard {
        let mut rng = fastrand::Rng::with_seed(7);
        let digit = [770.0, 1336.0].map(|hz: f64| hz * std::f64::consts::TAU / 8000.0);
        let sound: Vec<f32> = (0..4000 + silence + more)
            .map(|n| {
                let is_silent = (4000..4000 + silence).contains(&n);
                let tones: f64 = digit.iter().map(|step| 0.5 * (step * n as f64).sin()).sum();
                (tones as f32 + rng.f32() - 0.5) * if is_silent { 1e-4 } else { 0.2 }
            })
            .collect();
        let mut heard =
            Heard { history: History::new(8000, 1e-4, [0.01, 100.0], Simd::detect()), passed: 0, marked: Vec::new() };
        let Heard { history, passed, marked } = &mut heard;
        let mut chunks = sound.chunks(200).peekable();
        while let Some(chunk) = chunks.next() {
            history.push(chunk);
            let (new, Marks { pair, .. }) = history.look(none_is_on);
            marked.extend((0..64).filter(|bit| pair >> bit & 1 == 1).map(|bit| history.count / HOP as u64 + bit));
            history.go_on(if chunks.peek().is_some() { new } else { 1 });
            *passed += if history.passed > 0 { new as u64 } else { 0 };
        }
        heard
    }

    #[test]
    fn a_silence_passed_over_leaves_the_same_past_to_the_bit() {
        // Just over, and over for 40 ms.
        for (silence, more) in [400, 1000, 1600, 2000, 5000, 40_003].into_iter().flat_map(|s| [(s, 40), (s, 320)]) {
            let [all, part] = [false, true].map(|none_is_on| with_silence(silence, more, none_is_on));
            assert!(
                all.passed == 0 && part.passed * 2 * HOP as u64 + 800 > silence as u64,
                "{silence}: {}",
                part.passed
            );
            assert!(!all.marked.is_empty() && part.marked == all.marked, "{silence}");
            let (heard, passed) = (all.history, part.history);
            assert_eq!(passed.count, heard.count);
            assert_eq!(passed.window(MEMORY * HOP, 0), heard.window(MEMORY * HOP, 0), "{silence}");
            for age in 0..MEMORY {
                assert_eq!(passed.powers(age), heard.powers(age), "{silence}, {age}");
                assert_eq!(passed.short_energy(age).to_bits(), heard.short_energy(age).to_bits(), "{silence}, {age}");
            }
            for expected in [1e-9, 1e-6, 1e-3, 1.0] {
                let [a, b] = [&passed, &heard].map(|history| history.age_of_less([1, 5], expected, 0..MEMORY));
                assert_eq!(a, b, "{silence}, {expected}");
            }
        }
    }

    #[test]
    fn the_pair_that_sounds_has_nearly_all_of_the_band() {
        let history = History::of(&digit_after_silence(60.0));
        let shares = |digit: Digit| history.shares(digit, 0, 3).iter().sum::<f32>();
        assert!((0.9..1.1).contains(&shares(Digit::at(1, 1))));
        assert!(shares(Digit::at(3, 3)) < 0.1);
    }
}
