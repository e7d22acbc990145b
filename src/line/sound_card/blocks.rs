//! Blocks, and what the input callback does: cut the card's frames into them.
//!
//! Nothing here allocates, locks or waits.

use std::sync::Arc;

use cpal::{FromSample, Sample, SizedSample};
use crossbeam_channel::Sender;

use super::Stats;

/// Most samples in a [`Block`]: 20 ms at 8 kHz, 3.3 ms at 48 kHz.
pub const BLOCK_SAMPLES: usize = 160;

/// Up to [`BLOCK_SAMPLES`] samples of one channel, without a pointer to anything: moving it allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    samples: [f32; BLOCK_SAMPLES],
    length: usize,
}

impl Block {
    /// A block of the first [`BLOCK_SAMPLES`] of `samples` (full scale 1.0).
    pub fn new(samples: &[f32]) -> Self {
        let length = samples.len().min(BLOCK_SAMPLES);
        let mut block = Self { samples: [0.0; BLOCK_SAMPLES], length };
        block.samples[..length].copy_from_slice(&samples[..length]);
        block
    }

    /// The samples, full scale 1.0.
    pub fn samples(&self) -> &[f32] {
        &self.samples[..self.length]
    }
}

impl Default for Block {
    /// No samples.
    fn default() -> Self {
        Self::new(&[])
    }
}

/// The input callback's work.
pub(super) struct Capture {
    blocks: Sender<Block>,
    channels: usize,
    channel: usize,
    stats: Arc<Stats>,
}

impl Capture {
    /// Takes `channel` of `channels` interleaved ones.
    pub(super) fn new(blocks: Sender<Block>, channels: usize, channel: usize, stats: Arc<Stats>) -> Self {
        Self { blocks, channels, channel, stats }
    }

    /// Takes whatever length the card delivers and passes it on at once.
    pub(super) fn take<T: SizedSample>(&self, frames: &[T])
    where
        f32: FromSample<T>,
    {
        for part in frames.chunks(BLOCK_SAMPLES * self.channels) {
            let mut block = Block::default();
            for (to, frame) in block.samples.iter_mut().zip(part.chunks_exact(self.channels)) {
                *to = f32::from_sample(frame[self.channel]);
                block.length += 1;
            }
            Stats::add(&self.stats.heard, block.length);
            if self.blocks.try_send(block).is_err() {
                Stats::add(&self.stats.heard_dropped, block.length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    fn ramp(count: usize) -> Vec<f32> {
        (0..count).map(|n| n as f32 / 1024.0).collect()
    }

    #[test]
    fn capture_passes_on_its_channel_whatever_the_callback_length() {
        let (sender, receiver) = bounded(1000);
        let stats = Arc::new(Stats::default());
        let capture = Capture::new(sender, 2, 1, Arc::clone(&stats));
        let right = ramp(1001);
        let frames: Vec<f32> = right.iter().flat_map(|&sample| [-1.0, sample]).collect();
        let mut rest = &frames[..];
        for length in [106, 160, 1, 500, 234].into_iter().cycle() {
            let (now, later) = rest.split_at((2 * length).min(rest.len()));
            capture.take(now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let heard: Vec<f32> = receiver.try_iter().flat_map(|block| block.samples().to_vec()).collect();
        assert!(heard == right && stats.heard() == 1001 && stats.heard_dropped() == 0);
    }

    #[test]
    fn capture_drops_and_counts_what_nobody_takes() {
        let (sender, receiver) = bounded(2);
        let stats = Arc::new(Stats::default());
        Capture::new(sender, 1, 0, Arc::clone(&stats)).take(&[0_i16; 5 * BLOCK_SAMPLES]);
        assert_eq!((receiver.len(), stats.heard(), stats.heard_dropped()), (2, 800, 480));
    }

    #[test]
    fn every_sample_form_is_converted() {
        let (sender, receiver) = bounded(9);
        let capture = Capture::new(sender, 1, 0, Arc::default());
        capture.take(&[i16::MIN, 0, 16_384]);
        capture.take(&[0_u8, 128, 192]);
        capture.take(&[i32::MIN, 0, 1 << 30]);
        let heard: Vec<Vec<f32>> = receiver.try_iter().map(|block| block.samples().to_vec()).collect();
        assert_eq!(heard, [[-1.0, 0.0, 0.5]; 3]);
    }
}
