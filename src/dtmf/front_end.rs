//! From any input rate to one working rate: a linear-phase band-pass filter around the DTMF band that also resamples.
//!
//! Everything behind it works on 4 kHz samples holding 600-1900 Hz. Hum, dial tones below 450 Hz and everything above
//! 2.3 kHz, which would fold into the band at 4 kHz, are at least 24 dB down.

use super::filter::{BAND, Filter, LOW_BAND, prepare_response};
use super::simd::{Kernel, LANES, Simd, Vector};
use super::waves::dot;

/// Rate of the filtered samples in Hz.
pub(crate) const WORKING_RATE: u32 = 4000;
/// Positions between two input samples the filter is tabulated for, at most. At 512 the timing error is 1/1024 sample.
const MAX_PHASES: u64 = 512;
/// Input samples taken in one go; bounds the buffer, not the caller's block.
pub(crate) const CHUNK: usize = 512;
/// How far back the input can be asked for, in filtered samples: 220 ms.
pub(crate) const INPUT_MEMORY: u64 = 880;
/// Filtered samples in a sub-block: 1 ms. They are made in whole sub-blocks.
pub(crate) const HOP: usize = 4;
/// Filtered samples made in one go, at most.
pub(crate) const MOST: usize = 256;

/// A sample format the detector hears.
pub trait Sample: Copy {
    /// The sample with full scale 1.0.
    fn to_f32(self) -> f32;
}

impl Sample for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }
}

impl Sample for i16 {
    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self) * (1.0 / 32768.0)
    }
}

/// Streaming band-pass filter and resampler.
pub(crate) struct FrontEnd {
    rate: u64,
    phases: u64,
    taps: usize,
    table: Vec<f32>,
    low_table: Vec<f32>,
    buffer: Box<[f32]>,
    /// Input samples in the buffer, from its beginning on.
    heard: usize,
    /// Stream index of `buffer[0]`; negative while the zeros before the stream are in it.
    origin: i64,
    /// Filtered samples made so far.
    count: u64,
    filtered: Box<Filtered>,
    /// What was heard for them, at 8 kHz: every second sample, and those between.
    halves: Box<[[f32; HALF_INPUT]; 2]>,
    simd: Simd,
}

impl FrontEnd {
    /// A front end for an input rate in Hz of at least [`WORKING_RATE`].
    pub(crate) fn new(rate: u32, simd: Simd) -> Self {
        let rate = u64::from(rate);
        let exact = u64::from(WORKING_RATE) / gcd(rate, u64::from(WORKING_RATE));
        let phases = exact.min(MAX_PHASES);
        let half = BAND.half_span(rate);
        let taps = 2 * half + 2;
        prepare_response();
        let tabulate = |filter: &Filter| {
            (0..phases).flat_map(|phase| filter.taps(rate, half, phase as f64 / phases as f64)).collect()
        };
        let (table, low_table) = (tabulate(&BAND), tabulate(&LOW_BAND));
        let kept = (INPUT_MEMORY as usize + MOST) * rate.div_ceil(u64::from(WORKING_RATE)) as usize + taps + CHUNK;
        let heard = half + 1;
        let origin = -(heard as i64);
        Self {
            rate,
            phases,
            taps,
            table,
            low_table,
            buffer: vec![0.0; 2 * kept].into(),
            heard,
            origin,
            count: 0,
            filtered: Box::new([0.0; MOST + TOGETHER]),
            halves: Box::new([[0.0; HALF_INPUT]; 2]),
            simd,
        }
    }

    /// Takes up to [`CHUNK`] input samples.
    pub(crate) fn push<S: Sample>(&mut self, chunk: &[S]) {
        if self.heard + chunk.len() > self.buffer.len() {
            let unused = self.start(self.count.saturating_sub(INPUT_MEMORY)).min(self.heard);
            self.buffer.copy_within(unused..self.heard, 0);
            self.heard -= unused;
            self.origin += unused as i64;
        }
        let free = &mut self.buffer[self.heard..];
        self.simd.run(Convert { from: chunk, to: &mut free[..chunk.len()] });
        self.heard += chunk.len();
    }

    /// The input as it came, from a place in the buffer on.
    fn input_from(&self, start: usize) -> &[f32] {
        self.buffer[..self.heard].get(start..).unwrap_or_default()
    }

    /// Filters the next whole sub-blocks of what has been heard, 600-1900 Hz. How many samples that makes: all there are if
    /// fewer than [`MOST`]. The `n`-th filtered sample is centred on time `n / WORKING_RATE`.
    pub(crate) fn fill(&mut self) -> (&Filtered, usize) {
        let filled = if self.rate == TELEPHONE_RATE { self.fill_telephone_rate() } else { self.fill_any_rate() };
        self.count += filled as u64;
        (&self.filtered, filled)
    }

    /// Energy of the low band, 0-350 Hz, over `n` sub-blocks before a filtered sample of the last 220 ms; a sample of each
    /// sub-block stands for all of it.
    pub(crate) fn low_energy(&self, before: u64, n: usize) -> f32 {
        HOP as f32 * self.simd.run(LowEnergy { front: self, before, n })
    }

    /// The input as it came, over the time of `n` filtered samples from `first` on; `None` unless all of it is of the last
    /// 220 ms.
    pub(crate) fn input(&self, first: i64, n: usize) -> Option<&[f32]> {
        let position = |filtered: i64| filtered * self.rate as i64 / i64::from(WORKING_RATE);
        let start = usize::try_from(position(first) - self.origin).ok().filter(|_| first >= 0)?;
        self.input_from(start).get(..position(n as i64) as usize)
    }

    /// Input samples a second.
    pub(crate) fn rate(&self) -> u64 {
        self.rate
    }

    /// Input samples that must have been heard before the `n`-th filtered sample exists.
    pub(crate) fn needed(&self, n: u64) -> u64 {
        let (index, _) = self.place(n);
        index + self.taps as u64 / 2 + 1
    }

    #[inline]
    fn place(&self, n: u64) -> (u64, u64) {
        let position = n * self.rate;
        let working = u64::from(WORKING_RATE);
        let (index, rest) = (position / working, position % working);
        let phase = (rest * self.phases * 2 + working) / (2 * working);
        if phase == self.phases { (index + 1, 0) } else { (index, phase) }
    }

    /// Where in the buffer the input of the `n`-th filtered sample begins.
    fn start(&self, n: u64) -> usize {
        self.start_at(self.place(n).0)
    }

    #[inline]
    fn start_at(&self, index: u64) -> usize {
        let half = self.taps / 2 - 1;
        (index as i64 - half as i64 - self.origin).max(0) as usize
    }

    fn fill_any_rate(&mut self) -> usize {
        for at in 0..MOST {
            let n = self.count + at as u64;
            let start = self.start(n);
            let Some(window) = self.input_from(start).get(..self.taps) else { return at - at % HOP };
            let phase = self.place(n).1 as usize * self.taps;
            self.filtered[at] = self.simd.run(Dot(window, &self.table[phase..phase + self.taps]));
        }
        MOST
    }

    fn fill_telephone_rate(&mut self) -> usize {
        let start = self.start(self.count);
        let input = self.buffer[..self.heard].get(start..).unwrap_or_default();
        let ready = if input.len() < self.taps { 0 } else { ((input.len() - self.taps) / 2 + 1).min(MOST) };
        let filled = ready - ready % HOP;
        if let Some(taps) = self.table.first_chunk()
            && filled > 0
        {
            let input = &input[..input.len().min(2 * (filled - 1) + HALVING_TAPS)];
            let (halves, filtered) = (&mut self.halves, &mut self.filtered[..filled.next_multiple_of(TOGETHER)]);
            self.simd.run(Halving { input, taps, halves, filtered });
        }
        filled
    }
}

/// 8 kHz: two input samples for one filtered sample.
const TELEPHONE_RATE: u64 = 8000;
/// Taps of the filter at 8 kHz that are not zero.
const HALVING_TAPS: usize = 36;
/// Filtered samples made together at 8 kHz.
const TOGETHER: usize = 40;
/// Filtered samples made in one go, with room for those made together with the last.
pub(crate) type Filtered = [f32; MOST + TOGETHER];
/// Half the input samples for those made together.
const WINDOW: usize = TOGETHER + HALVING_TAPS / 2;
/// Half the input samples for [`MOST`] filtered samples at 8 kHz, and room for those made together with the last.
const HALF_INPUT: usize = MOST + HALVING_TAPS / 2 + TOGETHER;

/// Samples brought to full scale 1.0.
struct Convert<'a, S> {
    from: &'a [S],
    to: &'a mut [f32],
}

impl<S: Sample> Kernel for Convert<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = from.to_f32();
        }
    }
}

/// The filter at 8 kHz.
struct Halving<'a> {
    input: &'a [f32],
    taps: &'a [f32; HALVING_TAPS],
    halves: &'a mut [[f32; HALF_INPUT]; 2],
    /// Whole times those made together.
    filtered: &'a mut [f32],
}

impl Kernel for Halving<'_> {
    type Output = ();

    /// Neighbouring outputs are neighbouring lanes: each tap meets every second input sample.
    #[inline(always)]
    fn run<V: Vector>(self) {
        let (taps, [evens, odds]) = (self.taps, self.halves);
        for ([even, odd], (to_even, to_odd)) in
            self.input.as_chunks::<2>().0.iter().zip(evens.iter_mut().zip(&mut *odds))
        {
            (*to_even, *to_odd) = (*even, *odd);
        }
        for (at, filtered) in self.filtered.chunks_exact_mut(TOGETHER).enumerate() {
            let first = at * TOGETHER;
            let halves = [evens[first..].first_chunk::<WINDOW>(), odds[first..].first_chunk::<WINDOW>()];
            let [Some(evens), Some(odds)] = halves else { break };
            let mut band = [V::splat(0.0); TOGETHER / LANES];
            for tap in 0..HALVING_TAPS / 2 {
                let (even, odd) = (V::splat(taps[2 * tap]), V::splat(taps[2 * tap + 1]));
                for (at, band) in band.iter_mut().enumerate() {
                    let (evens, odds) = (&evens[tap + at * LANES..], &odds[tap + at * LANES..]);
                    if let (Some(evens), Some(odds)) = (evens.first_chunk(), odds.first_chunk()) {
                        *band = *band + (V::load(evens) * even + V::load(odds) * odd);
                    }
                }
            }
            for (filtered, band) in filtered.as_chunks_mut().0.iter_mut().zip(band) {
                band.store(filtered);
            }
        }
    }
}

/// The same as a sum over one sample of each sub-block.
struct LowEnergy<'a> {
    front: &'a FrontEnd,
    before: u64,
    n: usize,
}

impl Kernel for LowEnergy<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let Self { front, before, n } = self;
        let mut energy = 0.0;
        for back in 1..=n as u64 {
            let Some(sample) = before.checked_sub(back * HOP as u64) else { break };
            let (index, phase) = front.place(sample);
            let (start, phase) = (front.start_at(index), phase as usize * front.taps);
            let window = front.input_from(start).get(..front.taps).unwrap_or_default();
            energy += dot::<V>(window, &front.low_table[phase..phase + front.taps]).powi(2);
        }
        energy
    }
}

struct Dot<'a>(&'a [f32], &'a [f32]);

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        dot::<V>(self.0, self.1)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::filter::response;
    use std::f64::consts::TAU;

    fn filtered_in_blocks(rate: u32, input: &[f32], block: usize, simd: Simd) -> Vec<f32> {
        let (mut front, mut output) = (FrontEnd::new(rate, simd), Vec::new());
        for chunk in input.chunks(block).flat_map(|block| block.chunks(CHUNK)) {
            front.push(chunk);
            while let (samples, new @ 1..) = front.fill() {
                output.extend(&samples[..new]);
            }
        }
        output
    }

    fn filtered(rate: u32, hz: f64, seconds: f64) -> Vec<f32> {
        let input: Vec<f32> = (0..(seconds * f64::from(rate)) as usize)
            .map(|n| (TAU * hz * n as f64 / f64::from(rate)).cos() as f32)
            .collect();
        filtered_in_blocks(rate, &input, 480, Simd::detect())
    }

    #[test]
    fn a_tone_keeps_phase_and_response_at_every_rate() {
        for rate in [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192_000, 8001] {
            let output = filtered(rate, 1209.0, 0.1);
            for (n, sample) in output.iter().enumerate().skip(20) {
                let expected = f64::from(response(1209.0)) * (TAU * 1209.0 * n as f64 / 4000.0).cos();
                assert!((f64::from(*sample) - expected).abs() < 0.02, "{rate} Hz, sample {n}: {sample} {expected}");
            }
        }
    }

    #[test]
    fn what_would_fold_is_filtered_away() {
        assert!(filtered(8000, 3000.0, 0.05).iter().skip(20).all(|sample| sample.abs() < 0.07));
    }

    #[test]
    fn block_size_and_registers_do_not_matter() {
        let input: Vec<f32> = (0..5000).map(|n| ((n * n) % 97) as f32 / 97.0 - 0.5).collect();
        for rate in [8000, 11025] {
            let whole = filtered_in_blocks(rate, &input, 5000, Simd::detect());
            assert!(whole.len() > 1700, "{}", whole.len());
            for (block, simd) in [(1, Simd::detect()), (7, Simd::detect()), (5000, Simd::Portable)] {
                assert_eq!(filtered_in_blocks(rate, &input, block, simd), whole, "{rate} Hz, {block}, {simd:?}");
            }
        }
    }

    #[test]
    fn the_telephone_rate_is_filtered_as_any_other() {
        let input: Vec<f32> = (0..2000).map(|n| ((n * n) % 97) as f32 / 97.0 - 0.5).collect();
        let taps = FrontEnd::new(8000, Simd::detect()).table;
        let fast = filtered_in_blocks(8000, &input, 2000, Simd::detect());
        for (n, sample) in fast.iter().enumerate().skip(10) {
            let plain: f64 =
                (0..HALVING_TAPS).map(|tap| f64::from(taps[tap]) * f64::from(input[2 * n + tap - 17])).sum();
            assert!((f64::from(*sample) - plain).abs() < 1e-6, "sample {n}");
        }
    }

    #[test]
    fn the_low_band_holds_the_fundamental_of_a_voice_and_no_tone_of_a_keypad() {
        for (rate, hz, passes) in
            [(8000, 120.0, true), (48_000, 200.0, true), (8000, 697.0, false), (44_100, 941.0, false)]
        {
            let mut front = FrontEnd::new(rate, Simd::detect());
            let input: Vec<f32> = (0..rate).map(|n| (TAU * hz * f64::from(n) / f64::from(rate)).cos() as f32).collect();
            for chunk in input.chunks(CHUNK) {
                front.push(chunk);
                while front.fill().1 > 0 {}
            }
            let energy = front.low_energy(3900, 75) / 300.0;
            assert!(if passes { energy > 0.1 } else { energy < 0.002 }, "{hz} Hz at {rate} Hz: {energy}");
        }
    }

    #[test]
    fn needed_says_when_an_output_appears() {
        for rate in [8000, 44100] {
            let mut front = FrontEnd::new(rate, Simd::detect());
            for heard in 1..2000 {
                front.push(&[0.0]);
                if front.fill().1 > 0 {
                    assert_eq!(front.needed(front.count - 1), heard);
                }
            }
            assert!(front.count > 100);
        }
    }
}
