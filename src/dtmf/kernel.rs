//! The Goertzel kernel: eight tones correlated with short sub-blocks of filtered samples, eight sub-blocks at once.
//!
//! A sub-block is too short to tell tones apart; sums of sub-blocks are not. The correlations carry the phase of
//! the stream, so adding those of neighbouring sub-blocks gives the correlation (the Goertzel value) of the longer block.
//! Every lane of a batch is one sub-block, so a batch is the same whether its samples come at once or one by one.
#![expect(clippy::needless_range_loop, reason = "a loop over lanes is what becomes one instruction")]

use super::front_end::{BATCH, WORKING_RATE};
use super::simd;
use super::{COLUMN_HZ, ROW_HZ};
use std::f64::consts::TAU;

/// Filtered samples in a sub-block: 1 ms.
pub(crate) const HOP: usize = 4;
/// Sub-blocks in a batch.
pub(crate) const LANES: usize = BATCH / HOP;
/// Four rows, then four columns.
pub(crate) const TONES: usize = 8;
/// Sub-blocks in the short coherent window: 12 ms. The sums below are made for this number.
pub(crate) const SHORT: usize = 12;
/// Filtered samples in the short coherent window.
pub(crate) const SHORT_SAMPLES: usize = SHORT * HOP;
/// Batches after which all phases repeat: one second, as all nominal frequencies are whole numbers.
const TURNS: usize = WORKING_RATE as usize / BATCH;

/// Part of the band's energy the strongest pair must have to be looked at.
const PAIR_SHARE: f32 = 0.4;
/// Energy of the last 24 ms below which nothing is looked for; far below -60 dBm0.
const SILENCE: f32 = 1e-9;
/// Power now, as a part of the power 12 ms ago, from which a tone has gone down: -4 dB.
pub(crate) const DOWN: f32 = 0.4;

/// One number for each sub-block of a batch.
pub(crate) type Lanes = [f32; LANES];

/// Nominal frequency of a tone in Hz.
pub(crate) fn tone_hz(tone: usize) -> f64 {
    if tone < 4 { ROW_HZ[tone] } else { COLUMN_HZ[tone - 4] }
}

/// What the kernel tells of a batch; all but `energy` for the short window that ends with each sub-block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batch {
    /// Correlations with each tone, `sum(x[n] * exp(-i w n))` with `n` counted from the start of the stream.
    pub(crate) re: [Lanes; TONES],
    pub(crate) im: [Lanes; TONES],
    /// Their squared magnitudes.
    pub(crate) power: [Lanes; TONES],
    /// Energy of each sub-block.
    pub(crate) energy: Lanes,
    /// Whether a row and a column hold a fair share of the last 24 ms: bit `n` for sub-block `n`.
    pub(crate) pair: u8,
    /// Whether the strongest row and the strongest column of 12 ms ago have both gone down.
    pub(crate) down: u8,
}

impl Batch {
    const SILENT: Self = Self {
        re: [[0.0; LANES]; TONES],
        im: [[0.0; LANES]; TONES],
        power: [[0.0; LANES]; TONES],
        energy: [0.0; LANES],
        pair: 0,
        down: 0,
    };
}

/// Correlates batch after batch with the eight tones.
pub(crate) struct Kernel {
    /// `exp(-i w n)` for the samples `n` of a batch: by tone, sample of the sub-block, part; a lane for each sub-block.
    basis: Box<[[[Lanes; 2]; HOP]; TONES]>,
    /// The phase each batch of a second begins with.
    turns: Box<[[[f32; 2]; TONES]; TURNS]>,
    turn: usize,
    correlations: Box<[[Sliding; 2]; TONES]>,
    energies: Sliding,
    /// Powers and energies of short windows, of the two batches before and the batch at hand.
    powers: Box<[[f32; 3 * LANES]; TONES]>,
    short_energies: [f32; 3 * LANES],
    batch: Batch,
}

/// What sums over sub-blocks are made of: single ones, pairs and fours of the batch before and the batch at hand.
#[derive(Clone, Copy)]
struct Sliding {
    ones: [f32; 2 * LANES],
    twos: [f32; 2 * LANES],
    fours: [f32; 2 * LANES],
}

impl Sliding {
    const SILENT: Self = Self { ones: [0.0; 2 * LANES], twos: [0.0; 2 * LANES], fours: [0.0; 2 * LANES] };

    /// Sums over the `SHORT` sub-blocks that end with each of the batch at hand.
    #[inline(always)]
    fn over_short(&mut self, blocks: &Lanes) -> Lanes {
        self.ones[LANES..].copy_from_slice(blocks);
        for lane in LANES..2 * LANES {
            self.twos[lane] = self.ones[lane] + self.ones[lane - 1];
        }
        for lane in LANES..2 * LANES {
            self.fours[lane] = self.twos[lane] + self.twos[lane - 2];
        }
        let mut sums = [0f32; LANES];
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = self.fours[LANES + lane] + self.fours[LANES + lane - 4] + self.fours[lane];
        }
        sums
    }

    fn next_batch(&mut self) {
        self.ones.copy_within(LANES.., 0);
        self.twos.copy_within(LANES.., 0);
        self.fours.copy_within(LANES.., 0);
    }
}

impl Kernel {
    pub(crate) fn new() -> Self {
        let part = |hz: f64, sample: usize| {
            let angle = TAU * hz * sample as f64 / f64::from(WORKING_RATE);
            [angle.cos() as f32, -angle.sin() as f32]
        };
        let mut basis = Box::new([[[[0.0; LANES]; 2]; HOP]; TONES]);
        let mut turns = Box::new([[[0.0; 2]; TONES]; TURNS]);
        for tone in 0..TONES {
            for sample in 0..BATCH {
                let [re, im] = part(tone_hz(tone), sample);
                basis[tone][sample % HOP][0][sample / HOP] = re;
                basis[tone][sample % HOP][1][sample / HOP] = im;
            }
            for (turn, tones) in turns.iter_mut().enumerate() {
                tones[tone] = part(tone_hz(tone), turn * BATCH);
            }
        }
        Self {
            basis,
            turns,
            turn: 0,
            correlations: Box::new([[Sliding::SILENT; 2]; TONES]),
            energies: Sliding::SILENT,
            powers: Box::new([[0.0; 3 * LANES]; TONES]),
            short_energies: [0.0; 3 * LANES],
            batch: Batch::SILENT,
        }
    }

    /// Correlates the batch at hand; lanes of sub-blocks that are not complete mean nothing.
    pub(crate) fn correlate(&mut self, samples: &[f32; BATCH], simd: simd::Simd) -> &Batch {
        simd.run(Correlation { kernel: self, samples });
        &self.batch
    }

    /// Goes on to the next batch.
    pub(crate) fn next_batch(&mut self) {
        self.turn = (self.turn + 1) % TURNS;
        self.correlations.iter_mut().flatten().for_each(Sliding::next_batch);
        self.energies.next_batch();
        self.powers.iter_mut().for_each(|powers| powers.copy_within(LANES.., 0));
        self.short_energies.copy_within(LANES.., 0);
    }
}

struct Correlation<'a> {
    kernel: &'a mut Kernel,
    samples: &'a [f32; BATCH],
}

impl simd::Kernel for Correlation<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { kernel, samples } = self;
        let mut by_place = [[0f32; LANES]; HOP];
        for (lane, block) in samples.as_chunks::<HOP>().0.iter().enumerate() {
            for place in 0..HOP {
                by_place[place][lane] = block[place];
            }
        }
        let batch = &mut kernel.batch;
        for tone in 0..TONES {
            let [re, im] = turned(correlated(&by_place, &kernel.basis[tone]), kernel.turns[kernel.turn][tone]);
            let [sliding_re, sliding_im] = &mut kernel.correlations[tone];
            let (re, im) = (sliding_re.over_short(&re), sliding_im.over_short(&im));
            (batch.re[tone], batch.im[tone]) = (re, im);
            for lane in 0..LANES {
                batch.power[tone][lane] = re[lane] * re[lane] + im[lane] * im[lane];
            }
            kernel.powers[tone][2 * LANES..].copy_from_slice(&batch.power[tone]);
        }
        batch.energy = [0.0; LANES];
        for place in by_place {
            for lane in 0..LANES {
                batch.energy[lane] += place[lane] * place[lane];
            }
        }
        let short = kernel.energies.over_short(&batch.energy);
        kernel.short_energies[2 * LANES..].copy_from_slice(&short);
        let before = kernel.powers.each_ref().map(short_before);
        let recent = sum(&short, &short_before(&kernel.short_energies));
        batch.pair = pairs(&batch.power, &before, &recent);
        batch.down = downs(&batch.power, &before);
    }
}

#[inline(always)]
fn correlated(by_place: &[Lanes; HOP], basis: &[[Lanes; 2]; HOP]) -> [Lanes; 2] {
    let mut sums = [[0f32; LANES]; 2];
    for (samples, basis) in by_place.iter().zip(basis) {
        for part in 0..2 {
            for lane in 0..LANES {
                sums[part][lane] += samples[lane] * basis[part][lane];
            }
        }
    }
    sums
}

#[inline(always)]
fn turned([re, im]: [Lanes; 2], [cos, sin]: [f32; 2]) -> [Lanes; 2] {
    let mut turned = [[0f32; LANES]; 2];
    for lane in 0..LANES {
        turned[0][lane] = re[lane] * cos - im[lane] * sin;
        turned[1][lane] = re[lane] * sin + im[lane] * cos;
    }
    turned
}

#[inline(always)]
fn sum(a: &Lanes, b: &Lanes) -> Lanes {
    let mut sum = *a;
    for lane in 0..LANES {
        sum[lane] += b[lane];
    }
    sum
}

/// Values of `SHORT` sub-blocks before the batch at hand.
#[inline(always)]
fn short_before(values: &[f32; 3 * LANES]) -> Lanes {
    let mut before = [0f32; LANES];
    before.copy_from_slice(&values[2 * LANES - SHORT..3 * LANES - SHORT]);
    before
}

#[inline(always)]
fn strongest(powers: &[Lanes; TONES], from: usize) -> Lanes {
    let mut strongest = powers[from];
    for powers in &powers[from + 1..from + 4] {
        for lane in 0..LANES {
            let power = powers[lane];
            strongest[lane] = if power > strongest[lane] { power } else { strongest[lane] };
        }
    }
    strongest
}

#[inline(always)]
fn pairs(now: &[Lanes; TONES], before: &[Lanes; TONES], energy: &Lanes) -> u8 {
    let mut powers = *now;
    for tone in 0..TONES {
        powers[tone] = sum(&powers[tone], &before[tone]);
    }
    let pair = sum(&strongest(&powers, 0), &strongest(&powers, 4));
    // A tone's correlation power over two short windows is its energy times half a short window.
    const ENOUGH: f32 = PAIR_SHARE * 0.5 * SHORT_SAMPLES as f32;
    bits(|lane| (pair[lane] > ENOUGH * energy[lane]) & (energy[lane] >= SILENCE))
}

#[inline(always)]
fn downs(now: &[Lanes; TONES], before: &[Lanes; TONES]) -> u8 {
    let mut down = [[false; LANES]; 2];
    for group in 0..2 {
        let strongest = strongest(before, 4 * group);
        for tone in 4 * group..4 * group + 4 {
            for lane in 0..LANES {
                let is_it = before[tone][lane] >= strongest[lane];
                down[group][lane] |= is_it & (now[tone][lane] < DOWN * before[tone][lane]);
            }
        }
    }
    bits(|lane| down[0][lane] & down[1][lane])
}

#[inline(always)]
fn bits(is_set: impl Fn(usize) -> bool) -> u8 {
    (0..LANES).fold(0, |bits, lane| bits | (u8::from(is_set(lane)) << lane))
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
        let (mut kernel, mut sum) = (Kernel::new(), [[0f32; TONES]; 2]);
        for (at, samples) in samples.as_chunks::<BATCH>().0.iter().enumerate() {
            let batch = *kernel.correlate(samples, simd);
            kernel.next_batch();
            for lane in (0..LANES).filter(|lane| (at * LANES + lane) % SHORT == SHORT - 1) {
                for tone in 0..TONES {
                    sum[0][tone] += batch.re[tone][lane];
                    sum[1][tone] += batch.im[tone][lane];
                }
            }
        }
        sum
    }

    #[test]
    fn sums_of_sub_blocks_equal_the_plain_formula_within_one_part_in_a_million() {
        let samples = noise(1, 60 * BATCH);
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
    fn the_registers_do_not_matter() {
        let samples = noise(3, 40 * BATCH);
        let (mut wide, mut portable) = (Kernel::new(), Kernel::new());
        for batch in samples.as_chunks::<BATCH>().0 {
            assert_eq!(wide.correlate(batch, simd::Simd::detect()), portable.correlate(batch, simd::Simd::Portable));
            wide.next_batch();
            portable.next_batch();
        }
    }

    #[test]
    fn marks_tell_a_pair_and_its_end() {
        let tone = |n: usize| (TAU * 770.0 * n as f64 / 4000.0).cos() + (TAU * 1336.0 * n as f64 / 4000.0).cos();
        let samples: Vec<f32> = (0..320).map(|n| if n < 160 { 0.1 * tone(n) as f32 } else { 0.0 }).collect();
        let mut kernel = Kernel::new();
        let (mut pair, mut down) = (0u128, 0u128);
        for (at, batch) in samples.as_chunks::<BATCH>().0.iter().enumerate() {
            let batch = kernel.correlate(batch, simd::Simd::detect());
            pair |= u128::from(batch.pair) << (at * LANES);
            down |= u128::from(batch.down) << (at * LANES);
            kernel.next_batch();
        }
        let marked = |bits: u128| (0..80).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
        assert!((16..55).all(|hop| pair >> hop & 1 == 1), "{:?}", marked(pair));
        assert!(marked(pair).iter().all(|hop| *hop < 64), "{:?}", marked(pair));
        assert!(marked(down).iter().all(|hop| (42..64).contains(hop)) && marked(down).len() > 6, "{:?}", marked(down));
    }
}
