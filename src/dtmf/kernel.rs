//! The Goertzel kernel: eight tones correlated with short sub-blocks of filtered samples, a lane for each tone.
//!
//! A sub-block is too short to tell tones apart; sums of sub-blocks are not. The correlations carry the phase of
//! the stream, so adding those of neighbouring sub-blocks gives the correlation (the Goertzel value) of the longer block.

use super::front_end::WORKING_RATE;
use super::simd::{self, LANES, Lanes, Vector};
use super::{COLUMN_HZ, ROW_HZ};
use std::f64::consts::TAU;

pub(crate) use super::front_end::HOP;

/// Four rows, then four columns.
pub(crate) const TONES: usize = 8;
/// Sub-blocks in the short coherent window: 12 ms. The sums below are made for this number.
pub(crate) const SHORT: usize = 12;
/// Filtered samples in the short coherent window.
pub(crate) const SHORT_SAMPLES: usize = SHORT * HOP;
/// Sub-blocks kept: 256 ms.
pub(crate) const RING: usize = 256;
/// Sub-blocks correlated in one go, at most: there is a bit of [`Marks`] for each.
pub(crate) const MOST: usize = 64;
/// Sub-blocks whose least powers are kept, so that a search may pass over all of them.
pub(crate) const GROUP: usize = 8;
/// Sub-blocks the basis is tabulated for; behind them only its phase is turned.
const PLACES: usize = 8;
const _: () = assert!(RING.is_multiple_of(PLACES) && RING.is_multiple_of(GROUP));
/// Turns after which all phases repeat: one second, as all nominal frequencies are whole numbers.
const TURNS: usize = WORKING_RATE as usize / (PLACES * HOP);

/// Part of the band's energy the strongest pair must have to be looked at.
const PAIR_SHARE: f32 = 0.4;
/// The same before it went down, over 12 ms.
const DOWN_SHARE: f32 = 0.3;
/// Power now, as a part of the power 12 ms ago, from which a tone has gone down: -4 dB.
pub(crate) const DOWN: f32 = 0.4;

/// A number for each tone: a lane of a vector each.
pub(crate) type Tones = Lanes;
const _: () = assert!(TONES == LANES);
/// Real and imaginary parts for each tone.
type Parts = [Tones; 2];

/// Nominal frequency of a tone in Hz.
pub(crate) fn tone_hz(tone: usize) -> f64 {
    if tone < 4 { ROW_HZ[tone] } else { COLUMN_HZ[tone - 4] }
}

/// Sub-blocks, of those correlated in one go, of which something can be said: bit `n` for the `n`-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A row and a column hold a fair share of the last 24 ms.
    pub(crate) pair: u64,
    /// The strongest row and column of 12 ms ago have gone down.
    pub(crate) down: u64,
}

/// Correlates sub-block after sub-block with the eight tones, and keeps what came of the last [`RING`] of them.
pub(crate) struct Kernel {
    /// `exp(-i w n)` for the samples `n` of [`PLACES`] sub-blocks.
    basis: Box<[[Parts; HOP]; PLACES]>,
    /// The phase each turn of a second begins with.
    turns: Box<[Parts; TURNS]>,
    turn: usize,
    /// Of real parts, imaginary parts and energies; those are the same in each lane.
    sums: [Sliding; 3],
    peak_sums: Sliding,
    /// Correlations with the short window that ends with a sub-block: `sum(x[n] * exp(-i w n))`, `n` counted from the start
    /// of the stream.
    correlations: Box<[Parts; RING]>,
    /// Their squared magnitudes.
    powers: Box<[Tones; RING]>,
    /// The greatest of the powers of each tone over the last short window.
    peaks: Box<[Tones; RING]>,
    /// The least of each [`GROUP`] of them.
    floors: Box<[Tones; RING / GROUP]>,
    /// Energy of the same windows.
    short_energies: Box<[f32; RING]>,
    /// Energy of each sub-block, twice, `RING` apart, so that any past is one slice.
    energies: Box<[f32; 2 * RING]>,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
    /// Sub-blocks so far: 64 bits, as 32 would do for 49 days only.
    count: u64,
    /// Where the next one's results go in the rings.
    slot: usize,
}

/// What sums over sub-blocks are made of: the last one, pairs and fours.
#[derive(Default)]
struct Sliding {
    one: Tones,
    twos: [Tones; 2],
    fours: [Tones; 8],
}

impl Sliding {
    /// Sum over the `SHORT` sub-blocks that end with this one, the `at`-th.
    #[inline(always)]
    fn sum_over_short<V: Vector>(&mut self, one: V, at: usize) -> V {
        self.over_short(one, at, V::add)
    }

    /// The greatest over them.
    #[inline(always)]
    fn greatest_over_short<V: Vector>(&mut self, one: V, at: usize) -> V {
        self.over_short(one, at, V::greater)
    }

    #[inline(always)]
    fn over_short<V: Vector>(&mut self, one: V, at: usize, of: impl Fn(V, V) -> V) -> V {
        let two = of(one, V::load(&self.one));
        let four = of(two, V::load(&self.twos[at % 2]));
        let short = of(of(four, V::load(&self.fours[(at + 4) % 8])), V::load(&self.fours[at % 8]));
        one.store(&mut self.one);
        two.store(&mut self.twos[at % 2]);
        four.store(&mut self.fours[at % 8]);
        short
    }
}

impl Kernel {
    /// A kernel that looks for nothing where two short windows have less energy than `silence`.
    pub(crate) fn new(silence: f32) -> Self {
        let parts = |sample: usize| {
            let angle = |tone: usize| TAU * tone_hz(tone) * sample as f64 / f64::from(WORKING_RATE);
            [
                std::array::from_fn(|tone| angle(tone).cos() as f32),
                std::array::from_fn(|tone| -angle(tone).sin() as f32),
            ]
        };
        let place = |place: usize| std::array::from_fn(|sample| parts(place * HOP + sample));
        Self {
            basis: Box::new(std::array::from_fn(place)),
            turns: Box::new(std::array::from_fn(|turn| parts(turn * PLACES * HOP))),
            turn: 0,
            sums: Default::default(),
            correlations: Box::new([[[0.0; TONES]; 2]; RING]),
            powers: Box::new([[0.0; TONES]; RING]),
            peak_sums: Sliding::default(),
            peaks: Box::new([[0.0; TONES]; RING]),
            floors: Box::new([[0.0; TONES]; RING / GROUP]),
            short_energies: Box::new([0.0; RING]),
            energies: Box::new([0.0; 2 * RING]),
            silence,
            count: 0,
            slot: 0,
        }
    }

    /// Correlates up to [`MOST`] whole sub-blocks.
    pub(crate) fn correlate(&mut self, samples: &[f32], simd: simd::Simd) -> Marks {
        debug_assert!(samples.len().is_multiple_of(HOP) && samples.len() <= MOST * HOP);
        simd.run(Correlation { kernel: self, samples })
    }

    /// Keeps what came of a sub-block, its energy and that of the short window that ends with it, and goes on.
    #[inline(always)]
    fn keep<V: Vector>(&mut self, [re, im]: [V; 2], powers: V, [energy, short]: [f32; 2]) {
        let at = self.slot;
        re.store(&mut self.correlations[at][0]);
        im.store(&mut self.correlations[at][1]);
        powers.store(&mut self.powers[at]);
        self.peak_sums.greatest_over_short(powers, at).store(&mut self.peaks[at]);
        let floor = &mut self.floors[at / GROUP];
        let least = if at.is_multiple_of(GROUP) { powers } else { powers.lesser(V::load(floor)) };
        least.store(floor);
        self.short_energies[at] = short;
        self.energies[at] = energy;
        self.energies[at + RING] = energy;
        self.count += 1;
        self.slot = (self.slot + 1) % RING;
        if self.slot.is_multiple_of(PLACES) {
            self.turn = if self.turn + 1 == TURNS { 0 } else { self.turn + 1 };
        }
    }

    /// Sub-blocks so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Correlation of a tone with the short window that ends with the `n`-th sub-block, as (re, im).
    pub(crate) fn correlation(&self, n: u64, tone: usize) -> [f32; 2] {
        self.correlations[slot(n)].map(|part| part[tone])
    }

    /// Squared magnitudes of the correlations.
    pub(crate) fn powers(&self, n: u64) -> &Tones {
        &self.powers[slot(n)]
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that end with the `n`-th.
    pub(crate) fn peaks(&self, n: u64) -> &Tones {
        &self.peaks[slot(n)]
    }

    /// The least powers of each tone in the [`GROUP`] of sub-blocks that ends with the `n`-th, if one does.
    pub(crate) fn floors(&self, n: u64) -> Option<&Tones> {
        (slot(n) % GROUP == GROUP - 1).then(|| &self.floors[slot(n) / GROUP])
    }

    /// Energies of the `most` sub-blocks up to the `n`-th, the newest last.
    pub(crate) fn energies(&self, n: u64, most: usize) -> &[f32] {
        let end = slot(n) + 1 + RING;
        &self.energies[end - most..end]
    }
}

/// Where the results of the `n`-th sub-block are in the rings.
fn slot(n: u64) -> usize {
    (n % RING as u64) as usize
}

struct Correlation<'a> {
    kernel: &'a mut Kernel,
    samples: &'a [f32],
}

impl simd::Kernel for Correlation<'_> {
    type Output = Marks;

    #[inline(always)]
    fn run<V: Vector>(self) -> Marks {
        let Self { kernel, samples } = self;
        let mut marks = Marks::default();
        for (bit, block) in samples.as_chunks::<HOP>().0.iter().enumerate() {
            let at = kernel.slot;
            let [re, im] = turned(correlated::<V>(block, &kernel.basis[at % PLACES]), &kernel.turns[kernel.turn]);
            let energy = block.iter().fold(0.0, |energy, x| energy + x * x);
            let [sums_re, sums_im, sums_energy] = &mut kernel.sums;
            let (re, im) = (sums_re.sum_over_short(re, at), sums_im.sum_over_short(im, at));
            let short = sums_energy.sum_over_short(V::splat(energy), at).first();
            let now = re * re + im * im;
            let earlier = (at + RING - SHORT) % RING;
            let (before, energy_before) = (V::load(&kernel.powers[earlier]), kernel.short_energies[earlier]);
            if short + energy_before >= kernel.silence {
                marks.pair |= u64::from(has_pair(now + before, short + energy_before)) << bit;
                marks.down |= u64::from(is_down(now, before, energy_before)) << bit;
            }
            kernel.keep([re, im], now, [energy, short]);
        }
        marks
    }
}

#[inline(always)]
fn correlated<V: Vector>(block: &[f32; HOP], basis: &[Parts; HOP]) -> [V; 2] {
    let mut sums = [V::splat(0.0); 2];
    for (sample, [re, im]) in block.iter().zip(basis) {
        let sample = V::splat(*sample);
        sums = [sums[0] + sample * V::load(re), sums[1] + sample * V::load(im)];
    }
    sums
}

#[inline(always)]
fn turned<V: Vector>([re, im]: [V; 2], [cos, sin]: &Parts) -> [V; 2] {
    let (cos, sin) = (V::load(cos), V::load(sin));
    [re * cos - im * sin, re * sin + im * cos]
}

/// Whether a row and a column hold a fair share of the energy of the last 24 ms.
#[inline(always)]
fn has_pair<V: Vector>(powers: V, energy: f32) -> bool {
    let [row, column] = powers.greatest_of_halves();
    // A tone's correlation power over two short windows is its energy times half a short window.
    const ENOUGH: f32 = PAIR_SHARE * 0.5 * SHORT_SAMPLES as f32;
    row + column > ENOUGH * energy
}

/// Whether the strongest row and the strongest column of 12 ms ago, which held a fair share of the energy then, have both
/// gone down.
#[inline(always)]
fn is_down<V: Vector>(now: V, before: V, energy: f32) -> bool {
    let fallen = now.if_less(V::splat(DOWN) * before, before, V::splat(-1.0));
    let [row, column] = before.greatest_of_halves();
    const ENOUGH: f32 = DOWN_SHARE * 0.5 * SHORT_SAMPLES as f32;
    (fallen.greatest_of_halves() == [row, column]) & (row + column > ENOUGH * energy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustfft::{FftPlanner, num_complex::Complex};

    fn noise(seed: u64, length: usize) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| rng.f32() - 0.5).collect()
    }

    /// The correlations with all samples of whole short windows.
    fn summed(samples: &[f32], simd: simd::Simd) -> [[f32; TONES]; 2] {
        let (mut kernel, mut sum) = (Kernel::new(1e-9), [[0f32; TONES]; 2]);
        for short in samples.as_chunks::<SHORT_SAMPLES>().0 {
            kernel.correlate(short, simd);
            let [re, im] = &mut sum;
            for (tone, (re, im)) in re.iter_mut().zip(im).enumerate() {
                let found = kernel.correlation(kernel.count() - 1, tone);
                (*re, *im) = (*re + found[0], *im + found[1]);
            }
        }
        sum
    }

    #[test]
    fn sums_of_sub_blocks_equal_the_plain_formula_within_one_part_in_a_million() {
        let samples = noise(1, 40 * SHORT_SAMPLES);
        let [re, im] = summed(&samples, simd::Simd::detect());
        for tone in 0..TONES {
            let angle = |n: usize| TAU * tone_hz(tone) * n as f64 / 4000.0;
            let plain_re: f64 = samples.iter().enumerate().map(|(n, x)| f64::from(*x) * angle(n).cos()).sum();
            let plain_im: f64 = samples.iter().enumerate().map(|(n, x)| -f64::from(*x) * angle(n).sin()).sum();
            assert!((f64::from(re[tone]) - plain_re).abs() < 1920.0 * 1e-6, "tone {tone}");
            assert!((f64::from(im[tone]) - plain_im).abs() < 1920.0 * 1e-6, "tone {tone}");
        }
    }

    #[test]
    fn a_one_second_block_equals_the_fft_bin() {
        // 4000 samples: every nominal frequency is exactly a bin. 3984 are whole short windows, the rest is silence.
        let mut samples = noise(2, 4000);
        samples[3984..].fill(0.0);
        let mut spectrum: Vec<Complex<f64>> = samples.iter().map(|x| Complex::new(f64::from(*x), 0.0)).collect();
        FftPlanner::new().plan_fft_forward(4000).process(&mut spectrum);
        let [re, im] = summed(&samples, simd::Simd::detect());
        for tone in 0..TONES {
            let bin = spectrum[tone_hz(tone) as usize];
            assert!((f64::from(re[tone]) - bin.re).abs() < 4e-3 && (f64::from(im[tone]) - bin.im).abs() < 4e-3);
        }
    }

    #[test]
    fn neither_registers_nor_pieces_matter() {
        let samples = noise(3, 40 * MOST * HOP);
        let (mut wide, mut portable) = (Kernel::new(1e-9), Kernel::new(1e-9));
        for samples in samples.chunks(MOST * HOP) {
            let marks = wide.correlate(samples, simd::Simd::detect());
            let mut single = Marks::default();
            for (bit, block) in samples.chunks(HOP).enumerate() {
                let marks = portable.correlate(block, simd::Simd::Portable);
                single.pair |= marks.pair << bit;
                single.down |= marks.down << bit;
            }
            assert_eq!(marks, single);
        }
        assert_eq!((wide.correlations, wide.powers), (portable.correlations, portable.powers));
        assert_eq!(wide.energies, portable.energies);
    }

    #[test]
    fn marks_tell_a_pair_and_its_end() {
        let tone = |n: usize| (TAU * 770.0 * n as f64 / 4000.0).cos() + (TAU * 1336.0 * n as f64 / 4000.0).cos();
        let samples: Vec<f32> = (0..320).map(|n| if n < 160 { 0.1 * tone(n) as f32 } else { 0.0 }).collect();
        let mut kernel = Kernel::new(1e-9);
        let (mut pair, mut down) = (0u128, 0u128);
        for (at, block) in samples.chunks(HOP).enumerate() {
            let marks = kernel.correlate(block, simd::Simd::detect());
            pair |= u128::from(marks.pair) << at;
            down |= u128::from(marks.down) << at;
        }
        let marked = |bits: u128| (0..80).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
        assert!((16..55).all(|hop| pair >> hop & 1 == 1), "{:?}", marked(pair));
        assert!(marked(pair).iter().all(|hop| *hop < 64), "{:?}", marked(pair));
        assert!(marked(down).iter().all(|hop| (42..64).contains(hop)) && marked(down).len() > 6, "{:?}", marked(down));
    }
}
