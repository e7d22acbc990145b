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

/// The forms that [`COMPRESSED`] has not.
pub(super) const MORE: [&[u8]; 4] = [PAGES, M4A, FRAGMENTS, ALAC];

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

/// [`COMPRESSED`]'s recording in pages of 1280 samples, as ffmpeg writes it with `-page_duration 150000`.
const PAGES: &[u8] = include_bytes!("../../../../tests/recordings/59-pages.ogg");

pub(super) fn with_flipped_bit(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// symphonia drops what its checksum condemns; once that was gone without a word, and all that followed was early.
#[test]
fn what_a_checksum_condemns_becomes_silence_of_its_length() {
    // The second of flac's three packets, 512 to 1024 ms, and the ogg page of 448 to 608 ms.
    for (what, whole, at, packets) in [("flac", COMPRESSED[2].1, 1663, 1), ("ogg", PAGES, 3043, 5)] {
        let (expected, warning) = read_both_ways(whole);
        assert_eq!(warning, None, "{what}");
        let (sound, warning) = read_both_ways(&with_flipped_bit(whole, at + 33));
        assert_eq!((sound[0].len(), warning), (expected[0].len(), Some(Warning::Damaged { packets })), "{what}");
        for (from_ms, to_ms) in [(0, 440), (1030, 1190)] {
            let at = |samples: &[f32]| power(samples, 8000, from_ms, to_ms);
            assert!((at(&sound[0]) / at(&expected[0]) - 1.0).abs() < 1e-3, "{what} from {from_ms} ms");
        }
    }
}

/// The last frame of a flac was lost to whatever stands behind it, and the next flac was heard from its second frame on.
#[test]
fn a_flac_ends_where_a_tag_or_another_flac_begins() {
    let flac = COMPRESSED[2].1;
    let (whole, warning) = read_both_ways(flac);
    assert_eq!(warning, None);
    let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
    let ape = [&b"APETAGEX\xd0\x07\0\0"[..], &[0; 500]].concat();
    for tag in [id3v1, ape, Vec::new()] {
        assert_eq!(read_both_ways(&[flac, &tag].concat()), (whole.clone(), None));
    }
}

/// symphonia takes the end of an mp3's or ogg's bytes for its end, and once nothing was said.
#[test]
fn what_is_cut_short_is_told_whatever_the_container() {
    let mp3 = counted_mp3();
    let (sound, warning) = read_both_ways(&mp3[..mp3.len() * 3 / 4]);
    let at_s = sound[0].len() as f64 / 16_000.0;
    let whole_s = (MP3.len() / 144 * MP3_FRAME) as f64 / 16_000.0;
    let told = matches!(warning, Some(Warning::Missing { at_s: at, missing_s }) if at == at_s && (at + missing_s - whole_s).abs() < 1e-9);
    assert!(told && (0.7..0.8).contains(&(at_s / whole_s)), "mp3: {warning:?}");
    // The end of the ogg's seventh page.
    let (sound, warning) = read_both_ways(&PAGES[..3154]);
    assert_eq!((sound[0].len(), warning), (7424, Some(Warning::Torn { at_s: 0.928 })));
    // A file that can seek was refused for this.
    let aiff = COMPRESSED[5].1;
    let (sound, warning) = read_both_ways(&aiff[..aiff.len() / 2]);
    assert!(sound[0].len() > 5900 && matches!(warning, Some(Warning::Truncated { .. })), "aiff: {warning:?}");
}

/// An mp3 that went on in another form was damaged for all that was said, and decoded.
#[test]
fn an_mp3_that_goes_on_in_another_form_is_told() {
    // One channel where there were two.
    let mut other = silent_frame(4, 144);
    other[3] |= 0xC0;
    let frames = MP3.len() / 144;
    let warning = |others: usize| read_both_ways(&[MP3.to_vec(), other.repeat(others), MP3.to_vec()].concat()).1;
    let abandoned = |warning: Option<Warning>| match warning {
        Some(Warning::Abandoned { at_s, why }) => Some((at_s, why)),
        _ => None,
    };
    let (at_s, why) = abandoned(warning(20)).unwrap();
    assert!(at_s >= (frames * MP3_FRAME) as f64 / 16_000.0 && why.contains("number of channels"), "{at_s} {why}");
    // A few are damaged headers.
    assert_eq!(warning(3), Some(Warning::Damaged { packets: 3 }));
}

#[test]
fn an_aiff_of_unknown_length_ends_where_its_bytes_do() {
    let mut aiff = COMPRESSED[5].1.to_vec();
    let expected = read_both_ways(&aiff);
    let sound = aiff.windows(4).position(|bytes| bytes == b"SSND").unwrap();
    let common = aiff.windows(4).position(|bytes| bytes == b"COMM").unwrap();
    // What SoX writes to a pipe.
    for (at, length) in [(4, 0x7F00_0050_u32), (common + 10, 0x3F80_0000), (sound + 4, 0x7F00_0008)] {
        aiff[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    assert_eq!(read_both_ways(&aiff), expected);
}

/// Where an mp3 is damaged its frames are gone, and only the count tells.
#[test]
fn an_mp3_damaged_in_its_middle_is_told() {
    let mut mp3 = counted_mp3();
    let (whole, _) = read_both_ways(&mp3);
    mp3[3000..3500].fill(0);
    let (sound, warning) = read_both_ways(&mp3);
    let lost = whole[0].len() - sound[0].len();
    assert!(lost > MP3_FRAME && matches!(warning, Some(Warning::Missing { .. })), "{lost} frames lost, {warning:?}");
}

/// Gives its bytes in small pieces, and between them what `hiccup` makes.
struct Fitful<'a> {
    bytes: Cursor<&'a [u8]>,
    hiccup: fn(u64) -> Option<io::Error>,
    reads: u64,
}

impl Read for Fitful<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let most = buffer.len().min(256);
        (self.hiccup)(self.reads).map_or_else(|| self.bytes.read(&mut buffer[..most]), Err)
    }
}

fn fitful(bytes: &'static [u8], hiccup: fn(u64) -> Option<io::Error>) -> Result<Recording, AudioError> {
    Recording::from_stream("test", Fitful { bytes: Cursor::new(bytes), hiccup, reads: 0 })
}

/// Once an mp3 or flac on a device that failed was a success, and short.
#[test]
fn a_device_that_fails_is_told_whatever_the_container() {
    // The system's number for "input/output error".
    let dies = |reads| (reads > 12).then(|| io::Error::from_raw_os_error(5));
    for (what, bytes, _) in COMPRESSED.into_iter().filter(|(what, ..)| *what != "ogg").chain([("pages", PAGES, 0)]) {
        let mut recording = fitful(bytes, dies).unwrap();
        let mut block = Block::new();
        let error = loop {
            match recording.next_block(&mut block) {
                Ok(more) => assert!(more, "{what} ends at {} s", recording.seconds()),
                Err(error) => break error,
            }
        };
        let told = matches!(error.problem(), Problem::Read { at_s, source } if *at_s > 0.0 && source.raw_os_error() == Some(5));
        assert!(told, "{what}: {error}");
        assert_eq!(recording.warning(), None, "{what}");
    }
    let dead = fitful(MP3, |reads| (reads > 1).then(|| io::Error::from_raw_os_error(5))).err().unwrap();
    assert!(matches!(dead.problem(), Problem::Read { .. }), "{dead}");
}

/// A standard input in non-blocking mode, as some parents leave it, says "try again" where there is nothing yet.
#[test]
fn a_stream_that_has_nothing_yet_is_waited_for() {
    let wav = plain(3200).leak();
    for bytes in [&*wav, MP3] {
        let slow = fitful(bytes, |reads| (reads % 4 == 0).then(|| io::ErrorKind::WouldBlock.into())).unwrap();
        assert!(read_all(slow) == read_all(stream(bytes).unwrap()));
    }
}

/// A signal while a pipe was read made an ogg "no recording", and ended others early.
#[test]
fn an_interrupted_read_is_made_again() {
    let read = |recording: Result<Recording, AudioError>| recording.map(read_all).map_err(|error| error.to_string());
    for bytes in COMPRESSED.map(|(_, bytes, _)| bytes).into_iter().chain(MORE) {
        let signals = |reads| (reads % 3 == 0).then(|| io::ErrorKind::Interrupted.into());
        assert!(read(fitful(bytes, signals)) == read(stream(bytes)));
    }
}

/// [`COMPRESSED`]'s recording as ffmpeg's AAC, with its index before the sound.
const M4A: &[u8] = include_bytes!("../../../../tests/recordings/59.m4a");

/// A file that can seek was refused where the same bytes from a pipe were read.
#[test]
fn an_m4a_cut_short_is_read_by_its_path_too() {
    let (sound, warning) = read_both_ways(&M4A[..M4A.len() * 3 / 4]);
    assert!(sound[0].len() > 4096, "{} frames", sound[0].len());
    assert!(matches!(warning, Some(Warning::Truncated { .. })), "{warning:?}");
}

/// [`COMPRESSED`]'s flac as ffmpeg's ALAC (`ffmpeg -i 59.flac -c:a alac`).
const ALAC: &[u8] = include_bytes!("../../../../tests/recordings/59-alac.m4a");

#[test]
fn alac_is_read_to_the_sample() {
    let (expected, _) = read_both_ways(COMPRESSED[2].1);
    let (sound, warning) = read_both_ways(ALAC);
    assert!(sound == expected && warning.is_none(), "{} frames, {warning:?}", sound[0].len());
    let (sound, warning) = read_both_ways(&ALAC[..ALAC.len() * 3 / 4]);
    assert!(sound[0].len() > 4000 && expected[0].starts_with(&sound[0]), "{} frames", sound[0].len());
    assert!(matches!(warning, Some(Warning::Truncated { .. })), "{warning:?}");
}

/// A decoder calls damage an end of file or an unsupported feature, as it comes: the rest was given up for that.
#[test]
fn damage_to_an_m4a_costs_its_packets_only() {
    let (whole, _) = read_both_ways(M4A);
    // The bytes of the sound from about 0.7 to 0.9 s, between the two digits.
    let mut damaged = M4A.to_vec();
    damaged[2150..2350].iter_mut().enumerate().for_each(|(index, byte)| *byte = (index * 37) as u8);
    let (sound, warning) = read_both_ways(&damaged);
    assert_eq!(sound[0].len(), whole[0].len());
    assert!(matches!(warning, Some(Warning::Damaged { .. })), "{warning:?}");
}

/// Where the next of several joined oggs began, the reader once gave up with "decoder needs to be reset".
#[test]
fn joined_oggs_are_read_to_the_end_of_the_last() {
    let (one, _) = read_both_ways(PAGES);
    let (sound, warning) = read_both_ways(&[PAGES, PAGES, PAGES].concat());
    assert_eq!((sound[0].len(), warning), (3 * one[0].len(), None));
    for start_ms in [0_usize, 1500, 3000] {
        let at = |from_ms: usize, to_ms: usize| power(&sound[0], 8000, start_ms + from_ms, start_ms + to_ms);
        assert!((at(110, 290) / 0.0596 - 1.0).abs() < 0.15 && at(320, 980) < 1e-3, "from {start_ms} ms");
    }
    // The bytes of the rate, 8000 Hz.
    let faster = with_identification(40, &16_000_u32.to_le_bytes());
    let (sound, warning) = read_both_ways(&[PAGES, &faster].concat());
    assert!(sound == one && matches!(warning, Some(Warning::Abandoned { at_s: 1.5, .. })), "{warning:?}");
    assert!(warning.unwrap().to_string().contains("another sample rate"));
}

/// [`PAGES`] with other bytes in its first page, which tells the form of the sound, and that page's checksum for them.
fn with_identification(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut pages = PAGES.to_vec();
    pages[at..at + bytes.len()].copy_from_slice(bytes);
    pages[22..26].fill(0);
    let checksum = ogg_checksum(&pages[..58]);
    pages[22..26].copy_from_slice(&checksum.to_le_bytes());
    pages
}

/// The checksum of an ogg page (RFC 3533, 6): a CRC of 32 bits, most significant bit first, from 0.
pub(super) fn ogg_checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 })
    })
}

/// A megabyte of cover picture in front of the sound hid it.
#[test]
fn tags_in_front_of_an_mp3_are_passed_over_whatever_their_length() {
    let (plain, _) = read_both_ways(MP3);
    let tag = |size: usize, flags: u8| {
        let seven_bits = [21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8);
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        [&b"ID3\x04\0"[..], &[flags], &seven_bits, &vec![0xFF; size + footer]].concat()
    };
    for tags in [tag(1_200_000, 0), tag(0, 0), tag(300, 0x10), [tag(1, 0), tag(70_000, 0)].concat()] {
        assert!(read_both_ways(&[tags, MP3.to_vec()].concat()) == (plain.clone(), None));
    }
}

/// [`COMPRESSED`]'s recording as AAC in fragments of half a second.
const FRAGMENTS: &[u8] = include_bytes!("../../../../tests/recordings/59-fragments.mp4");

/// An encoder's AAC begins 1024 samples before the sound, 128 ms at 8 kHz; the index says so, and symphonia leaves it unread.
#[test]
fn an_m4a_begins_where_its_index_says() {
    let at = |sound: &[Vec<f32>], from_ms: usize, to_ms: usize| power(&sound[0], 8000, from_ms, to_ms);
    let in_place = |sound: &[Vec<f32>], delay: usize| {
        let tone = [(110, 290), (1010, 1190)]
            .iter()
            .all(|&(from, to)| (at(sound, from + delay, to + delay) / 0.0596 - 1.0).abs() < 0.15);
        tone && [(0, 80), (320, 980), (1220, 1420)].iter().all(|&(from, to)| at(sound, from + delay, to + delay) < 1e-3)
    };
    let (sound, warning) = read_both_ways(M4A);
    assert!(in_place(&sound, 0) && warning.is_none(), "{warning:?}");
    let edit = M4A.windows(4).position(|word| word == b"elst").unwrap();
    let start = edit + 16..edit + 20;
    let with = |ticks: i32| [&M4A[..start.start], &ticks.to_be_bytes(), &M4A[start.end..]].concat();
    assert_eq!(&M4A[start.clone()], 1024_i32.to_be_bytes());
    // A pause before the sound and a cut of more than a second are no encoder's delay.
    for not_a_delay in [-1, 8001, i32::MAX] {
        let (sound, warning) = read_both_ways(&with(not_a_delay));
        assert!(in_place(&sound, 128) && warning.is_none(), "{not_a_delay}: {warning:?}");
    }
    // Fragments carry no edits here, as ffmpeg writes them.
    let (sound, warning) = read_both_ways(FRAGMENTS);
    assert!(in_place(&sound, 128) && warning.is_none(), "{warning:?}");
}

#[test]
fn a_fragment_cut_short_is_read_as_far_as_it_goes() {
    // Within the third fragment, which begins with byte 2283.
    let (sound, warning) = read_both_ways(&FRAGMENTS[..3600]);
    assert_eq!((sound[0].len(), warning), (9216, Some(Warning::Torn { at_s: 1.152 })));
}

/// symphonia decodes them to other sound, without a word: wrong digits are worse than none.
#[test]
fn vorbis_of_three_channels_is_refused_with_the_cure() {
    let told = refusal(with_identification(39, &[3]));
    assert!(told.contains("Vorbis of 3 channels") && told.contains("ffmpeg -i"), "{told}");
    assert_eq!(refusal(PAGES), "read");
}

/// It was no recording this program can decode, for an unexpected end of file.
#[test]
fn an_ogg_without_sound_is_told_as_what_it_is() {
    let one_page = COMPRESSED[3].1;
    let speex = [&b"OggS\0\x02"[..], &[0; 20], b"\x01\x50Speex   1.2rc1", &[0; 66]].concat();
    for bytes in [&one_page[..one_page.len() * 3 / 4], &speex] {
        let told = refusal(bytes);
        assert!(told.contains("is an ogg of which no sound can be read") && told.contains("ffmpeg -i"), "{told}");
    }
}

/// An mp3 in a ZIP was decoded, as far as it lay there in one piece, and of the mp3 in a video the packets that happened to be
/// whole.
#[test]
fn no_mp3_is_looked_for_in_what_is_known_to_be_something_else() {
    let mp3 = COMPRESSED[4].1;
    let tar = [&[b'a'; 257][..], b"ustar\0", &[0; 249]].concat();
    let cases: [(&[u8], &str); 5] = [
        (b"PK\x03\x04\x14\0\0\0\0\0\0\0", "is a ZIP archive, not a recording: unpack it"),
        (&tar, "is a tar archive, not a recording: unpack it"),
        (b"RIFF\0\0\0\0AVI LIST", "is AVI video, which is not decoded here"),
        (b"FLV\x01\x05\0\0\0\x09\0\0\0\0", "is Flash video, which is not decoded here"),
        (b"#!AMR\n\x3C\0\0\0\0\0\0\0", "is AMR, which is not decoded here"),
    ];
    for (start, expected) in cases {
        let told = refusal([start, mp3].concat());
        assert!(told.contains(expected), "{told}");
    }
}

/// It was a panic that ended the whole batch: the tag said one byte more than there was.
#[test]
fn a_tag_without_sound_is_no_recording() {
    let whole: Vec<u8> = [&b"ID3\x04\0\0\0\0\0\x01"[..], b"x"].concat();
    for length in 1..=whole.len() {
        let told = refusal(whole[..length].to_vec());
        assert!(told.contains("is too short to hold any sound"), "{length} bytes: {told}");
    }
    let (_, warning) = read_both_ways(&[&whole[..], COMPRESSED[4].1].concat());
    assert_eq!(warning, None);
}

/// They were told with the words of the library that reads them: "unsupported feature: core (probe)", "unexpected end of file".
#[test]
fn a_refusal_says_what_it_is_and_what_to_do() {
    let noise: Vec<u8> = (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2] | 1).collect();
    let track = M4A.windows(4).position(|word| word == b"trak").unwrap();
    let without_track = [&M4A[..track], b"free", &M4A[track + 4..]].concat();
    let cases: [(&[u8], &[&str]); 5] = [
        (&without_track, &["has no sound track"]),
        (&noise, &["it begins as no form does that is known here", "ffmpeg -i", "--raw-rate"]),
        (&COMPRESSED[2].1[..30], &["ends before its sound begins", "copy it again"]),
        (&COMPRESSED[5].1[..40], &["ends before its sound begins", "copy it again"]),
        (&[0x1A, 0x45, 0xDF, 0xA3, 0, 0, 0, 0, 0, 0, 0, 0, 0], &["is Matroska or WebM of which no sound", "Opus"]),
    ];
    for (bytes, expected) in cases {
        let told = refusal(bytes.to_vec());
        assert!(expected.iter().all(|part| told.contains(part)), "{told} lacks {expected:?}");
    }
}

#[test]
fn a_known_form_that_is_not_decoded_is_named_with_its_cure() {
    let coding = M4A.windows(4).position(|word| word == b"mp4a").unwrap();
    // Without the description of AAC behind it.
    let coded = |word: &[u8; 4]| {
        let mut bytes = [&M4A[..coding], word, &M4A[coding + 4..]].concat();
        let description = bytes.windows(4).position(|word| word == b"esds").unwrap();
        bytes[description..description + 4].copy_from_slice(b"free");
        bytes
    };
    // The boxes of the sound and of its index change places; the first ends at byte 28, the second at 806.
    let index_behind = [&M4A[..28], &M4A[806..], &M4A[28..806]].concat();
    let cases: [(Vec<u8>, &[&str]); 6] = [
        (coded(b"ulaw"), &["G.711 mu-law in an MP4", "convert it to WAV"]),
        (coded(b"xyzw"), &["'xyzw' in an MP4", "convert it to WAV"]),
        (index_behind.clone(), &["index follows its sound", "name the file", "+faststart"]),
        (M4A[..500].to_vec(), &["MP4 without its index", "copy it again"]),
        (b"wvpk and so on".to_vec(), &["WavPack", "convert it to WAV"]),
        (b"\x1A\x45\xDF\xA3 and so on".to_vec(), &["WebM", "convert it to WAV"]),
    ];
    for (bytes, expected) in cases {
        let told = refusal(bytes);
        assert!(expected.iter().all(|part| told.contains(part)), "{told} lacks {expected:?}");
        assert!(!told.contains("--raw"), "{told}");
    }
    // By its path the index is found, wherever it is.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&index_behind).unwrap();
    assert!(Recording::open(file.path()).is_ok());
    file.as_file().set_len(2000).unwrap();
    let told = Recording::open(file.path()).err().unwrap().to_string();
    assert!(told.contains("MP4 without its index"), "{told}");
}

/// The page behind a lost one was early by what is lost, and only the next was in its place.
#[test]
fn the_page_behind_a_lost_one_is_in_its_place() {
    let (whole, _) = read_both_ways(PAGES);
    // The pages that begin with these bytes end with these samples.
    for (page, ends) in [(2744, 2304), (3154, 8704), (3348, 9984), (3543, 11_264)] {
        let (sound, warning) = read_both_ways(&with_flipped_bit(PAGES, page + 33));
        assert_eq!(sound[0].len(), whole[0].len(), "page at {page}");
        assert!(matches!(warning, Some(Warning::Damaged { packets: 5 | 4 })), "page at {page}: {warning:?}");
        // Behind the block that overlaps the loss.
        let behind = ends + 256..(ends + 1280).min(11_700);
        let off =
            sound[0][behind.clone()].iter().zip(&whole[0][behind]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // The last page's padding is unknown, and the page is early by it.
        assert!(page == 3543 || off < 1e-6, "page at {page}: {off}");
    }
}

/// How much was read at once decided which losses were known: this one, whose pages are damaged in their times and numbers, had
/// its sound elsewhere in smaller pieces.
#[test]
fn what_is_lost_of_an_ogg_does_not_depend_on_how_it_is_read() {
    let bytes = include_bytes!("../../../../tests/recordings/losses.opus");
    assert!(read_all(fitful(bytes, |_| None).unwrap()) == read_all(stream(&bytes[..]).unwrap()));
}
