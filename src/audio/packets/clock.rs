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
    /// Ticks of silence owed for what is missing, and the frames already given for them.
    owed: u64,
    paid: u64,
}

impl Clock {
    /// `start` is where the first packet must begin; `None` takes it wherever it is.
    pub(super) const fn new(base: Option<TimeBase>, start: Option<i64>) -> Self {
        Self { base, next: start, longest: 1, owed: 0, paid: 0 }
    }

    /// Takes a packet's time, and owes what is missing before it. Answers how many packets that may be.
    pub(super) fn packet(&mut self, packet: &Packet) -> u32 {
        let (begins, lasts) = (packet.pts.get(), packet.dur.saturating_add(packet.trim_start).get());
        let missing = self.next.map_or(0, |next| begins.saturating_sub(next));
        self.longest = self.longest.max(lasts);
        self.next = Some(begins.saturating_add_unsigned(lasts));
        let missing = u64::try_from(missing).unwrap_or(0);
        self.owed = self.owed.saturating_add(missing);
        u32::try_from(missing.div_ceil(self.longest)).unwrap_or(u32::MAX)
    }

    /// Owes a packet that can't be decoded.
    pub(super) fn damaged(&mut self, packet: &Packet) {
        self.owed = self.owed.saturating_add(packet.dur.get());
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

    fn frames(&self, ticks: u64, rate: u32) -> u64 {
        let Some(base) = self.base else { return ticks };
        let frames = u128::from(ticks) * u128::from(base.numer.get()) * u128::from(rate) / u128::from(base.denom.get());
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}
