//! The times of Opus in Matroska and WebM (RFC 9559), as browsers record it: rounded to milliseconds, and without the packets'
//! lengths, which the packets tell themselves.

use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, TimeBase, Timestamp};

use super::opus::{self, SAMPLE_RATE};

/// Counts a packet's time and length in frames.
pub(super) fn in_frames(packet: Packet, base: TimeBase) -> Packet {
    let begins = frames(i128::from(packet.pts.get()), base);
    let begins = i64::try_from(begins).unwrap_or(if begins < 0 { i64::MIN } else { i64::MAX });
    let lasts = opus::packet_frames(&packet.data);
    Packet::new(packet.track_id, Timestamp::new(begins), Duration::new(lasts), packet.data)
}

/// The frames that the header tells. What records a call writes it before it knows, and leaves it out.
pub(super) fn declared(format: &dyn FormatReader) -> Option<u64> {
    let info = format.media_info();
    let (ticks, base) = info.duration.zip(info.time_base)?;
    u64::try_from(frames(i128::from(ticks.get()), base)).ok().filter(|&frames| frames > 0)
}

fn frames(ticks: i128, base: TimeBase) -> i128 {
    ticks * i128::from(base.numer.get()) * i128::from(SAMPLE_RATE) / i128::from(base.denom.get())
}
