//! A line that carries the high tones stronger or weaker than the low ones.

use std::f64::consts::TAU;

/// Middle of the low group in Hz.
const LOW_HZ: f64 = 819.0;
/// Middle of the high group in Hz.
const HIGH_HZ: f64 = 1421.0;

/// A high shelf between the two groups: second-order, bilinear (the audio equaliser cookbook's form).
#[derive(Clone, Debug)]
pub(super) struct Tilt {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Tilt {
    /// Lowers the high group by `twist_db` against the low group (negative: the low group), the stronger one unchanged.
    pub(super) fn new(sample_rate: u32, twist_db: f64) -> Self {
        let difference = |shelf_db: f64| {
            let tilt = Self::shelf(sample_rate, shelf_db, 0.0);
            tilt.response_db(sample_rate, LOW_HZ) - tilt.response_db(sample_rate, HIGH_HZ)
        };
        // The shelf's own gain is larger than the difference between the groups; bisection finds it.
        let (mut from, mut to) = (-60.0, 60.0);
        for _ in 0..50 {
            let middle = 0.5 * (from + to);
            if difference(middle) > twist_db { from = middle } else { to = middle }
        }
        let tilt = Self::shelf(sample_rate, from, 0.0);
        let strong = if twist_db > 0.0 { LOW_HZ } else { HIGH_HZ };
        Self::shelf(sample_rate, from, -tilt.response_db(sample_rate, strong))
    }

    fn shelf(sample_rate: u32, shelf_db: f64, gain_db: f64) -> Self {
        let amplitude = 10f64.powf(shelf_db / 40.0);
        let w = TAU * (LOW_HZ * HIGH_HZ).sqrt() / f64::from(sample_rate);
        let (sin, cos) = w.sin_cos();
        let alpha = sin / 2.0 * std::f64::consts::SQRT_2;
        let root = 2.0 * amplitude.sqrt() * alpha;
        let (up, down) = (amplitude + 1.0, amplitude - 1.0);
        let gain = 10f64.powf(gain_db / 20.0);
        let a0 = up - down * cos + root;
        let b = [
            amplitude * (up + down * cos + root),
            -2.0 * amplitude * (down + up * cos),
            amplitude * (up + down * cos - root),
        ];
        let a = [2.0 * (down - up * cos), up - down * cos - root];
        Self { b: b.map(|b| gain * b / a0), a: a.map(|a| a / a0), state: [0.0; 2] }
    }

    fn response_db(&self, sample_rate: u32, hz: f64) -> f64 {
        let w = TAU * hz / f64::from(sample_rate);
        let magnitude = |c: [f64; 3]| {
            (c[0] + c[1] * w.cos() + c[2] * (2.0 * w).cos()).hypot(c[1] * w.sin() + c[2] * (2.0 * w).sin())
        };
        20.0 * (magnitude(self.b) / magnitude([1.0, self.a[0], self.a[1]])).log10()
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        let x = f64::from(sample);
        let y = self.b[0] * x + self.state[0];
        self.state = [self.b[1] * x - self.a[0] * y + self.state[1], self.b[2] * x - self.a[1] * y];
        y as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weaker_group_is_down_by_the_twist_and_the_stronger_is_kept() {
        for twist in [-10.0, -4.0, 3.0, 8.0] {
            let tilt = Tilt::new(8000, twist);
            let (low, high) = (tilt.response_db(8000, LOW_HZ), tilt.response_db(8000, HIGH_HZ));
            assert!((low - high - twist).abs() < 0.01, "{twist}: {low} {high}");
            assert!(low.max(high).abs() < 0.01, "{twist}: {low} {high}");
        }
    }
}
