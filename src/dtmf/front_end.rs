//! From any input rate to one working rate: a linear-phase band-pass filter around the DTMF band that also resamples.
//!
//! Everything behind it works on 4 kHz samples holding 600-1900 Hz. Hum, dial tones below 450 Hz and everything above
//! 2.3 kHz, which would fold into the band at 4 kHz, are at least 24 dB down.

use super::filter::{BAND, Filter, LOW_BAND, prepare_response};
use super::halving::{Halving, HalvingTaps, TELEPHONE_RATE};
use super::input::{FINER, Input, Samples};
use super::sample::Sample;
use super::silence::Silence;
use super::simd::{LANES, Simd};
use super::waves::Dot;

/// Rate of the filtered samples in Hz.
pub(crate) const WORKING_RATE: u32 = 4000;
/// Positions between two input samples the filter is tabulated for, at most. At 512 the timing error is 1/1024 sample.
const MAX_PHASES: u64 = 512;
/// Input samples taken in one go; bounds the buffer, not the caller's block.
pub(crate) const CHUNK: usize = 512;
/// How far back the input can be asked for, in filtered samples: 220 ms.
pub(crate) const INPUT_MEMORY: u64 = 880;
/// Filtered samples in a sub-block: 4 ms. They are made in whole sub-blocks.
pub(crate) const HOP: usize = 16;
/// Filtered samples made in one go, at most.
pub(crate) const MOST: usize = 256;
/// Room for filtered samples made in one go, in whole groups of lanes.
pub(crate) const ROOM: usize = MOST + LANES;
/// Filtered samples for which one of the low band stands: 1 ms.
const LOW_STEP: usize = 4;

/// Streaming band-pass filter and resampler.
pub(crate) struct FrontEnd {
    rate: u64,
    phases: u64,
    taps: usize,
    table: Vec<f32>,
    low_table: Vec<f32>,
    /// The taps at 8 kHz.
    halving: Option<HalvingTaps>,
    /// What of the filtered samples is of finer bits than 16.
    more: Box<[f32; ROOM]>,
    input: Input,
    /// Stream index of the first input sample that is kept; negative while the zeros before the stream are.
    origin: i64,
    /// Filtered samples made so far.
    count: u64,
    silence: Silence,
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
        let tabulate = |filter: &Filter| -> Vec<f32> {
            (0..phases).flat_map(|phase| filter.taps(rate, half, phase as f64 / phases as f64)).collect()
        };
        let (mut table, low_table) = (tabulate(&BAND), tabulate(&LOW_BAND));
        let halving = (rate == TELEPHONE_RATE).then(|| HalvingTaps::of(&table));
        if let Some(halving) = &halving {
            table = halving.as_numbers();
            table.resize(taps, 0.0);
        }
        let kept = (INPUT_MEMORY as usize + MOST) * rate.div_ceil(u64::from(WORKING_RATE)) as usize + taps + CHUNK;
        let zeros = half + 1;
        let input = Input::new(3 * kept, zeros, halving.is_some(), simd);
        Self {
            rate,
            phases,
            taps,
            table,
            low_table,
            halving,
            more: Box::new([0.0; ROOM]),
            input,
            origin: -(zeros as i64),
            count: 0,
            silence: Silence::new(rate),
            simd,
        }
    }

    /// Takes up to [`CHUNK`] input samples.
    pub(crate) fn push<S: Sample>(&mut self, chunk: &[S]) {
        if self.input.room() < chunk.len() {
            let unused = self.start(self.count.saturating_sub(INPUT_MEMORY)).min(self.input.heard());
            self.input.forget(unused);
            self.origin += unused as i64;
        }
        self.input.push(chunk);
    }

    /// Filtered samples made so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Input samples heard.
    fn heard(&self) -> u64 {
        (self.input.heard() as i64 + self.origin) as u64
    }

    /// How many filtered samples, in whole sub-blocks, can be made of what has been heard: all if fewer than [`MOST`].
    pub(crate) fn ready(&self) -> usize {
        let heard = self.heard();
        let whole = heard.saturating_sub(self.taps as u64 / 2);
        if self.halving.is_some() {
            return ((whole.div_ceil(2) - self.count) as usize).min(MOST) / HOP * HOP;
        }
        // At most so many; rounding to the phases of the table may take one of them.
        let most = (whole * u64::from(WORKING_RATE)).div_ceil(self.rate).saturating_sub(self.count);
        let mut ready = (most as usize).min(MOST) / HOP * HOP;
        while ready > 0 && self.needed(self.count + ready as u64 - 1) > heard {
            ready -= HOP;
        }
        ready
    }

    /// Whether so many more filtered samples can be made of what has been heard.
    pub(crate) fn has(&self, more: usize) -> bool {
        self.needed(self.count + more as u64 - 1) <= self.heard()
    }

    /// Filters the next samples, 600-1900 Hz, of which no more than `ready` have been heard. The `n`-th filtered sample is
    /// centred on time `n / WORKING_RATE`. What is behind them is overwritten.
    pub(crate) fn fill(&mut self, ready: usize, filtered: &mut [f32; ROOM]) {
        self.peek(ready, filtered);
        self.count += ready as u64;
    }

    /// The same, without going on: they will be made again.
    pub(crate) fn peek(&mut self, ready: usize, filtered: &mut [f32; ROOM]) {
        let start = self.start(self.count);
        if let Some(taps) = &self.halving {
            let input = self.input.whole_and_beyond(start);
            self.simd.run(Halving { input, taps, ready, full_scale: 1.0, filtered });
            if let Some(input) = self.input.finer_and_beyond(start) {
                let more = &mut self.more;
                self.simd.run(Halving { input, taps, ready, full_scale: 1.0 / FINER, filtered: more });
                filtered.iter_mut().zip(&**more).take(ready).for_each(|(filtered, more)| *filtered += more);
            }
        }
        if self.input.rest_from(start).is_some() {
            self.add_rest(&mut filtered[..ready]);
        }
    }

    /// Whether the next `ready` samples and the `before` ones ahead of them have, filtered, less energy than so much
    /// together, as what was heard has no more. It is always asked about the same energy.
    pub(crate) fn is_silent(&mut self, before: usize, ready: usize, energy: f32) -> bool {
        let first = self.count.saturating_sub(before as u64);
        if !self.silence.may_begin_at(first) {
            return false;
        }
        let end = (self.start(self.count + ready as u64) + self.taps).min(self.input.heard());
        self.silence.has_less(&self.input, self.origin, self.start(first)..end, energy)
    }

    /// Goes on by so many filtered samples without making them.
    pub(crate) fn pass(&mut self, filtered: usize) {
        self.count += filtered as u64;
    }

    /// Goes back by so many filtered samples of the last 220 ms, to make them after all.
    pub(crate) fn go_back(&mut self, filtered: usize) {
        debug_assert!(filtered as u64 <= INPUT_MEMORY);
        self.count -= filtered as u64;
    }

    /// Energy of the low band, 0-350 Hz, over `n` filtered samples before one of the last 220 ms; a sample of each ms stands for
    /// all of it.
    pub(crate) fn low_energy(&self, before: u64, n: usize) -> f32 {
        let samples = (1..=(n / LOW_STEP) as u64).map_while(|back| before.checked_sub(back * LOW_STEP as u64));
        LOW_STEP as f32 * samples.map(|n| self.low_band(n).powi(2)).sum::<f32>()
    }

    /// The `n`-th sample of the low band.
    fn low_band(&self, n: u64) -> f32 {
        let (start, phase) = (self.start(n), self.place(n).1 as usize * self.taps);
        let taps = &self.low_table[phase..phase + self.taps];
        let window = self.input.samples(start..start + self.taps);
        window.map_or(0.0, |window| window.iter().zip(taps).map(|(sample, tap)| sample * tap).sum())
    }

    /// The input as it came, over the time of `n` filtered samples from `first` on; `None` unless all of it is of the last
    /// 220 ms.
    pub(crate) fn input(&self, first: i64, n: usize) -> Option<Samples<'_>> {
        let position = |filtered: i64| filtered * self.rate as i64 / i64::from(WORKING_RATE);
        let start = usize::try_from(position(first) - self.origin).ok().filter(|_| first >= 0)?;
        self.input.samples(start..start + position(n as i64) as usize)
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
        if self.halving.is_some() {
            return (2 * n, 0);
        }
        let position = n * self.rate;
        let working = u64::from(WORKING_RATE);
        let (index, rest) = (position / working, position % working);
        let phase = (rest * self.phases * 2 + working) / (2 * working);
        if phase == self.phases { (index + 1, 0) } else { (index, phase) }
    }

    /// Where in the buffer the input of the `n`-th filtered sample begins.
    #[inline]
    fn start(&self, n: u64) -> usize {
        let (index, half) = (self.place(n).0, self.taps / 2 - 1);
        (index as i64 - half as i64 - self.origin).max(0) as usize
    }

    /// Filters what is not kept in 16 bits, and puts it in place of the samples or, where some is, adds it.
    fn add_rest(&self, filtered: &mut [f32]) {
        for (n, filtered) in (self.count..).zip(filtered) {
            let rest = self.input.rest_from(self.start(n)).unwrap_or_default();
            let phase = self.place(n).1 as usize * self.taps;
            let sample = rest
                .get(..self.taps)
                .map_or(0.0, |rest| self.simd.run(Dot(rest, &self.table[phase..phase + self.taps])));
            *filtered = if self.halving.is_some() { *filtered + sample } else { sample };
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::filter::response;
    use crate::dtmf::halving::HALVING_TAPS;
    use std::f64::consts::TAU;

    fn filtered_in_blocks(rate: u32, input: &[f32], block: usize, simd: Simd) -> Vec<f32> {
        let (mut front, mut output, mut filtered) = (FrontEnd::new(rate, simd), Vec::new(), [0.0; ROOM]);
        for chunk in input.chunks(block).flat_map(|block| block.chunks(CHUNK)) {
            front.push(chunk);
            while let new @ 1.. = front.ready() {
                front.fill(new, &mut filtered);
                output.extend(&filtered[..new]);
            }
        }
        output
    }

    fn fill_all(front: &mut FrontEnd) -> usize {
        let mut all = 0;
        while let new @ 1.. = front.ready() {
            front.fill(new, &mut [0.0; ROOM]);
            all += new;
        }
        all
    }

    #[test]
    fn what_is_silent_has_less_energy_filtered() {
        for rate in [8000, 8001, 48_000] {
            for hz in [650.0, 800.0, 1300.0, 1650.0, 1800.0, 2200.0, 3300.0] {
                let step = TAU * hz / f64::from(rate);
                let input: Vec<f32> = (0..rate / 4).map(|n| (step * f64::from(n)).cos() as f32).collect();
                // Sub-blocks of a tone in the band have 0.5 a sample.
                let told = [0.1, 0.45, 0.7, 1.5].map(|each| {
                    let (mut front, mut silent) = (FrontEnd::new(rate, Simd::detect()), 0);
                    for chunk in input.chunks(CHUNK) {
                        front.push(chunk);
                        while let new @ 1.. = front.ready() {
                            let most = each * MOST as f32;
                            let is_silent = front.is_silent(0, new, most);
                            let mut filtered = [0.0; ROOM];
                            front.fill(new, &mut filtered);
                            let energy: f32 = filtered[..new].iter().map(|x| x * x).sum();
                            assert!(energy < most || !is_silent, "{rate} Hz, {hz} Hz: {energy} {most}");
                            silent += u32::from(is_silent);
                        }
                    }
                    silent
                });
                assert!(told[0] < told[3] && told[3] > 2, "{rate} Hz, {hz} Hz: {told:?}");
            }
        }
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
            let each = Simd::available().map(|simd| (5000, simd));
            for (block, simd) in each.chain([(1, Simd::detect()), (7, Simd::detect())]) {
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
                fill_all(&mut front);
            }
            let energy = front.low_energy(3900, 300) / 300.0;
            assert!(if passes { energy > 0.1 } else { energy < 0.002 }, "{hz} Hz at {rate} Hz: {energy}");
        }
    }

    #[test]
    fn needed_says_when_an_output_appears() {
        for rate in [8000, 44100] {
            let mut front = FrontEnd::new(rate, Simd::detect());
            for heard in 1..2000 {
                front.push(&[0.0]);
                if fill_all(&mut front) > 0 {
                    assert_eq!(front.needed(front.count - 1), heard);
                }
            }
            assert!(front.count > 100);
        }
    }
}
