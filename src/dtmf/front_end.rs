//! From any input rate to one working rate: a linear-phase band-pass filter around the DTMF band that also resamples.
//!
//! Everything behind it works on 4 kHz samples holding 600-1900 Hz. Hum, dial tones below 450 Hz and everything above
//! 2.3 kHz, which would fold into the band at 4 kHz, are at least 24 dB down.

use std::f64::consts::TAU;

/// Rate of the filtered samples in Hz.
pub(crate) const WORKING_RATE: u32 = 4000;
/// Length of the filter's impulse response in seconds. Its half is the delay of the front end.
pub(crate) const SPAN_S: f64 = 4.25e-3;
/// The impulse response is a sum of cosines `c[k] * cos(tau * k * t / SPAN_S)` over `SPAN_S`: a linear-programming
/// design for least ripple in the stop bands 0-450 and above 2300 Hz with at most 10 % ripple in 675-1680 Hz.
const COSINES: [f64; 12] =
    [0.05926, -0.02364, 0.22345, 1.97862, 1.90357, 2.08406, 1.93638, 2.07079, 1.45076, -0.44027, 0.03238, -0.06377];
/// The same for the low band, 0-350 Hz: a Hann window.
const LOW_COSINES: [f64; 2] = [1.0, 1.0];
/// Positions between two input samples the filter is tabulated for, at most. At 512 the timing error is 1/1024 sample.
const MAX_PHASES: u64 = 512;
/// Input samples taken in one go; bounds the buffer, not the caller's block.
const CHUNK: usize = 512;

/// Amplitude response of the front end at a frequency in Hz.
pub(crate) fn response(hz: f64) -> f64 {
    let sinc = |x: f64| if x.abs() < 1e-9 { 1.0 } else { (TAU * 0.5 * x).sin() / (TAU * 0.5 * x) };
    COSINES
        .iter()
        .enumerate()
        .map(|(k, c)| 0.5 * c * (sinc(hz * SPAN_S - k as f64) + sinc(hz * SPAN_S + k as f64)))
        .sum()
}

/// One filtered sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filtered {
    /// 600-1900 Hz.
    pub(crate) band: f32,
    /// 0-350 Hz, for every second sample only.
    pub(crate) low: Option<f32>,
}

/// Streaming band-pass filter and resampler.
pub(crate) struct FrontEnd {
    rate: u64,
    phases: u64,
    taps: usize,
    table: Vec<f32>,
    low_table: Vec<f32>,
    buffer: Vec<f32>,
    /// Stream index of `buffer[0]`; negative while the zeros before the stream are in it.
    origin: i64,
    produced: u64,
}

impl FrontEnd {
    /// A front end for an input rate in Hz of at least [`WORKING_RATE`].
    pub(crate) fn new(rate: u32) -> Self {
        let rate = u64::from(rate);
        let exact = u64::from(WORKING_RATE) / gcd(rate, u64::from(WORKING_RATE));
        let phases = exact.min(MAX_PHASES);
        let half = half_span(rate);
        let taps = 2 * half + 2;
        let tabulate = |cosines: &[f64]| {
            (0..phases).flat_map(|phase| phase_taps(cosines, rate, half, phase as f64 / phases as f64)).collect()
        };
        let (table, low_table) = (tabulate(&COSINES), tabulate(&LOW_COSINES));
        let mut buffer = Vec::with_capacity(taps + 2 * CHUNK);
        buffer.resize(half + 1, 0.0);
        Self { rate, phases, taps, table, low_table, buffer, origin: -(half as i64) - 1, produced: 0 }
    }

    /// Takes input samples, hands out filtered samples. The `n`-th of them is centred on time `n / WORKING_RATE`.
    pub(crate) fn process(&mut self, samples: &[f32], mut sink: impl FnMut(Filtered)) {
        for chunk in samples.chunks(CHUNK) {
            self.buffer.extend_from_slice(chunk);
            while let Some(sample) = self.next_output() {
                sink(sample);
            }
            self.forget();
        }
    }

    /// Input samples that must have been heard before the `n`-th filtered sample exists.
    pub(crate) fn needed(&self, n: u64) -> u64 {
        let (index, _) = self.place(n);
        index + self.taps as u64 / 2 + 1
    }

    fn place(&self, n: u64) -> (u64, u64) {
        let position = n * self.rate;
        let working = u64::from(WORKING_RATE);
        let (index, rest) = (position / working, position % working);
        let phase = (rest * self.phases * 2 + working) / (2 * working);
        if phase == self.phases { (index + 1, 0) } else { (index, phase) }
    }

    fn next_output(&mut self) -> Option<Filtered> {
        let (index, phase) = self.place(self.produced);
        let half = self.taps / 2 - 1;
        let start = (index as i64 - half as i64 - self.origin) as usize;
        let window = self.buffer.get(start..start + self.taps)?;
        let taps = phase as usize * self.taps..(phase as usize + 1) * self.taps;
        let band = dot(window, &self.table[taps.clone()]);
        let low = if self.produced.is_multiple_of(2) { Some(dot(window, &self.low_table[taps])) } else { None };
        self.produced += 1;
        Some(Filtered { band, low })
    }

    fn forget(&mut self) {
        let (index, _) = self.place(self.produced);
        let half = self.taps / 2 - 1;
        let unused = (index as i64 - half as i64 - self.origin).max(0) as usize;
        let unused = unused.min(self.buffer.len());
        self.buffer.drain(..unused);
        self.origin += unused as i64;
    }
}

fn half_span(rate: u64) -> usize {
    (SPAN_S * 0.5 * rate as f64) as usize
}

/// Taps for input samples `-half ..= half + 1` around an output `phase` (0..1) of a sample after sample 0.
fn phase_taps(cosines: &[f64], rate: u64, half: usize, phase: f64) -> Vec<f32> {
    let tap = |i: usize| {
        let t = (i as f64 - half as f64 - phase) / rate as f64;
        (impulse(cosines, t) / (SPAN_S * rate as f64)) as f32
    };
    (0..2 * half + 2).map(tap).collect()
}

fn impulse(cosines: &[f64], t: f64) -> f64 {
    if t.abs() >= SPAN_S * 0.5 {
        return 0.0;
    }
    cosines.iter().enumerate().map(|(k, c)| c * (TAU * k as f64 * t / SPAN_S).cos()).sum()
}

/// Sum of products in eight independent lanes, so that it runs in vector registers and always in the same order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(rate: u32, hz: f64, seconds: f64) -> Vec<f32> {
        let input: Vec<f32> = (0..(seconds * f64::from(rate)) as usize)
            .map(|n| (TAU * hz * n as f64 / f64::from(rate)).cos() as f32)
            .collect();
        let mut output = Vec::new();
        FrontEnd::new(rate).process(&input, |sample| output.push(sample.band));
        output
    }

    #[test]
    fn a_tone_keeps_phase_and_response_at_every_rate() {
        for rate in [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192_000, 8001] {
            let output = filtered(rate, 1209.0, 0.1);
            for (n, sample) in output.iter().enumerate().skip(20) {
                let expected = response(1209.0) * (TAU * 1209.0 * n as f64 / 4000.0).cos();
                assert!((f64::from(*sample) - expected).abs() < 0.02, "{rate} Hz, sample {n}: {sample} {expected}");
            }
        }
    }

    #[test]
    fn dial_tones_hum_and_what_would_fold_are_24_db_down() {
        for hz in [0.0, 50.0, 60.0, 350.0, 400.0, 425.0, 440.0, 2400.0, 3000.0, 3990.0] {
            assert!(response(hz).abs() < 0.061, "{hz} Hz: {}", response(hz));
        }
        assert!(filtered(8000, 3000.0, 0.05).iter().skip(20).all(|sample| sample.abs() < 0.07));
    }

    #[test]
    fn block_size_does_not_matter() {
        let input: Vec<f32> = (0..5000).map(|n| ((n * n) % 97) as f32 / 97.0 - 0.5).collect();
        let run = |block: usize| {
            let (mut front, mut output) = (FrontEnd::new(11025), Vec::new());
            input.chunks(block).for_each(|chunk| front.process(chunk, |sample| output.push(sample.band)));
            output
        };
        assert_eq!(run(1), run(5000));
        assert_eq!(run(7), run(5000));
    }

    #[test]
    fn needed_says_when_an_output_appears() {
        for rate in [8000, 44100] {
            let mut front = FrontEnd::new(rate);
            let mut heard = 0;
            let mut outputs = 0;
            for _ in 0..2000 {
                heard += 1;
                let mut new = 0;
                front.process(&[0.0], |_| new += 1);
                for _ in 0..new {
                    assert_eq!(FrontEnd::new(rate).needed(outputs), heard);
                    outputs += 1;
                }
            }
        }
    }
}
