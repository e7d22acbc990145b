//! The recent past of the filtered stream: samples, Goertzel sub-blocks and their powers.

use super::front_end::Filtered;
use super::kernel::{HOP, Kernel, Phasors, TONES};

/// Sub-blocks remembered: 192 ms.
pub(crate) const MEMORY: usize = 192;
/// Sub-blocks in the short coherent window: 12 ms.
pub(crate) const SHORT: usize = 12;
/// Filtered samples in the short coherent window.
pub(crate) const SHORT_SAMPLES: usize = SHORT * HOP;
/// Filtered samples remembered: 256 ms.
const SAMPLES: usize = 1024;

/// The recent past. Ages count back from the newest entry, which has age 0.
pub(crate) struct History {
    kernel: Kernel,
    /// Every sample twice, `SAMPLES` apart, so that any window is one slice.
    samples: Box<[f32; 2 * SAMPLES]>,
    count: u64,
    low: f32,
    blocks: Box<[Phasors; MEMORY]>,
    short: Box<[Phasors; MEMORY]>,
    powers: Box<[[f32; TONES]; MEMORY]>,
    band_energy: Box<[f32; MEMORY]>,
    low_energy: Box<[f32; MEMORY]>,
    hops: u64,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            kernel: Kernel::new(),
            samples: Box::new([0.0; 2 * SAMPLES]),
            count: 0,
            low: 0.0,
            blocks: Box::new([Phasors::default(); MEMORY]),
            short: Box::new([Phasors::default(); MEMORY]),
            powers: Box::new([[0.0; TONES]; MEMORY]),
            band_energy: Box::new([0.0; MEMORY]),
            low_energy: Box::new([0.0; MEMORY]),
            hops: 0,
        }
    }

    /// Takes a sample; true when it completes a sub-block.
    pub(crate) fn push(&mut self, sample: Filtered) -> bool {
        let slot = (self.count % SAMPLES as u64) as usize;
        self.samples[slot] = sample.band;
        self.samples[slot + SAMPLES] = sample.band;
        self.low += sample.low.map_or(0.0, |low| low * low);
        self.count += 1;
        let complete = self.count.is_multiple_of(HOP as u64);
        if complete {
            self.complete();
        }
        complete
    }

    fn complete(&mut self) {
        let mut block = [0.0; HOP];
        block.copy_from_slice(self.last(HOP));
        let slot = (self.hops % MEMORY as u64) as usize;
        self.blocks[slot] = self.kernel.next(&block);
        self.band_energy[slot] = block.iter().map(|x| x * x).sum();
        self.low_energy[slot] = std::mem::take(&mut self.low);
        self.hops += 1;
        let mut sum = Phasors::default();
        for age in 0..SHORT {
            sum.add(&self.blocks[self.slot(age)]);
        }
        self.short[slot] = sum;
        self.powers[slot] = sum.powers();
    }

    fn slot(&self, age: usize) -> usize {
        debug_assert!(age < MEMORY);
        ((self.hops + (2 * MEMORY - 1 - age) as u64) % MEMORY as u64) as usize
    }

    /// Filtered samples so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The last `n` filtered samples.
    pub(crate) fn last(&self, n: usize) -> &[f32] {
        self.window(n, 0)
    }

    /// `n` filtered samples that end `back` samples ago.
    pub(crate) fn window(&self, n: usize, back: usize) -> &[f32] {
        let end = ((self.count + SAMPLES as u64 - 1 - back as u64) % SAMPLES as u64) as usize + 1 + SAMPLES;
        let end = if end > 2 * SAMPLES { end - SAMPLES } else { end };
        &self.samples[end - n..end]
    }

    /// Correlations over the short window.
    pub(crate) fn short(&self, age: usize) -> &Phasors {
        &self.short[self.slot(age)]
    }

    /// Squared magnitudes of [`Self::short`].
    pub(crate) fn powers(&self, age: usize) -> &[f32; TONES] {
        &self.powers[self.slot(age)]
    }

    /// Energy in the DTMF band over sub-blocks `age .. age + n`.
    pub(crate) fn band_energy(&self, age: usize, n: usize) -> f32 {
        (age..age + n).map(|age| self.band_energy[self.slot(age)]).sum()
    }

    /// Energy in the low band over sub-blocks `age .. age + n`, as a sum over filtered samples.
    pub(crate) fn low_energy(&self, age: usize, n: usize) -> f32 {
        2.0 * (age..age + n).map(|age| self.low_energy[self.slot(age)]).sum::<f32>()
    }
}
