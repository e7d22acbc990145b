//! Where the echo is: the delay between what is said and what comes back, by the phase of the two spectra
//! (generalised cross-correlation with phase transform; Knapp and Carter, IEEE Trans. ASSP-24, 1976).

use std::sync::{Arc, OnceLock};

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

/// Longest delay found, in samples: half a second, more than a card's buffers hold.
pub(super) const MOST_DELAY: usize = 4096;
/// Samples compared at once: a second of speech.
const SIZE: usize = 2 * MOST_DELAY;
/// Samples between two comparisons.
const HOP: usize = SIZE / 2;
/// What is said must have this power on average for a comparison to tell anything: -38 dBm0.
const LOUD: f32 = 4e-5;
/// A delay counts if its peak is this many times the average of all...
const PEAK: f32 = 12.0;
/// ...and it was found twice running, this near.
const NEAR: usize = 8;
/// Weight of the newest comparison.
const NEWEST: f32 = 0.5;

/// Both directions' transforms, made once for all calls.
struct Transforms {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

fn transforms() -> &'static Transforms {
    static MADE: OnceLock<Transforms> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut planner = FftPlanner::new();
        Transforms { forward: planner.plan_fft_forward(SIZE), inverse: planner.plan_fft_inverse(SIZE) }
    })
}

/// Compares what is said with what comes back.
pub(super) struct DelayFinder {
    /// What was said (real) and what came back (imaginary): both transforms for the price of one.
    both: Box<[Complex32]>,
    work: Box<[Complex32]>,
    cross: Box<[Complex32]>,
    scratch: Box<[Complex32]>,
    filled: usize,
    last: Option<usize>,
    found: Option<usize>,
}

impl DelayFinder {
    pub(super) fn new() -> Self {
        let zeros = |count| vec![Complex32::ZERO; count].into_boxed_slice();
        let Transforms { forward, inverse } = transforms();
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        Self {
            both: zeros(SIZE),
            work: zeros(SIZE),
            cross: zeros(SIZE),
            scratch: zeros(scratch),
            filled: 0,
            last: None,
            found: None,
        }
    }

    /// Takes what was said and what came at the same time.
    pub(super) fn listen(&mut self, said: &[f32], line: &[f32]) {
        for (said, line) in said.iter().zip(line) {
            self.both[self.filled] = Complex32::new(*said, *line);
            self.filled += 1;
            if self.filled == SIZE {
                self.compare();
                self.both.copy_within(HOP.., 0);
                self.filled = SIZE - HOP;
            }
        }
    }

    /// The delay in samples, if one was found since the last time.
    pub(super) const fn take(&mut self) -> Option<usize> {
        self.found.take()
    }

    fn compare(&mut self) {
        let power = self.both.iter().map(|both| both.re * both.re).sum::<f32>() / SIZE as f32;
        if power < LOUD {
            return;
        }
        self.work.copy_from_slice(&self.both);
        transforms().forward.process_with_scratch(&mut self.work, &mut self.scratch);
        for index in 0..SIZE {
            let (here, mirrored) = (self.work[index], self.work[(SIZE - index) % SIZE].conj());
            let (said, line) = ((here + mirrored) * 0.5, (here - mirrored) * Complex32::new(0.0, -0.5));
            let product = line * said.conj();
            let phase = product / product.norm().max(f32::MIN_POSITIVE);
            self.cross[index] = self.cross[index] * (1.0 - NEWEST) + phase * NEWEST;
        }
        self.work.copy_from_slice(&self.cross);
        transforms().inverse.process_with_scratch(&mut self.work, &mut self.scratch);
        self.judge();
    }

    fn judge(&mut self) {
        let sizes = || self.work[..MOST_DELAY].iter().map(|value| value.norm());
        let mean = sizes().sum::<f32>() / MOST_DELAY as f32;
        let peak = sizes().enumerate().max_by(|one, other| one.1.total_cmp(&other.1));
        let delay = peak.filter(|(_, size)| *size > PEAK * mean).map(|(delay, _)| delay);
        if let (Some(delay), Some(last)) = (delay, self.last)
            && delay.abs_diff(last) <= NEAR
        {
            self.found = Some(delay);
        }
        self.last = delay;
    }
}
