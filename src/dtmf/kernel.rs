//! The Goertzel kernel: eight tones correlated with short sub-blocks of filtered samples, a lane for each tone.
//!
//! A sub-block is too short to tell tones apart; sums of sub-blocks are not. The correlations carry the phase of
//! the stream, so adding those of neighbouring sub-blocks gives the correlation (the Goertzel value) of the longer block.

use super::front_end;
use super::marks::Shares;
use super::past::{Past, STRETCH};
use super::simd::{self, LANES, Lanes, Vector};
use super::strongest::{GoneDown, Strongest, have_gone_down};
use super::sub_blocks::{BASIS, Basis, FoldedBlock, Last};
use super::{COLUMN_HZ, Digit, ROW_HZ};
use std::ops::Range;

pub(crate) use super::front_end::HOP;
pub(crate) use super::marks::Marks;

/// Four rows, then four columns.
pub(crate) const TONES: usize = 8;
/// Sub-blocks in the short coherent window: 12 ms.
pub(crate) const SHORT: usize = 3;
/// Filtered samples in the short coherent window.
pub(crate) const SHORT_SAMPLES: usize = SHORT * HOP;
/// Sub-blocks after which nothing that is told depends on those before them.
pub(crate) const FORGOTTEN: usize = 2 * SHORT;
/// Sub-blocks correlated in one go, at most: there is a bit of [`Marks`] for each.
pub(crate) const MOST: usize = front_end::MOST / HOP;

/// A number for each tone: a lane of a vector each.
pub(crate) type Tones = Lanes;
const _: () = assert!(TONES == LANES);

/// Nominal frequency of a tone in Hz.
pub(crate) fn tone_hz(tone: usize) -> f64 {
    if tone < 4 { ROW_HZ[tone] } else { COLUMN_HZ[tone - 4] }
}

/// Correlates sub-block after sub-block with the eight tones, and keeps what came of the last of them.
pub(crate) struct Kernel {
    basis: &'static Basis,
    past: Box<Past>,
    /// The sub-blocks being correlated.
    folded: Box<[FoldedBlock; MOST]>,
    shares: Box<Shares>,
    /// Of real and imaginary parts.
    sums: [Last<Tones>; 2],
    /// Where the next sub-block belongs in the past.
    place: usize,
    /// Sub-blocks so far: 64 bits, as 32 would do for 49 days only.
    count: u64,
}

impl Kernel {
    /// A kernel that looks for nothing where two short windows have less energy than `silence`, nor for pairs that sound with a
    /// ratio of powers, row over column, out of these bounds.
    pub(crate) fn new(silence: f32, ratio: [f32; 2]) -> Self {
        Self {
            basis: &BASIS,
            past: Box::new(Past::NOTHING),
            folded: Box::new([FoldedBlock::EMPTY; MOST]),
            shares: Box::new(Shares::new(silence, ratio)),
            sums: Default::default(),
            place: 0,
            count: 0,
        }
    }

    /// Correlates `new` sub-blocks. What stands behind them does not matter, but some must: up to whole times [`LANES`] of them.
    /// If nobody `asks_for_falls`, more are marked than there are.
    pub(crate) fn correlate(&mut self, samples: &[f32], new: usize, asks_for_falls: bool, simd: simd::Simd) -> Marks {
        if new == 0 {
            return Marks::default();
        }
        simd.run(Correlation { kernel: self, samples, new: new.min(MOST), asks_for_falls })
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

    /// The place of the newest sub-block. It may be none, as [`index`](super::past::index) goes round.
    #[inline(always)]
    fn newest(&self) -> usize {
        self.place.wrapping_sub(1)
    }

    /// Correlation of a tone with the short window that ended `back` sub-blocks ago, as (re, im).
    pub(crate) fn correlation(&self, back: usize, tone: usize) -> [f32; 2] {
        let [re, im] = self.past.correlations(self.newest(), back);
        [re[tone], im[tone]]
    }

    /// Squared magnitudes of the correlations.
    #[inline]
    pub(crate) fn powers(&self, back: usize) -> &Tones {
        self.past.powers(self.newest(), back)
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that ended `back` ago.
    pub(crate) fn peaks(&self, back: usize, simd: simd::Simd) -> Tones {
        self.past.peaks(self.newest(), back, simd)
    }

    /// How many sub-blocks ago, within a range, there was less than `expected` power in two tones together; the end of the range
    /// if there never was.
    pub(crate) fn back_to_less(&self, tones: [usize; 2], expected: f32, backs: Range<usize>) -> usize {
        self.past.back_to_less(self.newest(), tones, expected, backs)
    }

    /// The strongest row and column over the 24 ms that ended `back` sub-blocks ago.
    pub(crate) fn strongest(&self, back: usize, simd: simd::Simd) -> Digit {
        let [now, before] = [back, back + SHORT].map(|back| self.powers(back));
        simd.run(Strongest { now, before })
    }

    /// The row and the column that were the strongest over the 12 ms before those that ended `back` sub-blocks ago, if they have
    /// gone down since.
    pub(crate) fn gone_down(&self, back: usize, simd: simd::Simd) -> Option<Digit> {
        let [now, before] = [back, back + SHORT].map(|back| self.powers(back));
        simd.run(GoneDown { now, before })
    }

    /// Whether a row and a column are the strongest over the 24 ms that ended `back` sub-blocks ago.
    #[inline]
    pub(crate) fn are_strongest(&self, back: usize, [low, high]: [usize; 2]) -> bool {
        let (now, before) = (self.powers(back), self.powers(back + SHORT));
        [now[low] + before[low], now[high] + before[high]] == self.shares.strongest(self.newest(), back)
    }

    /// Energy of the short window that ended `back` sub-blocks ago.
    pub(crate) fn short_energy(&self, back: usize) -> f32 {
        self.shares.short_energy(self.newest(), back)
    }
}

struct Correlation<'a> {
    kernel: &'a mut Kernel,
    samples: &'a [f32],
    new: usize,
    asks_for_falls: bool,
}

impl simd::Kernel for Correlation<'_> {
    type Output = Marks;

    #[inline(always)]
    fn run<V: Vector>(self) -> Marks {
        let Self { kernel, samples, new, asks_for_falls } = self;
        // In this order: each step needs what those before it left, and the count stands where it was until they are kept.
        let sub_blocks = samples.as_chunks::<HOP>().0;
        for first in (0..new).step_by(LANES) {
            let mut energies = [V::splat(0.0); LANES];
            let groups =
                (sub_blocks[first..].first_chunk::<LANES>(), kernel.folded[first..].first_chunk_mut::<LANES>());
            if let (Some(samples), Some(folded)) = groups {
                for at in 0..LANES.min(new - first) {
                    energies[at] = folded[at].put(&samples[at]);
                }
            }
            kernel.shares.put_energies(kernel.place + first, V::sums_of_eights(energies));
        }
        kernel.correlate_folded::<V>(new);
        let marks = kernel.marks::<V>(new, asks_for_falls);
        kernel.count += new as u64;
        kernel.place += new;
        if kernel.place + MOST + LANES > STRETCH {
            kernel.bring_back();
        }
        marks
    }
}

impl Kernel {
    #[inline(always)]
    fn correlate_folded<V: Vector>(&mut self, new: usize) {
        let Self { basis, past, folded, sums: kept, count, place, .. } = self;
        let mut sums = [kept[0].load::<V>(), kept[1].load::<V>()];
        let loaded = basis.load::<V>();
        let (correlations, powers) = past.places_from(*place);
        let sub_blocks = basis.middles(*count).iter().zip(folded.iter());
        for ((middle, folded), (correlations, powers)) in sub_blocks.zip(correlations.iter_mut().zip(powers)).take(new)
        {
            let [re, im] = loaded.correlated(folded, middle);
            let (re, im) = (sums[0].sum_over_short(re), sums[1].sum_over_short(im));
            re.store(&mut correlations[0]);
            im.store(&mut correlations[1]);
            (re * re + im * im).store(powers);
        }
        for (sums, kept) in sums.iter().zip(kept) {
            sums.store(kept);
        }
    }
}

impl Kernel {
    /// What can be said of new sub-blocks.
    #[inline(always)]
    fn marks<V: Vector>(&mut self, new: usize, asks_for_falls: bool) -> Marks {
        let (mut found, mut fallen) = ([0u64; 3], if asks_for_falls { 0 } else { u64::MAX });
        for first in (0..new).step_by(LANES) {
            let place = self.place + first;
            let (now, before) = (self.past.eight_powers(place, 0), self.past.eight_powers(place, SHORT));
            let (mut short, mut both) = ([V::splat(0.0); LANES], [V::splat(0.0); LANES]);
            for at in 0..LANES {
                short[at] = V::load(&now[at]);
                both[at] = short[at] + V::load(&before[at]);
            }
            let bits = self.shares.put_powers(place, V::greatest_of_halves(short), V::greatest_of_halves(both));
            for (found, bits) in found.iter_mut().zip(bits) {
                *found |= u64::from(bits) << first;
            }
            if asks_for_falls && self.shares.held_before(found[1]) >> first & 0xff != 0 {
                fallen |= u64::from(have_gone_down::<V>(now, before, new - first)) << first;
            }
        }
        self.shares.marks(found, fallen, new)
    }
}

impl Kernel {
    #[cold]
    fn bring_back(&mut self) {
        self.past.bring_back(self.place);
        self.shares.bring_back(self.place);
        self.place = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::past::KNOWN;
    use super::*;
    use rustfft::{FftPlanner, num_complex::Complex};
    use std::f64::consts::TAU;

    /// Any ratio of powers.
    const ANY: [f32; 2] = [0.0, f32::MAX];

    fn noise(seed: u64, length: usize) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| rng.f32() - 0.5).collect()
    }

    fn hear(kernel: &mut Kernel, samples: &[f32], simd: simd::Simd) -> Marks {
        let mut all = samples.to_vec();
        all.resize(samples.len().next_multiple_of(LANES * HOP), f32::NAN);
        kernel.correlate(&all, samples.len() / HOP, true, simd)
    }

    /// The correlations with all samples of whole short windows.
    fn summed(samples: &[f32], simd: simd::Simd) -> [[f32; TONES]; 2] {
        let (mut kernel, mut sum) = (Kernel::new(1e-9, ANY), [[0f32; TONES]; 2]);
        for short in samples.as_chunks::<SHORT_SAMPLES>().0 {
            hear(&mut kernel, short, simd);
            let [re, im] = &mut sum;
            for (tone, (re, im)) in re.iter_mut().zip(im).enumerate() {
                let found = kernel.correlation(0, tone);
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
        let (mut wide, mut portable) = (Kernel::new(1e-9, ANY), Kernel::new(1e-9, ANY));
        for samples in samples.chunks(MOST * HOP) {
            let marks = hear(&mut wide, samples, simd::Simd::detect());
            let mut single = Marks::default();
            for (bit, block) in samples.chunks(HOP).enumerate() {
                let marks = hear(&mut portable, block, simd::Simd::Portable);
                single.pair |= marks.pair << bit;
                single.fallen |= marks.fallen << bit;
            }
            assert_eq!(marks, single);
        }
        for back in 0..KNOWN {
            assert_eq!(wide.powers(back), portable.powers(back));
            for tone in 0..TONES {
                assert_eq!(wide.correlation(back, tone), portable.correlation(back, tone));
            }
            assert_eq!(wide.short_energy(back), portable.short_energy(back));
        }
    }

    #[test]
    fn peaks_are_the_greatest_of_twelve_sub_blocks() {
        let mut kernel = Kernel::new(1e-9, ANY);
        for samples in noise(4, 10 * MOST * HOP).chunks(MOST * HOP) {
            hear(&mut kernel, samples, simd::Simd::detect());
        }
        for back in 0..50 {
            let peaks = kernel.peaks(back, simd::Simd::detect());
            for (tone, peak) in peaks.into_iter().enumerate() {
                let plain = (back..back + SHORT).map(|back| kernel.powers(back)[tone]).fold(0.0, f32::max);
                assert_eq!(peak, plain, "sub-block {back}, tone {tone}");
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
            let mut kernel = Kernel::new(silence, ANY);
            let mut marks = Marks::default();
            for _ in 0..4 {
                marks = hear(&mut kernel, &tones, simd::Simd::detect());
            }
            assert_eq!(marks.pair != 0, is_marked);
            let few = hear(&mut kernel, &tones[..3 * HOP], simd::Simd::detect());
            assert_eq!(few.pair, if is_marked { 0b111 } else { 0 });
            assert_eq!(few.fallen & !0b111, 0);
        }
    }

    #[test]
    fn marks_tell_a_pair_and_its_end() {
        let tone = |n: usize| (TAU * 770.0 * n as f64 / 4000.0).cos() + (TAU * 1336.0 * n as f64 / 4000.0).cos();
        let samples: Vec<f32> = (0..320).map(|n| if n < 160 { 0.1 * tone(n) as f32 } else { 0.0 }).collect();
        let mut kernel = Kernel::new(1e-9, ANY);
        let (mut pair, mut down) = (0u128, 0u128);
        for (at, block) in samples.chunks(HOP).enumerate() {
            let marks = hear(&mut kernel, block, simd::Simd::detect());
            pair |= u128::from(marks.pair) << at;
            assert!(marks.fallen == 0 || kernel.gone_down(0, simd::Simd::detect()) == Some(Digit::at(1, 1)));
            down |= u128::from(marks.fallen) << at;
        }
        let marked = |bits: u128| (0..20).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
        assert!((4..13).all(|hop| pair >> hop & 1 == 1), "{:?}", marked(pair));
        assert!(marked(pair).iter().all(|hop| *hop < 16), "{:?}", marked(pair));
        assert!(marked(down).iter().all(|hop| (10..16).contains(hop)) && marked(down).len() > 1, "{:?}", marked(down));
    }
}
