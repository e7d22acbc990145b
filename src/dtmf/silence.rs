//! Whether what was heard is too little to hold a digit, at the cost of less than an instruction for each sample.

use super::filter::MOST_GAIN;
use super::front_end::WORKING_RATE;
use super::halving::TELEPHONE_RATE;
use super::input::Input;
use std::ops::Range;

/// Input samples added up at a time, the newest first: what is loud shows it soon.
const LOOK: usize = 32;

/// What is known of loud and of silent input. Positions are those in the stream, negative while the zeros before it are.
pub(crate) struct Silence {
    rate: u64,
    /// Energy that input samples have for that of the filtered ones, at least.
    least_gain: f32,
    /// The last filtered sample from whose input on there was too much.
    loud: u64,
    /// Up to which input sample there was too little when that was asked last, and the energy of those asked about, or more.
    quiet: Option<(i64, f32)>,
}

impl Silence {
    /// At an input rate in Hz.
    pub(crate) fn new(rate: u64) -> Self {
        let least_gain = rate as f32 / (WORKING_RATE as f32 * MOST_GAIN);
        Self { rate, least_gain, loud: 0, quiet: None }
    }

    /// Whether what begins with a filtered sample may be silent, as far as is known.
    #[inline]
    pub(crate) fn may_begin_at(&self, first: u64) -> bool {
        first > self.loud
    }

    /// Whether some input samples, the first of which is at `origin`, have too little for so much filtered energy; remembers where
    /// they have not. It is asked with ever later samples, and always about the same energy.
    #[inline]
    pub(crate) fn has_less(&mut self, input: &Input, origin: i64, samples: Range<usize>, energy: f32) -> bool {
        let most = energy * self.least_gain;
        let sum = self.sum_since(input, origin, &samples).filter(|sum| *sum < most);
        let (sum, from) = sum.map_or_else(|| sum_up_to(most, input, &samples), |sum| (sum, samples.end));
        let is_less = sum < most;
        if sum >= most {
            self.loud = self.filtered_at((from as i64 + origin).max(0) as u64);
        }
        self.quiet = is_less.then_some((samples.end as i64 + origin, sum));
        is_less
    }

    /// Energy of samples and of some before them, if most of it is known.
    fn sum_since(&self, input: &Input, origin: i64, samples: &Range<usize>) -> Option<f32> {
        let (known, sum) = self.quiet?;
        let known =
            usize::try_from(known - origin).ok().filter(|known| (samples.start..=samples.end).contains(known))?;
        Some(sum + input.energy(known..samples.end))
    }

    /// The last filtered sample up to an input sample.
    fn filtered_at(&self, index: u64) -> u64 {
        if self.rate == TELEPHONE_RATE { index / 2 } else { index * u64::from(WORKING_RATE) / self.rate }
    }
}

/// Energy of samples, the newest first, until it is so much; and the first of those added up.
fn sum_up_to(most: f32, input: &Input, samples: &Range<usize>) -> (f32, usize) {
    let (mut sum, mut from) = (0.0, samples.end);
    while from > samples.start && sum < most {
        let part = from.saturating_sub(LOOK).max(samples.start)..from;
        from = part.start;
        sum += input.energy(part);
    }
    (sum, from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::simd::Simd;

    #[test]
    fn what_is_known_from_before_changes_no_verdict() {
        let mut rng = fastrand::Rng::with_seed(21);
        let (mut input, mut silence) = (Input::new(200_000, 0, true, Simd::detect()), Silence::new(8000));
        let most = 1e-3 * silence.least_gain;
        let (mut told, mut start) = ([0, 0], 0);
        while input.heard() < 190_000 {
            let level = [1e-3, 3e-3, 6e-3, 1.2e-2][rng.usize(0..4)];
            let length = rng.usize(1..400);
            input.push(&(0..length).map(|_| level * (rng.f32() - 0.5)).collect::<Vec<f32>>());
            start = start.max(input.heard().saturating_sub(rng.usize(100..600)));
            let energy = input.energy(start..input.heard());
            let is_less = silence.has_less(&input, 0, start..input.heard(), 1e-3);
            // Sums in another order may differ in their last bits.
            assert!(if is_less { energy < 1.0001 * most } else { energy > 0.9999 * most }, "{energy} {most}");
            told[usize::from(is_less)] += 1;
        }
        assert!(told[0] > 100 && told[1] > 100, "{told:?}");
    }
}
