//! The filters of the front end: impulse responses, taps at any rate, and the response that levels are corrected by.

use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Length of the impulse responses in seconds. Its half is the delay of the front end.
const SPAN_S: f64 = 4.25e-3;

/// A linear-phase filter: its impulse response is a sum of cosines `c[k] * cos(tau * k * t / SPAN_S)` over `SPAN_S`.
pub(crate) struct Filter(&'static [f64]);

/// 600-1900 Hz: a linear-programming design for least ripple in the stop bands 0-450 and above 2300 Hz with at most 10 %
/// ripple in 675-1680 Hz. The constant was taken out of it (it was 0.05926): an input's offset is no sound, hum is almost
/// none, and the rest of the stop bands changes by 2 dB at most.
pub(crate) const BAND: Filter = Filter(&[
    0.0, -0.02364, 0.22345, 1.97862, 1.90357, 2.08406, 1.93638, 2.07079, 1.45076, -0.44027, 0.03238, -0.06377,
]);
/// Greatest gain of power of [`BAND`] at any frequency, with what folds onto it at 4 kHz.
pub(crate) const MOST_GAIN: f32 = 1.3;
/// 0-350 Hz: a Hann window.
pub(crate) const LOW_BAND: Filter = Filter(&[1.0, 1.0]);

impl Filter {
    /// Half the length in samples at a rate in Hz.
    pub(crate) fn half_span(&self, rate: u64) -> usize {
        (SPAN_S * 0.5 * rate as f64) as usize
    }

    /// Taps for input samples `-half ..= half + 1` around an output `phase` (0..1) of a sample after sample 0.
    pub(crate) fn taps(&self, rate: u64, half: usize, phase: f64) -> Vec<f32> {
        let tap = |i: usize| {
            let t = (i as f64 - half as f64 - phase) / rate as f64;
            (self.impulse(t) / (SPAN_S * rate as f64)) as f32
        };
        (0..2 * half + 2).map(tap).collect()
    }

    fn impulse(&self, t: f64) -> f64 {
        if t.abs() >= SPAN_S * 0.5 {
            return 0.0;
        }
        self.0.iter().enumerate().map(|(k, c)| c * (TAU * k as f64 * t / SPAN_S).cos()).sum()
    }

    /// Amplitude response at a frequency in Hz, by the formula.
    fn response(&self, hz: f64) -> f64 {
        let sinc = |x: f64| if x.abs() < 1e-9 { 1.0 } else { (TAU * 0.5 * x).sin() / (TAU * 0.5 * x) };
        let cosine = |(k, c): (usize, &f64)| 0.5 * c * (sinc(hz * SPAN_S - k as f64) + sinc(hz * SPAN_S + k as f64));
        self.0.iter().enumerate().map(cosine).sum()
    }
}

/// Spacing in Hz and number of the frequencies the response is tabulated for: 0 to 2400 Hz.
const TABULATED_HZ: f64 = 10.0;
const TABULATED: usize = 241;
static RESPONSES: LazyLock<[f32; TABULATED]> =
    LazyLock::new(|| std::array::from_fn(|at| BAND.response(at as f64 * TABULATED_HZ) as f32));

/// Tabulates the response, so that the first digit need not wait for it.
pub(crate) fn prepare_response() {
    LazyLock::force(&RESPONSES);
}

/// Amplitude response of [`BAND`] at a frequency in Hz.
pub(crate) fn response(hz: f32) -> f32 {
    let place = (hz / TABULATED_HZ as f32).clamp(0.0, (TABULATED - 2) as f32);
    let below = place as usize;
    let part = place - below as f32;
    RESPONSES[below] + part * (RESPONSES[below + 1] - RESPONSES[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_gone_and_hum_is_48_db_down() {
        assert!(BAND.response(0.0).abs() < 1e-6);
        for hz in [50.0, 60.0] {
            assert!(BAND.response(hz).abs() < 0.004, "{hz} Hz: {}", BAND.response(hz));
        }
    }

    #[test]
    fn dial_tones_hum_and_what_would_fold_are_24_db_down() {
        for hz in [0.0, 50.0, 60.0, 350.0, 400.0, 425.0, 440.0, 2400.0, 3000.0, 3990.0] {
            assert!(BAND.response(hz).abs() < 0.061, "{hz} Hz: {}", BAND.response(hz));
        }
    }

    #[test]
    fn no_frequency_gains_more_than_is_told() {
        for hz in (0..2000).map(f64::from) {
            let folded = (1..12).flat_map(|n| [4000.0 * f64::from(n) - hz, 4000.0 * f64::from(n) + hz]);
            let gain: f64 = folded.chain([hz]).map(|hz| BAND.response(hz).powi(2)).sum();
            assert!(gain < 0.97 * f64::from(MOST_GAIN), "{hz} Hz: {gain}");
        }
    }

    #[test]
    fn the_tabulated_response_is_the_exact_one() {
        for hz in [0.0, 333.3, 697.0, 703.0, 1209.9, 1633.0, 1680.0, 2100.0] {
            assert!((f64::from(response(hz)) - BAND.response(f64::from(hz))).abs() < 2e-3, "{hz} Hz");
        }
    }
}
