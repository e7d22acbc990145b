//! Recordings that were put one behind the other, and WAVs whose sound lies in several places of a file.

use super::*;

/// Of joined WAVs, and of several data chunks, only the first was read; and later still, from a pipe.
#[test]
fn sound_behind_the_first_is_read() {
    let one = || Wav::new().format(1, 1, 8000, 16).chunk(b"data", &sound()).chunk(b"LIST", &[7; 11]);
    let (expected, warning) = read_both_ways(&one().bytes());
    assert_eq!(warning, None);
    let three_chunks = one().chunk(b"data", &sound()).chunk(b"data", &sound()).bytes();
    let three_files = [one().bytes(), one().bytes(), plain(u32::MAX)].concat();
    for bytes in [three_chunks, three_files] {
        assert_eq!(read_both_ways(&bytes), (vec![expected[0].repeat(3)], None));
    }
    // Half a sample at the end of the first.
    let torn = [&one().chunk(b"data", &[7]).bytes()[..], &one().bytes()].concat();
    assert_eq!(read_both_ways(&torn), (vec![expected[0].repeat(2)], None));
    // The last one is cut, or has bytes behind it.
    let two_files = [one().bytes(), one().bytes()].concat();
    let (cut, warning) = read_both_ways(&two_files[..two_files.len() - 20 - 1600]);
    assert_eq!((cut[0].len(), warning), (2400, Some(Warning::Truncated { at_s: 0.3, missing_s: 0.1 })));
    let (_, warning) = read_both_ways(&[one().bytes(), plain(1600)].concat());
    assert_eq!(warning, Some(Warning::Beyond { at_s: 0.3, bytes: 1600 }));
    // In another form, or unfinished.
    let other = Wav::new().format(1, 1, 16_000, 16).chunk(b"data", &sound()).bytes();
    for next in [other, plain(0)] {
        let (found, warning) = read_both_ways(&[one().bytes(), next].concat());
        assert_eq!((found, &warning), (expected.clone(), &Some(Warning::More { at_s: 0.2 })));
        assert!(warning.is_some_and(|warning| warning.is_failure()));
    }
}

/// Blocks are decoded whole: a recording that is coded in them is gone on behind its last whole one only.
#[test]
fn joined_wavs_in_blocks_are_read_where_the_first_ends_with_a_whole_one() {
    let (once, _) = read_both_ways(GSM);
    let (twice, warning) = read_both_ways(&[GSM, GSM].concat());
    assert_eq!((twice[0].len(), warning), (2 * once[0].len(), None));
    let data = GSM.len() - 38 * 65;
    let length = u32::try_from(37 * 65 + 1).unwrap().to_le_bytes();
    let odd = [&GSM[..data - 4], &length, &GSM[data..data + 37 * 65 + 1]].concat();
    let (_, warning) = read_both_ways(&[&odd[..], GSM].concat());
    assert!(matches!(warning, Some(Warning::More { .. })), "{warning:?}");
}

/// What was joined to these was left out without a word, as it was not found behind what stands before it or in its head.
#[test]
fn joined_wavs_are_found_whatever_their_writers_left_out() {
    let (expected, _) = read_both_ways(&plain(3200));
    let told = |bytes: &[u8]| (read_both_ways(bytes).0[0].len(), read_both_ways(bytes).1);
    // No byte behind an odd length of sound, or of another chunk.
    let bytes_of = |count| Wav::new().format(1, 1, 8000, 8).chunk(b"data", &vec![0x80; count]).bytes();
    let mut odd = bytes_of(1601);
    assert_eq!(odd.pop(), Some(0));
    assert_eq!(told(&[odd, bytes_of(800)].concat()), (2401, None));
    let mut list = Wav::new().format(1, 1, 8000, 16).chunk(b"data", &sound()).chunk(b"LIST", &[7; 11]).bytes();
    assert_eq!(list.pop(), Some(0));
    assert_eq!(read_both_ways(&[list, plain(3200)].concat()), (vec![expected[0].repeat(2)], None));
    // Lengths of 64 bits, or none yet.
    for start in [&b"RF64\xFF\xFF\xFF\xFF"[..], b"BW64\xFF\xFF\xFF\xFF", b"RIFF\0\0\0\0"] {
        let next = [start, &plain(3200)[8..]].concat();
        assert_eq!(read_both_ways(&[plain(3200), next].concat()), (vec![expected[0].repeat(2)], None), "{start:?}");
    }
}

/// Of an empty one it was said that it was not read, and what stands behind it was not.
#[test]
fn an_empty_recording_among_joined_ones_is_empty() {
    let (expected, _) = read_both_ways(&plain(3200));
    let empty = || Wav::new().format(1, 1, 8000, 16).chunk(b"data", &[]);
    for empty in [empty().bytes(), empty().chunk(b"LIST", &[7; 12]).bytes()] {
        assert_eq!(read_both_ways(&[plain(3200), empty.clone()].concat()), (expected.clone(), None));
        let between = [plain(3200), empty, plain(3200)].concat();
        assert_eq!(read_both_ways(&between), (vec![expected[0].repeat(2)], None));
    }
}

/// Of joined flacs only the first was read.
#[test]
fn joined_flacs_are_read_to_the_end_of_the_last() {
    let flac = COMPRESSED[2].1;
    let (whole, _) = read_both_ways(flac);
    let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
    let joined = [flac, flac, flac, &id3v1].concat();
    assert_eq!(read_both_ways(&joined), (vec![whole[0].repeat(3)], None));
    let (sound, warning) = read_both_ways(&joined[..3 * flac.len() - 500]);
    assert!(sound[0].len() > 2 * whole[0].len() && whole[0].repeat(3).starts_with(&sound[0]));
    assert!(matches!(warning, Some(Warning::Truncated { .. })), "{warning:?}");
    // One that is cut leaves silence, so that what is behind it keeps its time; its digit was lost without a word.
    let (sound, warning) = read_both_ways(&[&flac[..flac.len() - 500], flac].concat());
    assert_eq!((&sound[0][whole[0].len()..], warning), (&whole[0][..], Some(Warning::Damaged { packets: 1 })));
    // The rate, whose 20 bits begin at the 19th byte.
    let mut other = flac.to_vec();
    other[18..20].copy_from_slice(&[0x03, 0xE8]);
    let (sound, warning) = read_both_ways(&[flac, &other].concat());
    let Some(Warning::Abandoned { at_s, .. }) = warning else { panic!("{warning:?}") };
    assert_eq!((sound, at_s), (whole.clone(), whole[0].len() as f64 / 8000.0));
}
