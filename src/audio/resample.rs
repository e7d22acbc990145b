//! Streaming conversion between sample rates, exact in time and independent of the blocks it is fed.
//!
//! Why not a library: the engine promises the same trace however its input is cut, and times that are right to the
//! sample. Here each output sample is one fixed sum over input samples chosen by integer arithmetic from its own index,
//! so both hold by construction and for any ratio; rubato works in chunks of its own size, and reports its delay
//! instead of removing it.

use std::f64::consts::PI;

/// Attenuation of what would alias, in dB; the acceptance asks for 70.
const STOPBAND_DB: f64 = 80.0;
/// End of the pass band as a fraction of the lower Nyquist frequency: 3.4 kHz at 8 kHz. The stop band begins at 1.
const PASSBAND: f64 = 0.85;
/// Most filter phases kept. Ratios with more are interpolated between neighbours, 100 dB below the signal.
const MOST_PHASES: usize = 1024;
/// Input samples taken into the window at a time.
const CHUNK: usize = 512;
/// Sums run in this many lanes, which the compiler turns into vector instructions; the order never changes.
const LANES: usize = 8;

/// Converts one channel from one sample rate to another.
///
/// Output sample `n` is the input at time `n / to` seconds: there is no delay to correct. A stream of `k` input samples
/// gives `ceil(k * to / from)` output samples, the last ones from [`finish`](Self::finish). Flat within 0.1 dB up to
/// 0.85 of the lower Nyquist frequency, at least 70 dB down from the Nyquist frequency up.
///
/// ```
/// use tonopago::audio::Resampler;
///
/// let mut resampler = Resampler::new(44_100, 8_000);
/// let mut output = Vec::with_capacity(8_000);
/// for block in vec![0.5; 44_100].chunks(441) {
///     resampler.process(block, &mut output);
/// }
/// resampler.finish(&mut output);
/// assert_eq!(output.len(), 8_000);
/// assert!((output[4_000] - 0.5).abs() < 1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Input step per output sample is `step / phases_per_sample` input samples.
    step: u64,
    phases_per_sample: u64,
    /// Filter phases, each `taps` long; one more than `phases` so that interpolation has a neighbour.
    table: Vec<f32>,
    phases: usize,
    taps: usize,
    /// Input samples, the oldest first; `window[0]` is under the first tap of the next output at offset `skip`.
    window: Vec<f32>,
    /// Start of the next output's taps in `window`.
    at: usize,
    /// The next output's time after its sample, in units of `1 / phases_per_sample` input samples.
    fraction: u64,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// Prepares a conversion from `from` Hz to `to` Hz. Allocates; [`process`](Self::process) does not.
    ///
    /// # Panics
    /// If a rate is 0.
    pub fn new(from: u32, to: u32) -> Self {
        assert!(from > 0 && to > 0, "sample rates are above 0 Hz");
        let divisor = greatest_common_divisor(from, to);
        let (step, phases_per_sample) = (u64::from(from / divisor), u64::from(to / divisor));
        let phases = usize::try_from(phases_per_sample).map_or(MOST_PHASES, |phases| phases.min(MOST_PHASES));
        let (table, taps) = if step == phases_per_sample { (vec![1.0; 2], 1) } else { design(from, to, phases) };
        let mut window = Vec::with_capacity(taps + CHUNK);
        // Silence before the first sample, under the first half of the filter.
        window.resize((taps - 1) / 2, 0.0);
        Self { step, phases_per_sample, table, phases, taps, window, at: 0, fraction: 0, taken: 0, given: 0 }
    }

    /// Most samples one call gives for `input` samples: room to reserve so that nothing allocates.
    pub fn most_output(&self, input: usize) -> usize {
        let samples = (input + self.taps) as u64 * self.phases_per_sample / self.step;
        usize::try_from(samples).map_or(usize::MAX, |samples| samples + 2)
    }

    /// Takes input and appends the output whose input is complete. Allocates only if `output` lacks room.
    pub fn process(&mut self, input: &[f32], output: &mut Vec<f32>) {
        self.taken += input.len() as u64;
        self.feed(input, output, u64::MAX);
    }

    /// Appends the rest of the output, as if silence followed, and begins a new stream.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        let whole = u128::from(self.taken) * u128::from(self.phases_per_sample);
        let total = u64::try_from(whole.div_ceil(u128::from(self.step))).unwrap_or(u64::MAX);
        while self.given < total {
            self.feed(&[0.0; CHUNK], output, total);
        }
        self.window.clear();
        self.window.resize((self.taps - 1) / 2, 0.0);
        (self.at, self.fraction, self.taken, self.given) = (0, 0, 0, 0);
    }

    fn feed(&mut self, input: &[f32], output: &mut Vec<f32>, total: u64) {
        for chunk in input.chunks(CHUNK) {
            self.window.extend_from_slice(chunk);
            while self.at + self.taps <= self.window.len() && self.given < total {
                output.push(self.sample());
                self.given += 1;
                self.fraction += self.step;
                // Both fit: the fraction is below step + phases, the quotient below step + 1.
                self.at += usize::try_from(self.fraction / self.phases_per_sample).unwrap_or(usize::MAX);
                self.fraction %= self.phases_per_sample;
            }
            let done = self.at.min(self.window.len());
            self.window.drain(..done);
            self.at -= done;
        }
    }

    fn sample(&self) -> f32 {
        let window = &self.window[self.at..self.at + self.taps];
        if self.phases_per_sample == self.phases as u64 {
            return dot(window, self.phase(self.fraction as usize));
        }
        let place = self.fraction as f64 * self.phases as f64 / self.phases_per_sample as f64;
        let lower = place as usize;
        let (before, after) = (dot(window, self.phase(lower)), dot(window, self.phase(lower + 1)));
        before + (after - before) * (place - lower as f64) as f32
    }

    fn phase(&self, phase: usize) -> &[f32] {
        &self.table[phase * self.taps..][..self.taps]
    }
}

const fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A Kaiser-windowed sinc for each fraction of an input sample, and the number of taps; each phase passes 0 Hz with gain 1.
fn design(from: u32, to: u32, phases: usize) -> (Vec<f32>, usize) {
    let (from, lower) = (f64::from(from), f64::from(from.min(to)));
    // Frequencies as fractions of the input rate.
    let (pass, stop) = (PASSBAND * lower / 2.0 / from, lower / 2.0 / from);
    let cutoff = (pass + stop) / 2.0;
    // Kaiser's formulas for the window's length and shape.
    let length = (STOPBAND_DB - 8.0) / (2.285 * 2.0 * PI * (stop - pass));
    let half = (length / 2.0).ceil();
    let shape = 0.1102 * (STOPBAND_DB - 8.7);
    let taps = (2 * half as usize + 1).next_multiple_of(LANES);
    let centre = ((taps - 1) / 2) as f64;
    let mut table = Vec::with_capacity((phases + 1) * taps);
    for phase in 0..=phases {
        let shift = centre + phase as f64 / phases as f64;
        let values: Vec<f64> = (0..taps).map(|tap| lowpass(tap as f64 - shift, cutoff, centre, shape)).collect();
        let sum: f64 = values.iter().sum();
        table.extend(values.iter().map(|value| (value / sum) as f32));
    }
    (table, taps)
}

/// The windowed sinc at `x` input samples from its centre; 0 outside the window.
fn lowpass(x: f64, cutoff: f64, half: f64, shape: f64) -> f64 {
    let place = x / half;
    if place.abs() > 1.0 {
        return 0.0;
    }
    let angle = 2.0 * PI * cutoff * x;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    2.0 * cutoff * sinc * bessel_i0(shape * (1.0 - place * place).sqrt()) / bessel_i0(shape)
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-16 {
        term *= (x / 2.0 / k) * (x / 2.0 / k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    let (samples, taps) = (samples.chunks_exact(LANES), taps.chunks_exact(LANES));
    let tail: f32 = samples.remainder().iter().zip(taps.remainder()).map(|(sample, tap)| sample * tap).sum();
    let mut lanes = [0.0_f32; LANES];
    for (samples, taps) in samples.zip(taps) {
        for (lane, (sample, tap)) in lanes.iter_mut().zip(samples.iter().zip(taps)) {
            *lane += sample * tap;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATIOS: [(u32, u32); 9] = [
        (8_000, 44_100),
        (8_000, 48_000),
        (44_100, 8_000),
        (48_000, 8_000),
        (16_000, 8_000),
        (11_025, 8_000),
        (44_099, 8_000),
        (8_000, 8_000),
        (8_000, 7_999),
    ];

    fn sine(rate: u32, hz: f64, count: usize) -> Vec<f32> {
        (0..count).map(|n| (2.0 * PI * hz * n as f64 / f64::from(rate)).sin() as f32).collect()
    }

    fn convert(from: u32, to: u32, input: &[f32]) -> Vec<f32> {
        let (mut resampler, mut output) = (Resampler::new(from, to), Vec::new());
        resampler.process(input, &mut output);
        resampler.finish(&mut output);
        output
    }

    /// Largest difference from the exact sine at the output's own times, away from the ends.
    fn error_db(from: u32, to: u32, hz: f64) -> f64 {
        let output = convert(from, to, &sine(from, hz, from as usize / 2));
        let margin = to as usize / 20;
        let expected = sine(to, hz, output.len());
        let pairs = output.iter().zip(&expected).skip(margin).take(output.len() - 2 * margin);
        let largest = pairs.map(|(a, b)| f64::from(a - b).abs()).fold(0.0, f64::max);
        20.0 * largest.log10()
    }

    #[test]
    fn tones_keep_their_level_and_their_time_to_the_sample() {
        // 0.1 dB is an error of -38.7 dB; DTMF's band is far better.
        for (from, to) in RATIOS {
            for hz in [300.0, 697.0, 1633.0, 2500.0] {
                let error = error_db(from, to, hz);
                assert!(error < -68.0, "{from} to {to} Hz, {hz} Hz: {error:.1} dB");
            }
            let error = error_db(from, to, 3390.0);
            assert!(error < -60.0, "{from} to {to} Hz at the band's edge: {error:.1} dB");
        }
    }

    #[test]
    fn what_would_alias_is_70_db_down() {
        for (from, to) in [(44_100, 8_000), (48_000, 8_000), (16_000, 8_000), (11_025, 8_000), (44_099, 8_000)] {
            for hz in [4_050.0, 4_300.0, 5_000.0] {
                let output = convert(from, to, &sine(from, hz, from as usize / 2));
                let middle = &output[400..output.len() - 400];
                let rms = (middle.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / middle.len() as f64).sqrt();
                let level = 20.0 * (rms * 2_f64.sqrt()).log10();
                assert!(level < -70.0, "{from} to {to} Hz: {hz} Hz comes through at {level:.1} dB");
            }
        }
    }

    #[test]
    fn a_click_stays_where_it_was() {
        for (from, to) in [(8_000_u32, 48_000_u32), (48_000, 8_000), (44_100, 22_050)] {
            let mut input = vec![0.0; from as usize];
            input[from as usize / 2] = 1.0;
            let output = convert(from, to, &input);
            let loudest = (0..output.len()).max_by(|&a, &b| output[a].total_cmp(&output[b])).unwrap();
            assert_eq!(loudest, to as usize / 2, "{from} to {to} Hz");
        }
    }

    #[test]
    fn the_output_does_not_depend_on_how_the_input_is_cut() {
        for (from, to) in RATIOS {
            let input: Vec<f32> = (0..5000_u32).map(|n| ((n * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
            let whole = convert(from, to, &input);
            assert_eq!(whole.len() as u64, (5000 * u64::from(to)).div_ceil(u64::from(from)), "{from} to {to} Hz");
            for size in [1, 7, 80, 160, 441, 4800] {
                let (mut resampler, mut output) = (Resampler::new(from, to), Vec::new());
                for block in input.chunks(size) {
                    let most = resampler.most_output(block.len());
                    let before = output.len();
                    resampler.process(block, &mut output);
                    assert!(output.len() - before <= most);
                }
                resampler.finish(&mut output);
                assert!(output == whole, "{from} to {to} Hz in blocks of {size}");
            }
        }
    }

    #[test]
    fn a_finished_resampler_begins_anew_and_an_empty_stream_gives_nothing() {
        let (mut resampler, mut output) = (Resampler::new(44_100, 8_000), Vec::new());
        resampler.finish(&mut output);
        assert!(output.is_empty());
        let input = sine(44_100, 1000.0, 4410);
        for _ in 0..2 {
            output.clear();
            resampler.process(&input, &mut output);
            resampler.finish(&mut output);
            assert!(output == convert(44_100, 8_000, &input));
        }
    }
}
