//! A carrier that is put back at the wrong frequency: every tone moves by the same number of Hz.

use std::f64::consts::{PI, TAU};

/// Lowest frequency that is moved cleanly, in Hz: the filter is made long enough for it.
const LOWEST_HZ: f64 = 200.0;

/// Single-sideband frequency shift: a Hilbert filter makes the analytic signal, which is turned.
#[derive(Clone, Debug)]
pub(super) struct CarrierOffset {
    /// The filter's taps at odd distances from its middle, from the nearest; those at even ones are zero.
    taps: Vec<f32>,
    ring: Vec<f32>,
    position: usize,
    phase: f64,
    step: f64,
}

impl CarrierOffset {
    /// Moves everything up by `hz` (down where negative).
    pub(super) fn new(sample_rate: u32, hz: f64) -> Self {
        let rate = f64::from(sample_rate);
        let half = (2.0 * rate / LOWEST_HZ).ceil() as usize;
        let tap = |n: usize| {
            let distance = (2 * n + 1) as f64;
            let window = 0.54 + 0.46 * (PI * distance / half as f64).cos();
            (2.0 / (PI * distance) * window) as f32
        };
        let taps: Vec<f32> = (0..half / 2).map(tap).collect();
        Self { ring: vec![0.0; 4 * taps.len() + 1], taps, position: 0, phase: 0.0, step: TAU * hz / rate }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        let (size, middle) = (self.ring.len(), 2 * self.taps.len());
        self.ring[self.position] = sample;
        let at = |late: usize| self.ring[(self.position + size - late) % size];
        let quadrature: f32 =
            self.taps.iter().enumerate().map(|(n, tap)| tap * (at(middle + 2 * n + 1) - at(middle - 2 * n - 1))).sum();
        let (sin, cos) = self.phase.sin_cos();
        let turned = f64::from(at(middle)) * cos - f64::from(quadrature) * sin;
        self.phase = (self.phase + self.step) % TAU;
        self.position = (self.position + 1) % size;
        turned as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_moves_by_the_offset_and_keeps_its_level() {
        for (hz, offset) in [(697.0, 10.0), (1633.0, 10.0), (941.0, -15.0)] {
            let mut carrier = CarrierOffset::new(8000, offset);
            let step = TAU * hz / 8000.0;
            let heard: Vec<f32> = (0..9000).map(|n| carrier.next((step * f64::from(n)).sin() as f32)).collect();
            let heard = &heard[1000..];
            let power = |hz: f64| {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, x) in heard.iter().enumerate() {
                    let (sin, cos) = (TAU * hz / 8000.0 * n as f64).sin_cos();
                    re += f64::from(*x) * cos;
                    im += f64::from(*x) * sin;
                }
                (re * re + im * im).sqrt() * 2.0 / heard.len() as f64
            };
            assert!((power(hz + offset) - 1.0).abs() < 0.02, "{hz}: {}", power(hz + offset));
            assert!(power(hz - offset) < 0.01 && power(hz) < 0.01, "{hz}: {} {}", power(hz - offset), power(hz));
        }
    }
}
