//! Opus in all its containers: where its sound begins and ends, what is lost of it, and whatever else its packets hold.

use super::compressed::{ogg_checksum, with_flipped_bit};
use super::*;

/// [`COMPRESSED`]'s recording as Opus. How each was made of its flac, turned to WAV:
/// `opusenc --bitrate 12 --framesize 20 --max-delay 100 --padding 0 --discard-comments` (SILK and hybrid packets, pages of
/// 100 ms, 312 frames before the sound), the same with `--speech --framesize 60` (SILK), and with ffmpeg's libopus
/// `-application lowdelay -frame_duration 2.5 -b:a 24k -ar 48000` (CELT, 120 frames before the sound) and, as MP4 and WebM,
/// `-application voip -b:a 16k -ar 48000`.
pub(super) const KINDS: [(&str, &[u8]); 5] = [
    ("hybrid", include_bytes!("../../../../tests/recordings/59.opus")),
    ("SILK", include_bytes!("../../../../tests/recordings/59-silk.opus")),
    ("CELT", include_bytes!("../../../../tests/recordings/59-celt.opus")),
    ("MP4", include_bytes!("../../../../tests/recordings/59-opus.mp4")),
    ("WebM", include_bytes!("../../../../tests/recordings/59.webm")),
];
const OGG: &[u8] = KINDS[0].1;

/// Left, right, centre, low frequencies, rear left and rear right, each with a tone of 0.1 s in a place of its own: 50 ms and
/// 150 ms for each channel before it. Made by sox and ffmpeg's libopus, `-mapping_family 1 -application voip -b:a 30k -ar 16000`.
pub(super) const SIX_CHANNELS: &[u8] = include_bytes!("../../../../tests/recordings/six-channels.opus");

const RATE: u32 = 48_000;
/// Frames of the recording, 1.5 s.
const FRAMES: usize = 72_000;

/// Where sound begins and ends, in ms: where 5 ms of it pass half of a digit's power.
fn edges(sound: &[f32]) -> Vec<usize> {
    let loud: Vec<bool> =
        (0..sound.len() / 48).map(|ms| power(sound, RATE, ms.saturating_sub(2), ms + 3) > 0.03).collect();
    (1..loud.len()).filter(|&ms| loud[ms] != loud[ms - 1]).collect()
}

/// Whether sound begins and ends at these times, give or take 3 ms.
fn has_edges(sound: &[f32], expected: &[usize]) -> bool {
    let found = edges(sound);
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, &b)| a.abs_diff(b) <= 3)
}

const EDGES: [usize; 4] = [100, 300, 1000, 1200];

/// An ogg's pages.
fn pages(mut ogg: &[u8]) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| {
        let segments = usize::from(*ogg.get(26)?);
        let body: usize = ogg[27..27 + segments].iter().map(|&length| usize::from(length)).sum();
        let (page, rest) = ogg.split_at(27 + segments + body);
        ogg = rest;
        Some(page.to_vec())
    })
    .collect()
}

/// A page's checksum made right.
fn sealed(mut page: Vec<u8>) -> Vec<u8> {
    page[22..26].fill(0);
    let checksum = ogg_checksum(&page);
    page[22..26].copy_from_slice(&checksum.to_le_bytes());
    page
}

/// The time at which a page ends, in frames, moved.
fn later(mut page: Vec<u8>, frames: i64) -> Vec<u8> {
    let ends = i64::from_le_bytes(page[6..14].try_into().unwrap()) + frames;
    page[6..14].copy_from_slice(&ends.to_le_bytes());
    sealed(page)
}

/// [`OGG`] with other bytes in its header, from the byte of its version on.
fn with_header(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut pages = pages(OGG);
    let start = 28 + 8 + at;
    pages[0][start..start + bytes.len()].copy_from_slice(bytes);
    pages[0] = sealed(pages[0].clone());
    pages.concat()
}

#[test]
fn digits_are_where_they_were_in_every_mode_and_container() {
    for (what, bytes) in KINDS {
        let recording = stream(bytes).unwrap();
        assert_eq!((recording.sample_rate(), recording.channels()), (RATE, 1), "{what}");
        let (sound, warning) = read_both_ways(bytes);
        assert_eq!(warning, None, "{what}");
        assert!(has_edges(&sound[0], &EDGES), "{what}: {:?}", edges(&sound[0]));
        for (from_ms, to_ms) in [(110, 290), (1010, 1190)] {
            let power = power(&sound[0], RATE, from_ms, to_ms);
            assert!((power / 0.0596 - 1.0).abs() < 0.3, "{what}: {power}");
        }
        // An MP4 and a WebM tell the end to the packet only.
        let more = if matches!(what, "MP4" | "WebM") { 960 } else { 0 };
        assert!((FRAMES..=FRAMES + more).contains(&sound[0].len()), "{what}: {} frames", sound[0].len());
    }
}

/// The frames before the sound may be more than a second, where an edit of an MP4 would not be believed.
#[test]
fn what_its_header_leaves_out_is_left_out_and_its_gain_is_applied() {
    let (whole, _) = read_both_ways(OGG);
    let (sound, warning) = read_both_ways(&with_header(2, &60_000_u16.to_le_bytes()));
    assert!(sound[0] == whole[0][60_000 - 312..] && warning.is_none(), "{} frames, {warning:?}", sound[0].len());
    // 256ths of a dB.
    for (gain, factor) in [(1536_i16, 10_f32.powf(0.3)), (-5120, 0.1)] {
        let (sound, _) = read_both_ways(&with_header(8, &gain.to_le_bytes()));
        assert!(sound[0].iter().zip(&whole[0]).all(|(a, b)| (a - b * factor).abs() < 1e-5), "{gain}");
    }
}

#[test]
fn joined_streams_are_read_to_the_end_of_the_last_each_from_where_its_sound_begins() {
    let joined = [OGG, KINDS[2].1, KINDS[1].1].concat();
    let (sound, warning) = read_both_ways(&joined);
    assert_eq!((sound[0].len(), warning), (3 * FRAMES, None));
    let expected: Vec<usize> = [0, 1500, 3000].iter().flat_map(|start| EDGES.map(|edge| start + edge)).collect();
    assert!(has_edges(&sound[0], &expected), "{:?}", edges(&sound[0]));
    let (sound, warning) = read_both_ways(&[OGG, SIX_CHANNELS].concat());
    assert!(sound[0].len() == FRAMES && matches!(warning, Some(Warning::Abandoned { .. })), "{warning:?}");
}

/// Pages of 100 ms: the first two hold the headers, the last the end of the padding.
#[test]
fn what_a_checksum_condemns_becomes_silence_of_its_length() {
    let (whole, _) = read_both_ways(OGG);
    let starts: Vec<usize> =
        pages(OGG).iter().scan(0, |at, page| Some(std::mem::replace(at, *at + page.len()))).collect();
    for (index, start) in starts.iter().enumerate().take(17).skip(2) {
        let (sound, warning) = read_both_ways(&with_flipped_bit(OGG, start + 40));
        // The last page's padding is unknown behind a loss, and the page is early by it.
        let more = if index == 16 { 960 } else { 0 };
        assert!((FRAMES..=FRAMES + more).contains(&sound[0].len()), "page {index}: {} frames", sound[0].len());
        assert_eq!(warning, Some(Warning::Damaged { packets: 5 }), "page {index}");
        let lost = 4800 * (index - 2)..4800 * (index - 1);
        let silent = lost.start.saturating_sub(312)..lost.end - 312 - more;
        assert!(sound[0][silent.clone()].iter().all(|&sample| sample == 0.0), "page {index}");
        assert!(sound[0][..silent.start] == whole[0][..silent.start], "page {index}");
        // The decoder finds its way back within some packets.
        let behind = (silent.end + 4800).min(FRAMES - 4800)..FRAMES - 2400;
        let off: f32 = sound[0][behind.clone()].iter().zip(&whole[0][behind]).map(|(a, b)| (a - b).powi(2)).sum();
        assert!(off < 20.0, "page {index}: {off}");
    }
}

/// A page that tells a length beyond the end would take all behind it along.
#[test]
fn damage_to_a_pages_length_costs_that_page_only() {
    let mut all = pages(OGG);
    all[8][26] = 255;
    let (sound, warning) = read_both_ways(&all.concat());
    assert_eq!((sound[0].len(), warning), (FRAMES, Some(Warning::Damaged { packets: 5 })));
    assert!(has_edges(&sound[0], &EDGES), "{:?}", edges(&sound[0]));
}

#[test]
fn what_is_cut_short_is_told() {
    let seven = pages(OGG)[..9].concat();
    let (whole, _) = read_both_ways(OGG);
    for keep in [seven.len(), seven.len() + 1, seven.len() + 50] {
        let (sound, warning) = read_both_ways(&OGG[..keep]);
        assert_eq!((sound[0].len(), warning), (7 * 4800 - 312, Some(Warning::Torn { at_s: 0.6935 })), "{keep} bytes");
        assert!(whole[0].starts_with(&sound[0]));
    }
    for (what, bytes) in &KINDS[3..] {
        let (sound, warning) = read_both_ways(&bytes[..bytes.len() * 4 / 5]);
        assert!(sound[0].len() > FRAMES / 2, "{what}: {} frames", sound[0].len());
        assert!(matches!(warning, Some(Warning::Truncated { .. })), "{what}: {warning:?}");
    }
}

/// Recorders of calls count the time on while no packet comes.
#[test]
fn a_time_that_leaps_is_silence_before_the_sound_it_belongs_to() {
    let leap = |from: usize| {
        let late = pages(OGG).into_iter().enumerate();
        late.flat_map(|(index, page)| if index < from { page } else { later(page, 24_000) }).collect::<Vec<_>>()
    };
    let (sound, warning) = read_both_ways(&leap(12));
    assert!(has_edges(&sound[0], &[100, 300, 1500, 1700]), "{:?}", edges(&sound[0]));
    assert_eq!((sound[0].len(), warning), (FRAMES + 24_000, Some(Warning::Damaged { packets: 25 })));
    // A stream that is recorded from its midst on begins at any time.
    let (sound, warning) = read_both_ways(&leap(2));
    assert!(has_edges(&sound[0], &EDGES) && warning.is_none(), "{warning:?}, {:?}", edges(&sound[0]));
}

#[test]
fn channels_come_in_the_order_of_all_other_recordings() {
    let (sound, warning) = read_both_ways(SIX_CHANNELS);
    assert_eq!((sound.len(), sound[0].len(), warning), (6, 48_000, None));
    for (channel, samples) in sound.iter().enumerate() {
        let loudest = (0..6).max_by(|&a, &b| {
            let at = |place: usize| power(samples, RATE, 60 + 150 * place, 140 + 150 * place);
            at(a).total_cmp(&at(b))
        });
        assert_eq!(loudest, Some(channel));
    }
}

#[test]
fn a_matroska_of_another_coding_and_a_header_of_the_future_are_named_with_the_cure() {
    let webm = KINDS[4].1;
    let coding = webm.windows(6).position(|word| word == b"A_OPUS").unwrap();
    let other = [&webm[..coding], b"A_AC-3", &webm[coding + 6..]].concat();
    let told = refusal(other);
    assert!(told.contains("Matroska or WebM") && told.contains("ffmpeg -i"), "{told}");
    let told = refusal(with_header(10, &[200]));
    assert!(told.contains("convert it to WAV"), "{told}");
}

/// An ogg of these packets, one a page, behind [`OGG`]'s headers or those of [`SIX_CHANNELS`].
fn ogg_of(headers: &[u8], packets: &[Vec<u8>]) -> Vec<u8> {
    let headers = &pages(headers)[..2];
    let serial = &headers[0][14..18];
    let mut ogg = headers.concat();
    for (number, packet) in (2_u32..).zip(packets) {
        let mut lengths = vec![255; packet.len() / 255];
        lengths.push((packet.len() % 255) as u8);
        let ends = i64::from(number) * 5760;
        let head =
            [&b"OggS\0\0"[..], &ends.to_le_bytes(), serial, &number.to_le_bytes(), &[0; 4], &[lengths.len() as u8]];
        ogg.extend(sealed([head.concat(), lengths, packet.clone()].concat()));
    }
    ogg
}

fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let size = prop_oneof![0..4_usize, 0..60_usize, 0..1500_usize];
    prop::collection::vec(size.prop_flat_map(|size| prop::collection::vec(any::<u8>(), size)), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: prop::test_runner::RngSeed::Fixed(0x70_75_73), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packets_of_any_bytes_never_panic_nor_go_on_for_ever(packets in packets(), six in any::<bool>()) {
        let ogg = ogg_of(if six { SIX_CHANNELS } else { OGG }, &packets);
        if let Ok(mut recording) = stream(ogg) {
            let mut block = Block::new();
            while recording.next_block(&mut block).unwrap() {
                prop_assert!(recording.frames() <= 2 * 5760 * packets.len() as u64);
            }
            prop_assert!(!matches!(recording.warning(), Some(Warning::Abandoned { .. })), "{:?}", recording.warning());
        }
    }
}
