//! Sound without a header, in any coding: as many frames as the bytes make, finite, the same whatever pieces they come in.

#![no_main]

use std::io::Cursor;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tonopago::audio::{MOST_CHANNELS, RawEncoding, RawFormat, Recording, SAMPLE_RATES, SampleFormat};
use tonopago_fuzz::hearing::Hearing;
use tonopago_fuzz::pieces::Chopped;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    coding: u8,
    channels: u8,
    sample_rate: u32,
    sound: &'a [u8],
}

/// Bytes and samples of a frame of GSM full rate.
const GSM: (usize, usize) = (33, 160);

fuzz_target!(|input: Input<'_>| {
    let Input { coding, channels, sample_rate, sound } = input;
    let samples = SampleFormat::NAMES.map(|(_, format)| RawEncoding::Samples(format));
    let codings: Vec<RawEncoding> = samples.into_iter().chain([RawEncoding::G722, RawEncoding::Gsm]).collect();
    let format = codings[usize::from(coding) % codings.len()];
    assert_eq!(format.to_string().parse(), Ok(format));
    let channels = usize::from(channels);
    let raw = RawFormat { sample_rate: format.sample_rate().unwrap_or(sample_rate), channels, format };
    let whole = Hearing::of(Recording::from_raw("whole", Cursor::new(sound.to_vec()), raw));
    let pieces = Hearing::of(Recording::from_raw("pieces", Chopped::new(sound), raw));
    assert_eq!(whole, pieces);

    let coded = !matches!(format, RawEncoding::Samples(_));
    let fits =
        SAMPLE_RATES.contains(&raw.sample_rate) && (1..=MOST_CHANNELS).contains(&channels) && (!coded || channels == 1);
    assert_eq!(whole.is_ok(), fits, "{whole:?}");
    let Ok(heard) = whole else { return };
    let frames = match format {
        RawEncoding::Samples(format) => sound.len() / (format.bytes() * channels),
        RawEncoding::G722 => 2 * sound.len(),
        RawEncoding::Gsm => sound.len() / GSM.0 * GSM.1,
    };
    assert!(!heard.ended || heard.frames == frames as u64, "{frames} frames: {heard:?}");
});
