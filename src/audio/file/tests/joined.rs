//! WAVs whose sound lies in several places of a file.

use super::*;

fn read(bytes: &[u8]) -> (Vec<Vec<f32>>, Option<Warning>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read_all(Recording::open(file.path()).unwrap())
}

/// Of joined WAVs, and of several data chunks, only the first was read.
#[test]
fn sound_behind_the_first_is_read_where_a_file_can_be_asked() {
    let one = || Wav::new().format(1, 1, 8000, 16).chunk(b"data", &sound()).chunk(b"LIST", &[7; 11]);
    let (expected, warning) = read(&one().bytes());
    assert_eq!(warning, None);
    let three_chunks = one().chunk(b"data", &sound()).chunk(b"data", &sound()).bytes();
    let three_files = [one().bytes(), one().bytes(), plain(u32::MAX)].concat();
    for bytes in [three_chunks, three_files] {
        assert_eq!(read(&bytes), (vec![expected[0].repeat(3)], None));
    }
    // Half a sample at the end of the first.
    let torn = [&one().chunk(b"data", &[7]).bytes()[..], &one().bytes()].concat();
    assert_eq!(read(&torn), (vec![expected[0].repeat(2)], None));
    // The last one is cut, or has bytes behind it.
    let two_files = [one().bytes(), one().bytes()].concat();
    let (cut, warning) = read(&two_files[..two_files.len() - 20 - 1600]);
    assert_eq!((cut[0].len(), warning), (2400, Some(Warning::Truncated { at_s: 0.3, missing_s: 0.1 })));
    let (_, warning) = read(&[one().bytes(), plain(1600)].concat());
    assert_eq!(warning, Some(Warning::Beyond { at_s: 0.3, bytes: 1600 }));
    // In another form, or unfinished.
    let other = Wav::new().format(1, 1, 16_000, 16).chunk(b"data", &sound()).bytes();
    for next in [other, plain(0)] {
        let (found, warning) = read(&[one().bytes(), next].concat());
        assert_eq!((found, &warning), (expected.clone(), &Some(Warning::More { at_s: 0.2 })));
        assert!(warning.is_some_and(|warning| warning.is_failure()));
    }
}

/// Blocks are decoded whole: a recording that is coded in them is gone on behind its last whole one only.
#[test]
fn joined_wavs_in_blocks_are_read_where_the_first_ends_with_a_whole_one() {
    let (once, _) = read(GSM);
    let (twice, warning) = read(&[GSM, GSM].concat());
    assert_eq!((twice[0].len(), warning), (2 * once[0].len(), None));
    let data = GSM.len() - 38 * 65;
    let length = u32::try_from(37 * 65 + 1).unwrap().to_le_bytes();
    let odd = [&GSM[..data - 4], &length, &GSM[data..data + 37 * 65 + 1]].concat();
    let (_, warning) = read(&[&odd[..], GSM].concat());
    assert!(matches!(warning, Some(Warning::More { .. })), "{warning:?}");
}
