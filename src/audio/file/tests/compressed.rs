//! Compressed recordings that are joined, damaged, cut short or told wrongly by their headers.

use super::*;

const MP3: &[u8] = include_bytes!("../../../../tests/recordings/59.mp3");
/// Samples of one frame of [`MP3`], which is MPEG-2 layer III at 16 kHz.
const MP3_FRAME: usize = 576;

/// A frame of silence in the form of [`MP3`]'s: its header with another bit rate, and no sound in it.
fn silent_frame(bit_rate_index: u8, bytes: usize) -> Vec<u8> {
    let mut frame = vec![0; bytes];
    frame[..4].copy_from_slice(&[MP3[0], MP3[1], bit_rate_index << 4 | MP3[2] & 0x0F, MP3[3]]);
    frame
}

/// [`MP3`] behind a frame that tells how many there are, as encoders write it.
fn counted_mp3() -> Vec<u8> {
    // 32 kbit/s at 16 kHz make frames of 144 bytes; the count stands behind the 17 bytes of side information of a stereo frame.
    let mut count = silent_frame(4, 144);
    let frames = u32::try_from(MP3.len() / 144).unwrap();
    count[21..33].copy_from_slice(&[&b"Info"[..], &1_u32.to_be_bytes(), &frames.to_be_bytes()].concat());
    [count, MP3.to_vec()].concat()
}

/// Whether 59's two digits are heard from `start_ms` on.
fn holds_59(samples: &[f32], start_ms: usize) -> bool {
    let at = |from_ms, to_ms| power(samples, 16_000, start_ms + from_ms, start_ms + to_ms);
    [(110, 290), (1010, 1190)].iter().all(|&(from, to)| (at(from, to) / 0.0596 - 1.0).abs() < 0.15)
        && [(320, 980), (1220, 1420)].iter().all(|&(from, to)| at(from, to) < 1e-3)
}

/// Once everything beyond the first file's count was cut, without a word.
#[test]
fn joined_mp3s_are_read_to_the_end_of_the_last() {
    let one = counted_mp3();
    let (sound, warning) = read_both_ways(&one);
    let (frames, delay) = (sound[0].len(), COMPRESSED[4].2);
    assert!(warning.is_none() && holds_59(&sound[0], delay), "{warning:?}, {frames} frames");
    let (sound, warning) = read_both_ways(&[one.clone(), one].concat());
    assert_eq!((sound[0].len(), warning), (2 * frames, None));
    assert!(holds_59(&sound[0], delay) && holds_59(&sound[0], delay + frames / 16));
}

/// Without a count in the file symphonia guesses one from the first frames' size, too small where the bit rate falls later:
/// a file read by its path once lost its end.
#[test]
fn an_mp3_without_a_count_is_read_to_its_end() {
    let loud = silent_frame(14, 720).repeat(40);
    let (sound, warning) = read_both_ways(&[loud, MP3.to_vec()].concat());
    assert_eq!((sound[0].len(), warning), ((40 + MP3.len() / 144) * MP3_FRAME, None));
    assert!(holds_59(&sound[0], COMPRESSED[4].2 + 40 * MP3_FRAME / 16));
}
