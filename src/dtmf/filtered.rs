//! The last filtered samples, one behind the other.

use super::front_end::ROOM;
use super::kernel::HOP;
use super::past::KNOWN;

/// Filtered samples kept: 256 ms.
pub(crate) const KEPT: usize = KNOWN * HOP;
/// Filtered samples gone through before those kept are brought back to the beginning.
const STRETCH: usize = 7168;

/// The last filtered samples. There are zeros before the first.
pub(crate) struct Filtered {
    all: Box<[f32; KEPT + STRETCH]>,
    /// Where those that come next belong.
    end: usize,
}

impl Filtered {
    pub(crate) fn new() -> Self {
        Self { all: Box::new([0.0; KEPT + STRETCH]), end: KEPT }
    }

    /// Room for those that come next. What is kept may be moved for it.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [f32; ROOM] {
        if self.end + ROOM > self.all.len() {
            self.all.copy_within(self.end - KEPT..self.end, 0);
            self.end = KEPT;
        }
        self.all[self.end..].first_chunk_mut().expect("there is room for as many")
    }

    /// Keeps so many of those put into the room.
    #[inline]
    pub(crate) fn go_on(&mut self, new: usize) {
        self.end += new;
    }

    /// All that are kept, [`KEPT`] at least, up to the newest.
    #[inline]
    pub(crate) fn kept_mut(&mut self) -> &mut [f32] {
        &mut self.all[..self.end]
    }

    /// So many of the newest, and behind them what does not matter.
    #[inline]
    pub(crate) fn newest_and_beyond(&self, new: usize) -> &[f32] {
        &self.all[self.end - new..]
    }

    /// `n` samples that end `back` samples before the end of what is kept, or, if that is negative, as many behind it.
    #[inline]
    pub(crate) fn window(&self, n: usize, back: isize) -> &[f32] {
        let end = self.end.wrapping_sub_signed(back);
        &self.all[end - n..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_however_far_it_went() {
        let mut samples = Filtered::new();
        let mut count = 0;
        for new in [160, 256, 16, 80].into_iter().cycle().take(200) {
            let room = samples.room();
            room[..new].iter_mut().for_each(|sample| (*sample, count) = (count as f32, count + 1));
            samples.go_on(new);
            assert_eq!(samples.newest_and_beyond(new)[0], (count - new) as f32);
            let kept = count.min(KEPT);
            let window = samples.window(kept, 0);
            assert!((count - kept..count).zip(window).all(|(expected, sample)| *sample == expected as f32));
            assert_eq!(samples.window(1, 15), &window[kept - 16..kept - 15]);
            assert!(samples.kept_mut().len() >= KEPT);
        }
        samples.room()[0] = -1.0;
        assert_eq!(samples.window(1, -1), [-1.0], "one that was only looked at");
    }
}
