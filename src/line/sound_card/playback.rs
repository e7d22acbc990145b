//! What the output callback does: play the blocks that were sent, from a buffer that evens out their coming.
//!
//! Blocks come by the input's clock, in whatever bursts the system makes of it, and go by the output's clock. The buffer
//! begins with some slack and learns: each time it runs empty it waits for more the next time. Where it never gets low,
//! what it holds is only delay, and the excess is left out: that is also how a faster input clock is followed.
//!
//! Nothing here allocates, locks or waits.

use std::sync::Arc;

use cpal::{FromSample, SizedSample};
use crossbeam_channel::Receiver;

use super::{Block, Stats};

/// Slack at the beginning, in ms.
const FIRST_SLACK_MS: usize = 40;
/// Slack added each time the buffer ran empty, in ms.
const MORE_SLACK_MS: usize = 20;
/// Most slack, in ms: beyond it the machine is too slow, and more delay won't help.
const MOST_SLACK_MS: usize = 240;
/// What the buffer holds, in ms.
const HOLD_MS: usize = 1000;
/// Time over which the buffer must not have come near its slack before the excess is left out, in ms.
const WATCH_MS: usize = 2000;

/// The output callback's work; public so that a test can count what it allocates.
#[derive(Debug)]
pub struct Playback {
    blocks: Receiver<Block>,
    channels: usize,
    /// The only channel that is not silent, where there is one.
    only: Option<usize>,
    stats: Arc<Stats>,
    ring: Ring,
    samples_per_ms: usize,
    /// Samples that must wait before playing begins.
    slack: usize,
    state: State,
    /// Least samples left after a callback since the watch began, and the samples played since.
    least: usize,
    watched: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing has been sent yet.
    Waiting,
    /// The slack is filling up (again).
    Filling,
    Playing,
}

impl Playback {
    /// Plays on all of `channels` channels at `rate` Hz.
    pub fn new(blocks: Receiver<Block>, channels: usize, rate: u32, stats: Arc<Stats>) -> Self {
        let samples_per_ms = (rate as usize / 1000).max(1);
        Self {
            blocks,
            channels,
            only: None,
            stats,
            ring: Ring::new(HOLD_MS * samples_per_ms),
            samples_per_ms,
            slack: FIRST_SLACK_MS * samples_per_ms,
            state: State::Waiting,
            least: usize::MAX,
            watched: 0,
        }
    }

    /// Plays on one channel only, from 0, and leaves the others silent: they are other lines'.
    #[must_use]
    pub const fn on_channel(mut self, only: Option<usize>) -> Self {
        self.only = only;
        self
    }

    /// Fills whatever length the card asks for.
    pub fn fill<T: SizedSample + FromSample<f32>>(&mut self, frames: &mut [T]) {
        self.collect();
        let wanted = frames.len() / self.channels;
        // What one callback takes must be there beside the slack.
        if self.state != State::Playing && self.ring.length >= self.slack.max(wanted) && self.ring.length > 0 {
            (self.state, self.least, self.watched) = (State::Playing, usize::MAX, 0);
        }
        let ready = if self.state == State::Playing { self.ring.length.min(wanted) } else { 0 };
        let (ours, silent) = frames.split_at_mut(ready * self.channels);
        for frame in ours.chunks_exact_mut(self.channels) {
            let sample = T::from_sample(self.ring.pop());
            match self.only {
                Some(only) => {
                    frame.fill(T::from_sample(0.0));
                    // The plan sees to it that there is such a channel.
                    frame.get_mut(only).into_iter().for_each(|heard| *heard = sample);
                }
                None => frame.fill(sample),
            }
        }
        silent.fill(T::from_sample(0.0));
        Stats::add(&self.stats.played, ready);
        if self.state != State::Waiting {
            Stats::add(&self.stats.starved, wanted - ready);
        }
        self.adapt(ready, wanted);
    }

    fn collect(&mut self) {
        while let Ok(block) = self.blocks.try_recv() {
            let over = (self.ring.length + block.samples().len()).saturating_sub(self.ring.samples.len());
            self.leave_out(over);
            block.samples().iter().for_each(|&sample| self.ring.push(sample));
            if self.state == State::Waiting {
                self.state = State::Filling;
            }
        }
    }

    fn adapt(&mut self, ready: usize, wanted: usize) {
        if self.state != State::Playing {
            return;
        }
        if ready < wanted {
            self.state = State::Filling;
            self.slack = (self.slack + MORE_SLACK_MS * self.samples_per_ms).min(MOST_SLACK_MS * self.samples_per_ms);
            return;
        }
        self.least = self.least.min(self.ring.length);
        self.watched += ready;
        if self.watched >= WATCH_MS * self.samples_per_ms {
            self.leave_out(self.least.saturating_sub(self.slack));
            (self.least, self.watched) = (usize::MAX, 0);
        }
    }

    fn leave_out(&mut self, count: usize) {
        Stats::add(&self.stats.skipped, self.ring.skip(count));
    }
}

/// A queue of samples that never grows.
#[derive(Debug)]
struct Ring {
    samples: Box<[f32]>,
    first: usize,
    length: usize,
}

impl Ring {
    fn new(capacity: usize) -> Self {
        Self { samples: vec![0.0; capacity].into_boxed_slice(), first: 0, length: 0 }
    }

    /// Adds a sample; there is room for it.
    fn push(&mut self, sample: f32) {
        let at = (self.first + self.length) % self.samples.len();
        self.samples[at] = sample;
        self.length += 1;
    }

    /// Forgets the oldest samples; answers how many there were.
    fn skip(&mut self, count: usize) -> usize {
        let count = count.min(self.length);
        self.first = (self.first + count) % self.samples.len();
        self.length -= count;
        count
    }

    /// Takes the oldest sample; silence if there is none.
    fn pop(&mut self) -> f32 {
        if self.length == 0 {
            return 0.0;
        }
        let sample = self.samples[self.first];
        self.first = (self.first + 1) % self.samples.len();
        self.length -= 1;
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{Sender, bounded};

    fn playback(channels: usize) -> (Sender<Block>, Playback, Arc<Stats>) {
        let (sender, receiver) = bounded(1000);
        let stats = Arc::new(Stats::default());
        (sender, Playback::new(receiver, channels, 8000, Arc::clone(&stats)), stats)
    }

    #[test]
    fn it_waits_for_its_slack_and_then_plays_every_sample_on_every_channel() {
        let (sender, mut playback, stats) = playback(2);
        let mut frames = [9.0_f32; 200];
        playback.fill(&mut frames);
        assert!(frames == [0.0; 200] && stats.starved() == 0, "before the first block nothing is missing");
        let sound: Vec<f32> = (0..400_u16).map(|n| f32::from(n) / 1024.0).collect();
        for part in sound[..240].chunks(80) {
            sender.try_send(Block::new(part)).unwrap();
        }
        playback.fill(&mut frames);
        assert!(frames == [0.0; 200], "240 samples are less than 40 ms");
        for part in sound[240..].chunks(80) {
            sender.try_send(Block::new(part)).unwrap();
        }
        let mut frames = [0.0_f32; 800];
        playback.fill(&mut frames);
        let expected: Vec<f32> = sound.iter().flat_map(|&sample| [sample, sample]).collect();
        assert!(frames[..] == expected[..] && stats.played() == 400);
    }

    /// Two lines of one card were both played on all its channels: each caller heard the other's prompts.
    #[test]
    fn a_line_with_a_channel_of_its_own_is_heard_on_no_other() {
        let (sender, playback, _) = playback(2);
        let mut playback = playback.on_channel(Some(1));
        (0..4).for_each(|_| sender.try_send(Block::new(&[0.5; 80])).unwrap());
        let mut frames = [9.0_f32; 640];
        playback.fill(&mut frames);
        assert!(frames.chunks(2).all(|frame| frame == [0.0, 0.5]));
    }

    #[test]
    fn a_starved_output_is_silent_counts_it_and_holds_more_the_next_time() {
        let (sender, mut playback, stats) = playback(1);
        let send = |samples: usize| (0..samples / 80).for_each(|_| sender.try_send(Block::new(&[0.5; 80])).unwrap());
        send(320);
        let mut frames = [9.0_f32; 400];
        playback.fill(&mut frames);
        assert!(frames == [0.0; 400], "one callback takes more than there is");
        send(80);
        playback.fill(&mut frames);
        assert!(frames == [0.5; 400]);
        playback.fill(&mut frames[..80]);
        assert_eq!((stats.played(), stats.starved()), (400, 480));
        send(400);
        playback.fill(&mut frames[..80]);
        assert_eq!(stats.played(), 400, "the slack is 60 ms now");
        send(80);
        playback.fill(&mut frames[..80]);
        assert_eq!(stats.played(), 480);
    }

    #[test]
    fn bursts_are_played_without_a_gap_once_the_slack_fits_them() {
        let (sender, mut playback, stats) = playback(1);
        let mut starved_at_half = 0;
        for round in 0..200 {
            // 80 ms of sound come at once, and go in callbacks of 10 ms.
            (0..8).for_each(|_| sender.try_send(Block::new(&[0.5; 80])).unwrap());
            (0..8).for_each(|_| playback.fill(&mut [0.0_f32; 80]));
            if round == 100 {
                starved_at_half = stats.starved();
            }
        }
        assert_eq!((stats.starved(), stats.skipped()), (starved_at_half, 0));
        assert!(starved_at_half < 8000, "{stats:?}");
    }

    #[test]
    fn a_faster_input_clock_is_followed_by_leaving_out_a_little() {
        let (sender, mut playback, stats) = playback(1);
        // 81 samples come for each 80 that go, over 100 s: 1.2 % fast, far more than any card.
        for _ in 0..10_000 {
            sender.try_send(Block::new(&[0.5; 81])).unwrap();
            playback.fill(&mut [0.0_f32; 80]);
        }
        assert_eq!(stats.starved(), 240, "while the first slack filled up");
        assert!((9_000..10_000).contains(&stats.skipped()), "{stats:?}");
        assert!(playback.ring.length < 1000, "{}", playback.ring.length);
    }

    #[test]
    fn a_sender_that_floods_costs_no_memory() {
        let (sender, mut playback, stats) = playback(1);
        for _ in 0..100 {
            (0..100).for_each(|_| sender.try_send(Block::new(&[0.5; 160])).unwrap());
            playback.fill(&mut [0.0_f32; 160]);
        }
        assert_eq!((playback.ring.samples.len(), stats.starved()), (8000, 0));
        assert!(stats.skipped() > 1_000_000);
    }
}
