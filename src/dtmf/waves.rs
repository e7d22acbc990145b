//! Waveforms eight samples at a time, for kernels.

/// Samples taken together.
pub(crate) const LANES: usize = 8;

/// Eight neighbouring samples.
pub(crate) type Lanes = [f32; LANES];

/// Sum over the lanes, in pairs.
#[inline(always)]
pub(crate) fn sum(lanes: &Lanes) -> f32 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Eight neighbouring samples of a cosine and a sine.
#[derive(Clone, Copy)]
pub(crate) struct Wave {
    pub(crate) cos: Lanes,
    pub(crate) sin: Lanes,
    /// Turn by eight samples.
    turn: [f32; 2],
}

impl Wave {
    /// With `step` radians a sample; `start` radians at the first.
    #[inline(always)]
    pub(crate) fn at(step: f32, start: f32) -> Self {
        let (step_sin, step_cos) = step.sin_cos();
        let (start_sin, start_cos) = start.sin_cos();
        let mut turns = [[1.0, 0.0], [step_cos, step_sin], [0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2]];
        for at in 2..LANES {
            turns[at] = product(turns[at / 2], turns[at - at / 2]);
        }
        let turn = product(turns[4], turns[4]);
        let (mut cos, mut sin) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            [cos[lane], sin[lane]] = product(turns[lane], [start_cos, start_sin]);
        }
        Self { cos, sin, turn }
    }

    /// The next eight samples.
    #[inline(always)]
    pub(crate) fn go_on(&mut self) {
        let (Self { cos, sin, .. }, [turn_cos, turn_sin]) = (*self, self.turn);
        for lane in 0..LANES {
            self.cos[lane] = cos[lane] * turn_cos - sin[lane] * turn_sin;
            self.sin[lane] = cos[lane] * turn_sin + sin[lane] * turn_cos;
        }
    }
}

#[inline(always)]
fn product(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_the_plain_formula_within_five_parts_in_a_million() {
        let (step, start) = (2.565, -130.7);
        let mut wave = Wave::at(step, start);
        for first in (0..280).step_by(LANES) {
            for lane in 0..LANES {
                let angle = f64::from(start) + f64::from(step) * (first + lane) as f64;
                assert!((f64::from(wave.cos[lane]) - angle.cos()).abs() < 2e-5, "sample {}", first + lane);
                assert!((f64::from(wave.sin[lane]) - angle.sin()).abs() < 2e-5, "sample {}", first + lane);
            }
            wave.go_on();
        }
    }

    #[test]
    fn all_lanes_are_summed() {
        assert_eq!(sum(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]), 255.0);
    }
}
