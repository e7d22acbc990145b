//! An echo path, learned by the normalised least-mean-squares rule.

/// Length of the path, in samples: 64 ms.
pub(super) const TAPS: usize = 512;
/// Sums run in this many lanes, which the compiler turns into vector instructions; the order never changes.
const LANES: usize = 16;
/// Step of the rule, 0 to 2: how much of the error is mended at once.
const STEP: f32 = 0.3;
/// Added to the power the step is divided by, so that silence teaches nothing: -60 dBm0 over the span.
const FLOOR: f32 = TAPS as f32 * 2e-7;
/// The path's weights, the oldest sample's first.
pub(super) struct Nlms {
    weights: Box<[f32; TAPS]>,
    /// Whether every weight is zero: then nothing is computed.
    blank: bool,
    /// Sum of squares of the span learned from last, kept up to date sample by sample; computed anew once a span.
    power: f32,
    oldest: f32,
    since_sum: usize,
}

impl Nlms {
    pub(super) fn new() -> Self {
        Self { weights: Box::new([0.0; TAPS]), blank: true, power: 0.0, oldest: 0.0, since_sum: TAPS }
    }

    pub(super) fn clear(&mut self) {
        self.weights.fill(0.0);
        (self.blank, self.since_sum) = (true, TAPS);
    }

    /// Spans will be passed over: the sum of squares is no longer up to date.
    pub(super) const fn pass_over(&mut self) {
        self.since_sum = TAPS;
    }

    /// Whether nothing was learned yet.
    pub(super) const fn is_blank(&self) -> bool {
        self.blank
    }

    pub(super) fn become_like(&mut self, other: &Self) {
        self.weights.copy_from_slice(&*other.weights);
        (self.blank, self.since_sum) = (other.blank, TAPS);
    }

    /// The echo of what was said in the span, `TAPS` samples.
    pub(super) fn echo(&self, said: &[f32]) -> f32 {
        if self.blank {
            return 0.0;
        }
        let mut sums = [0.0; LANES];
        for (weights, said) in self.weights.chunks_exact(LANES).zip(said.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sums[lane] += weights[lane] * said[lane];
            }
        }
        sums.iter().sum()
    }

    /// Mends the path by what it left over of a span.
    pub(super) fn learn(&mut self, said: &[f32], error: f32) {
        if self.since_sum >= TAPS {
            // Sums kept up to date drift.
            (self.power, self.since_sum) = (said.iter().map(|sample| sample * sample).sum(), 0);
        } else {
            self.power += said[TAPS - 1] * said[TAPS - 1] - self.oldest * self.oldest;
            self.since_sum += 1;
        }
        self.oldest = said[0];
        let step = STEP * error / (self.power.max(0.0) + FLOOR);
        if step == 0.0 || !step.is_finite() {
            return;
        }
        self.blank = false;
        for (weights, said) in self.weights.chunks_exact_mut(LANES).zip(said.chunks_exact(LANES)) {
            for lane in 0..LANES {
                weights[lane] += step * said[lane];
            }
        }
    }
}
