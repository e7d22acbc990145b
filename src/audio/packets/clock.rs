//! Where packets lie in time. What a container's reader drops, it drops without a word: only the next packet's time tells it.

use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

/// Most silence put in place of what is missing from a recording, in seconds: a wild time must not make days of it.
const LONGEST_SILENCE_S: u64 = 3600;

/// Follows the packets' times; counts in ticks of the track's time base.
pub(super) struct Clock {
    base: Option<TimeBase>,
    /// Where the next packet should begin.
    next: Option<i64>,
    /// The longest packet.
    longest: u64,
    /// Times are rounded: what is less than a packet is not missing.
    rounded: bool,
    /// Ticks of silence owed for what is missing, and the frames already given for them.
    owed: u64,
    paid: u64,
}

impl Clock {
    /// `start` is where the first packet must begin; `None` takes it wherever it is.
    pub(super) const fn new(base: Option<TimeBase>, start: Option<i64>) -> Self {
        Self { base, next: start, longest: 1, rounded: false, owed: 0, paid: 0 }
    }

    /// Takes times that are off by less than a packet for right.
    pub(super) const fn rounded(self) -> Self {
        Self { rounded: true, ..self }
    }

    /// Where the first packet must begin, if none has been.
    pub(super) fn begin_at(&mut self, start: i64) {
        self.next.get_or_insert(start);
    }

    /// Whether it is known where the next packet must begin.
    pub(super) const fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Goes on where another clock stopped: what it owes and how much silence it has given.
    pub(super) const fn after(self, other: &Self) -> Self {
        Self { owed: other.owed, paid: other.paid, ..self }
    }

    /// Takes a packet's time, and owes what is missing before it. Answers how many packets that may be.
    pub(super) fn packet(&mut self, packet: &Packet) -> u32 {
        let (begins, lasts) = (packet.pts.get(), packet.dur.saturating_add(packet.trim_start).get());
        let expected = self.next.filter(|next| self.rounded && next.abs_diff(begins) < lasts);
        let begins = expected.unwrap_or(begins);
        let missing = self.next.map_or(0, |next| begins.saturating_sub(next));
        self.longest = self.longest.max(lasts);
        self.next = Some(begins.saturating_add_unsigned(lasts));
        self.owe(missing)
    }

    /// Owes a packet that can't be decoded.
    pub(super) fn damaged(&mut self, packet: &Packet) {
        self.owed = self.owed.saturating_add(packet.dur.get());
    }

    /// Owes what is missing up to the time at which the recording ends, and answers how many packets that may be. It is too
    /// little by what an encoder padded the last packet with, which nothing tells here.
    pub(super) fn end_at(&mut self, ends: i64) -> u32 {
        let missing = self.next.map_or(0, |next| ends.saturating_sub(next));
        self.owe(missing)
    }

    fn owe(&mut self, missing: i64) -> u32 {
        let missing = u64::try_from(missing).unwrap_or(0);
        self.owed = self.owed.saturating_add(missing);
        u32::try_from(missing.div_ceil(self.longest)).unwrap_or(u32::MAX)
    }

    /// The frames of silence that are owed, at a rate in Hz. What a wild time asks for beyond an hour is not believed.
    pub(super) fn settle(&mut self, rate: u32) -> u64 {
        let owed = std::mem::take(&mut self.owed);
        let frames = self.frames(owed, rate);
        let most = (LONGEST_SILENCE_S * u64::from(rate)).saturating_sub(self.paid);
        if frames > most {
            return 0;
        }
        self.paid += frames;
        frames
    }

    /// The longest packet so far in frames, at a rate in Hz.
    pub(super) fn longest_packet(&self, rate: u32) -> u64 {
        self.frames(self.longest, rate)
    }

    /// Ticks as frames, at a rate in Hz.
    pub(super) fn frames(&self, ticks: u64, rate: u32) -> u64 {
        let Some(base) = self.base else { return ticks };
        let frames = u128::from(ticks) * u128::from(base.numer.get()) * u128::from(rate) / u128::from(base.denom.get());
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::units::{Duration, Timestamp};

    use super::*;

    fn packet(begins: i64, lasts: u64) -> Packet {
        Packet::new(0, Timestamp::new(begins), Duration::new(lasts), Vec::new())
    }

    #[test]
    fn what_is_missing_between_two_packets_is_owed_in_frames() {
        let mut clock = Clock::new(TimeBase::try_new(1, 1000), None);
        assert_eq!([packet(500, 20), packet(520, 20), packet(600, 20)].map(|packet| clock.packet(&packet)), [0, 0, 3]);
        assert_eq!((clock.settle(8000), clock.settle(8000)), (480, 0));
        // Packets that overlap owe nothing; one that can't be decoded owes itself.
        assert_eq!((clock.packet(&packet(610, 20)), clock.settle(8000)), (0, 0));
        clock.damaged(&packet(610, 20));
        assert_eq!(clock.settle(8000), 160);
    }

    #[test]
    fn rounded_times_owe_nothing_until_a_packet_is_missing() {
        let mut clock = Clock::new(None, None).rounded();
        let begins = [0, 21, 39, 61, 79, 100, 141, 160];
        assert_eq!(begins.map(|begins| clock.packet(&packet(begins, 20))), [0, 0, 0, 0, 0, 0, 2, 0]);
        assert_eq!(clock.settle(8000), 21);
    }

    #[test]
    fn a_wild_time_makes_no_silence_and_a_recording_no_more_than_an_hour() {
        let mut clock = Clock::new(None, Some(0));
        clock.packet(&packet(i64::MAX, 20));
        assert_eq!(clock.settle(8000), 0);
        let mut clock = Clock::new(None, Some(0));
        let hours: u64 = (1..100).map(|n| (clock.packet(&packet(n * 5_000_000, 20)), clock.settle(8000)).1).sum();
        assert!((20_000_000..=28_800_000).contains(&hours), "{hours}");
    }
}
