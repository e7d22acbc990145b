//! A block of samples, one plane per channel.

/// Most frames a [`Block`] from this room's readers holds: a second at 8 kHz, 32 KiB a channel.
pub const BLOCK_FRAMES: usize = 8192;

/// Samples of all channels over one stretch of time, channel by channel; full scale is 1.0.
///
/// Every plane has the same length. Reusing a block keeps its allocations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    planes: Vec<Vec<f32>>,
}

impl Block {
    /// An empty block that knows no channels yet.
    pub const fn new() -> Self {
        Self { planes: Vec::new() }
    }

    /// Frames (samples per channel) in the block.
    pub fn frames(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Channels in the block.
    pub fn channels(&self) -> usize {
        self.planes.len()
    }

    /// Whether the block holds no sample.
    pub fn is_empty(&self) -> bool {
        self.frames() == 0
    }

    /// One channel's samples.
    ///
    /// # Panics
    /// If `channel` is not below [`channels`](Self::channels).
    pub fn channel(&self, channel: usize) -> &[f32] {
        &self.planes[channel]
    }

    /// Empties the block and gives it `channels` planes, keeping allocations.
    pub(super) fn reset(&mut self, channels: usize) {
        self.planes.resize_with(channels, Vec::new);
        self.planes.iter_mut().for_each(Vec::clear);
    }

    pub(super) fn planes_mut(&mut self) -> &mut Vec<Vec<f32>> {
        &mut self.planes
    }

    /// Appends the frames `from..` of `other`, up to `most` of them; answers how many.
    pub(super) fn append(&mut self, other: &Self, from: usize, most: usize) -> usize {
        let count = (other.frames() - from).min(most);
        for (plane, source) in self.planes.iter_mut().zip(&other.planes) {
            plane.extend_from_slice(&source[from..from + count]);
        }
        count
    }
}
