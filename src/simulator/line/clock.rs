//! Two clocks that do not agree: the audio runs slightly fast or slow, and slips when the buffer is over.

/// Samples the reading point may move before it slips back.
const SLACK: usize = 64;

/// Reads a stream at a rate of its own by cubic interpolation and slips by [`SLACK`] samples when it must.
#[derive(Clone, Debug)]
pub(super) struct ClockOffset {
    ring: [f32; 4 * SLACK],
    written: usize,
    delay: f64,
    drift: f64,
}

impl ClockOffset {
    /// `ppm` > 0: the sender's clock is fast, tones sound higher by that many parts in a million.
    pub(super) fn new(ppm: f64) -> Self {
        Self { ring: [0.0; 4 * SLACK], written: 0, delay: 1.5 * SLACK as f64, drift: -ppm * 1e-6 }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        let size = self.ring.len();
        self.ring[self.written % size] = sample;
        self.written += 1;
        self.delay += self.drift;
        let (least, most) = (SLACK as f64, 2.0 * SLACK as f64);
        if self.delay < least {
            self.delay += SLACK as f64;
        } else if self.delay > most {
            self.delay -= SLACK as f64;
        }
        let position = self.written as f64 + size as f64 - self.delay;
        let (index, t) = (position as usize, position.fract() as f32);
        let at = |offset: usize| self.ring[(index + offset + size - 1) % size];
        let (a, b, c, d) = (at(0), at(1), at(2), at(3));
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_raises_a_tone_by_its_parts_per_million() {
        // 500 Hz for 0.2 s at +10000 ppm: the phase runs ahead by one hundredth; no slip happens within it.
        let mut clock = ClockOffset::new(10_000.0);
        let step = std::f64::consts::TAU * 500.0 / 8000.0;
        let heard: Vec<f32> = (0..4000).map(|n| clock.next((step * f64::from(n)).sin() as f32)).collect();
        let crossings = heard[400..3600].windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((201..=203).contains(&crossings), "{crossings}");
        assert!(heard.iter().all(|x| x.abs() < 1.1));
    }
}
