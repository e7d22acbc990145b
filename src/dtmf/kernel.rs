//! The Goertzel kernel: eight tones correlated with short sub-blocks of filtered samples, a lane for each tone.
//!
//! A sub-block is too short to tell tones apart; sums of sub-blocks are not. The correlations carry the phase of
//! the stream, so adding those of neighbouring sub-blocks gives the correlation (the Goertzel value) of the longer block.

use super::front_end::{self, Filtered};
use super::marks::{Held, Shares};
use super::rings::{CORRELATIONS, RING, Rings, slot};
use super::simd::{self, LANES, Lanes, Vector};
use super::sub_blocks::{BASIS, Basis, FoldedBlocks, Running, Sliding};
use super::{COLUMN_HZ, Digit, ROW_HZ};
use std::ops::Range;

pub(crate) use super::front_end::HOP;
pub(crate) use super::marks::Marks;

/// Four rows, then four columns.
pub(crate) const TONES: usize = 8;
/// Sub-blocks in the short coherent window: 12 ms. The sums below are made for this number.
pub(crate) const SHORT: usize = 12;
/// Filtered samples in the short coherent window.
pub(crate) const SHORT_SAMPLES: usize = SHORT * HOP;
/// Sub-blocks after which nothing that is told depends on those before them.
pub(crate) const FORGOTTEN: usize = 2 * SHORT;
/// Sub-blocks correlated in one go, at most: there is a bit of [`Marks`] for each.
pub(crate) const MOST: usize = front_end::MOST / HOP;

/// Power now, as a part of the power 12 ms ago, from which a tone has gone down: -4 dB.
const DOWN: f32 = 0.4;

/// A number for each tone: a lane of a vector each.
pub(crate) type Tones = Lanes;
const _: () = assert!(TONES == LANES);

/// Nominal frequency of a tone in Hz.
pub(crate) fn tone_hz(tone: usize) -> f64 {
    if tone < 4 { ROW_HZ[tone] } else { COLUMN_HZ[tone - 4] }
}

/// Correlates sub-block after sub-block with the eight tones, and keeps what came of the last [`RING`] of them.
pub(crate) struct Kernel {
    basis: &'static Basis,
    rings: Box<Rings>,
    /// The sub-blocks being correlated.
    folded: Box<FoldedBlocks>,
    shares: Box<Shares>,
    /// Of real and imaginary parts.
    sums: [Sliding; 2],
    /// Sub-blocks so far: 64 bits, as 32 would do for 49 days only.
    count: u64,
}

impl Kernel {
    /// A kernel that looks for nothing where two short windows have less energy than `silence`.
    pub(crate) fn new(silence: f32) -> Self {
        Self {
            basis: &BASIS,
            rings: Box::new(Rings::new()),
            folded: Box::new(FoldedBlocks::EMPTY),
            shares: Box::new(Shares::new(silence)),
            sums: Default::default(),
            count: 0,
        }
    }

    /// Correlates `new` sub-blocks. What stands behind them does not matter.
    pub(crate) fn correlate(&mut self, samples: &Filtered, new: usize, simd: simd::Simd) -> Marks {
        if new == 0 { Marks::default() } else { simd.run(Correlation { kernel: self, samples, new: new.min(MOST) }) }
    }

    /// Sub-blocks so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Goes on by so many sub-blocks without hearing them. What is kept of the last ones is then of others.
    pub(crate) fn pass(&mut self, hops: usize) {
        self.count += hops as u64;
    }

    /// Goes back by so many sub-blocks, to hear them again. If it never heard them, what is told of the first
    /// [`FORGOTTEN`] is wrong, and of those behind them right.
    pub(crate) fn go_back(&mut self, hops: usize) {
        self.count -= hops as u64;
    }

    /// Correlation of a tone with the short window that ends with the `n`-th sub-block, as (re, im).
    pub(crate) fn correlation(&self, n: u64, tone: usize) -> [f32; 2] {
        let [re, im] = &self.rings.correlations[n as usize % CORRELATIONS];
        [re[tone], im[tone]]
    }

    /// Squared magnitudes of the correlations.
    pub(crate) fn powers(&self, n: u64) -> &Tones {
        &self.rings.powers[slot(n)]
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that end with the `n`-th.
    pub(crate) fn peaks(&self, n: u64, simd: simd::Simd) -> Tones {
        self.rings.peaks(n, simd)
    }

    /// Sub-blocks back from the `n`-th, `from` or more and at most `most`, to the first with less than `expected` power in
    /// two tones together.
    pub(crate) fn back_to_less(&self, n: u64, tones: [usize; 2], expected: f32, backs: Range<usize>) -> usize {
        self.rings.back_to_less(n, tones, expected, backs)
    }

    /// The strongest row and column over the 24 ms that end with the `n`-th sub-block, which is marked for its pair.
    pub(crate) fn strongest(&self, n: u64) -> Digit {
        digit_of(self.rings.strongest[slot(n)])
    }

    /// The row and the column that were the strongest 12 ms before, if they have gone down by the `n`-th sub-block, which is
    /// marked for that.
    pub(crate) fn gone_down(&self, n: u64) -> Option<Digit> {
        let bits = self.rings.gone_down[slot(n)];
        has_row_and_column(bits).then(|| digit_of(bits))
    }

    /// Energy of the short window that ends with the `n`-th sub-block.
    pub(crate) fn short_energy(&self, n: u64) -> f32 {
        self.rings.short_energies[slot(n)]
    }

    /// Energies of the `most` sub-blocks up to the `n`-th, the newest last.
    pub(crate) fn energies(&self, n: u64, most: usize) -> &[f32] {
        self.rings.energies(n, most)
    }
}

/// The strongest row and column, bit `n` for tone `n`.
#[inline(always)]
fn strongest<V: Vector>(powers: V) -> u8 {
    !powers.less(powers.greatest_of_half())
}

/// The numbers of the bits that are set, in order.
#[inline(always)]
fn set_bits(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (at < u64::BITS).then_some(at)
    })
}

/// Whether there is a row's bit and a column's.
fn has_row_and_column(bits: u8) -> bool {
    bits & 0x0f != 0 && bits & 0xf0 != 0
}

/// The first row and the first column of those that have their bits set.
fn digit_of(bits: u8) -> Digit {
    let first = |bits: u8| (bits & 0x0f).trailing_zeros() as usize % (TONES / 2);
    Digit::at(first(bits), first(bits >> 4))
}

struct Correlation<'a> {
    kernel: &'a mut Kernel,
    samples: &'a Filtered,
    new: usize,
}

impl simd::Kernel for Correlation<'_> {
    type Output = Marks;

    #[inline(always)]
    fn run<V: Vector>(self) -> Marks {
        let Self { kernel, samples, new } = self;
        // In this order: each step needs what those before it left, and the count stands where it was until they are kept.
        let groups = samples.as_chunks::<{ LANES * HOP }>().0.iter().take(new.div_ceil(LANES));
        for (group, first) in groups.zip((0..).step_by(LANES)) {
            let energies = kernel.folded.put::<V>(group, first);
            kernel.shares.put_energies(first, energies);
        }
        kernel.correlate_folded::<V>(new);
        let marks = kernel.marks::<V>(new);
        kernel.rings.keep_energies(kernel.count, kernel.shares.energies(new));
        let first = kernel.count;
        kernel.count += new as u64;
        kernel.rings.keep_floors::<V>(first..kernel.count);
        kernel.shares.go_on(new);
        marks
    }
}

impl Kernel {
    #[inline(always)]
    fn correlate_folded<V: Vector>(&mut self, new: usize) {
        let Self { basis, rings, folded, shares, sums: kept, count } = self;
        let (rings, shares) = (&mut **rings, &mut **shares);
        let functions = basis.functions::<V>();
        let mut sums = [Running::load(&kept[0]), Running::load(&kept[1])];
        for (at, middle) in basis.middles(*count).iter().enumerate().take(new) {
            let n = (*count as usize).wrapping_add(at);
            let [re, im] = folded.correlated::<V>(at, &functions, middle);
            let re = sums[0].sum_over_short(re, &mut kept[0].fours, n);
            let im = sums[1].sum_over_short(im, &mut kept[1].fours, n);
            re.store(&mut rings.correlations[n % CORRELATIONS][0]);
            im.store(&mut rings.correlations[n % CORRELATIONS][1]);
            let (slot, earlier) = (n % RING, n.wrapping_sub(SHORT) % RING);
            let (now, before) = (re * re + im * im, V::load(&rings.powers[earlier]));
            now.store(&mut rings.powers[slot]);
            shares.put_powers(at, V::greatest_sums(now, now + before));
        }
        for (sums, kept) in sums.iter().zip(kept) {
            sums.store(kept);
        }
    }

    /// What can be said of new sub-blocks.
    #[inline(always)]
    fn marks<V: Vector>(&mut self, new: usize) -> Marks {
        let Held { now: pair, before: held } = self.shares.held::<V>(new);
        let (rings, mut down) = (&mut *self.rings, 0);
        for at in set_bits(pair) {
            let n = self.count + u64::from(at);
            let (now, before) = rings.powers_around::<V>(n);
            rings.strongest[slot(n)] = strongest(now + before);
        }
        for at in set_bits(held) {
            let n = self.count + u64::from(at);
            let (now, before) = rings.powers_around::<V>(n);
            let gone_down = now.less(V::splat(DOWN) * before) & strongest(before);
            rings.gone_down[slot(n)] = gone_down;
            down |= u64::from(has_row_and_column(gone_down)) << at;
        }
        Marks { pair, down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustfft::{FftPlanner, num_complex::Complex};
    use std::f64::consts::TAU;

    fn noise(seed: u64, length: usize) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| rng.f32() - 0.5).collect()
    }

    /// Samples for [`Kernel::correlate`], and the sub-blocks they are.
    fn with_rest(samples: &[f32]) -> (Filtered, usize) {
        let mut all: Filtered = [f32::NAN; _];
        all[..samples.len()].copy_from_slice(samples);
        (all, samples.len() / HOP)
    }

    fn hear(kernel: &mut Kernel, samples: &[f32], simd: simd::Simd) -> Marks {
        let (samples, new) = with_rest(samples);
        kernel.correlate(&samples, new, simd)
    }

    /// The correlations with all samples of whole short windows.
    fn summed(samples: &[f32], simd: simd::Simd) -> [[f32; TONES]; 2] {
        let (mut kernel, mut sum) = (Kernel::new(1e-9), [[0f32; TONES]; 2]);
        for short in samples.as_chunks::<SHORT_SAMPLES>().0 {
            hear(&mut kernel, short, simd);
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
            let marks = hear(&mut wide, samples, simd::Simd::detect());
            let mut single = Marks::default();
            for (bit, block) in samples.chunks(HOP).enumerate() {
                let marks = hear(&mut portable, block, simd::Simd::Portable);
                single.pair |= marks.pair << bit;
                single.down |= marks.down << bit;
            }
            assert_eq!(marks, single);
        }
        assert!(wide.rings == portable.rings);
    }

    #[test]
    fn peaks_are_the_greatest_of_twelve_sub_blocks() {
        let mut kernel = Kernel::new(1e-9);
        for samples in noise(4, 10 * MOST * HOP).chunks(MOST * HOP) {
            hear(&mut kernel, samples, simd::Simd::detect());
        }
        for n in (kernel.count() - 100..kernel.count()).rev() {
            let peaks = kernel.peaks(n, simd::Simd::detect());
            for (tone, peak) in peaks.into_iter().enumerate() {
                let plain = (0..SHORT as u64).map(|back| kernel.powers(n - back)[tone]).fold(0.0, f32::max);
                assert_eq!(peak, plain, "sub-block {n}, tone {tone}");
            }
        }
    }

    #[test]
    fn nothing_is_marked_in_silence_nor_beyond_what_is_new() {
        let tones: Vec<f32> = (0..MOST * HOP)
            .map(|n| (TAU * 770.0 * n as f64 / 4000.0).cos() + (TAU * 1336.0 * n as f64 / 4000.0).cos())
            .map(|x| x as f32)
            .collect();
        let two_windows = 2.0 * SHORT_SAMPLES as f32;
        for (silence, is_marked) in [(0.5 * two_windows, true), (2.0 * two_windows, false)] {
            let mut kernel = Kernel::new(silence);
            let mut marks = Marks::default();
            for _ in 0..4 {
                marks = hear(&mut kernel, &tones, simd::Simd::detect());
            }
            assert_eq!(marks.pair != 0, is_marked);
            let few = hear(&mut kernel, &tones[..3 * HOP], simd::Simd::detect());
            assert_eq!(few.pair, if is_marked { 0b111 } else { 0 });
            assert_eq!(few.down & !0b111, 0);
        }
    }

    #[test]
    fn marks_tell_a_pair_and_its_end() {
        let tone = |n: usize| (TAU * 770.0 * n as f64 / 4000.0).cos() + (TAU * 1336.0 * n as f64 / 4000.0).cos();
        let samples: Vec<f32> = (0..320).map(|n| if n < 160 { 0.1 * tone(n) as f32 } else { 0.0 }).collect();
        let mut kernel = Kernel::new(1e-9);
        let (mut pair, mut down) = (0u128, 0u128);
        for (at, block) in samples.chunks(HOP).enumerate() {
            let marks = hear(&mut kernel, block, simd::Simd::detect());
            pair |= u128::from(marks.pair) << at;
            down |= u128::from(marks.down) << at;
        }
        let marked = |bits: u128| (0..80).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
        assert!((16..55).all(|hop| pair >> hop & 1 == 1), "{:?}", marked(pair));
        assert!(marked(pair).iter().all(|hop| *hop < 64), "{:?}", marked(pair));
        assert!(marked(down).iter().all(|hop| (42..64).contains(hop)) && marked(down).len() > 6, "{:?}", marked(down));
    }
}
