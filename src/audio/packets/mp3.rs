//! What the header of an mp3's frame says of its form. symphonia's decoder keeps to the first frame's, and takes others for damaged.

/// The sample rate in Hz and the channels that a frame's header tells (ISO/IEC 11172-3, 2.4.2.3; 13818-3; MPEG 2.5).
pub(super) fn form(frame: &[u8]) -> Option<(u32, usize)> {
    let &[0xFF, version, rate, mode, ..] = frame else { return None };
    let divisor = match version >> 3 & 3 {
        3 => 1,
        2 => 2,
        0 => 4,
        _ => return None,
    };
    let rate = [44_100, 48_000, 32_000].get(usize::from(rate >> 2 & 3))?;
    Some((rate / divisor, if mode >> 6 == 3 { 1 } else { 2 }))
}
