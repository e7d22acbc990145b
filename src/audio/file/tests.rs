use std::fs;
use std::io::{self, Write as _};

use proptest::prelude::*;

use super::*;
use crate::audio::pcm::SampleFormat;
use crate::audio::raw::RawEncoding;

mod changes;
mod compressed;
mod containers;
mod joined;
mod opus;

/// A WAV file as a list of chunks, whatever they say.
struct Wav {
    form: &'static [u8; 4],
    chunks: Vec<u8>,
}

impl Wav {
    fn new() -> Self {
        Self { form: b"RIFF", chunks: Vec::new() }
    }

    fn chunk(self, id: &[u8; 4], body: &[u8]) -> Self {
        let length = u32::try_from(body.len()).unwrap();
        self.chunk_saying(id, length, body)
    }

    /// A chunk whose header tells another length than its body has.
    fn chunk_saying(mut self, id: &[u8; 4], length: u32, body: &[u8]) -> Self {
        self.chunks.extend_from_slice(id);
        self.chunks.extend_from_slice(&length.to_le_bytes());
        self.chunks.extend_from_slice(body);
        if body.len() % 2 == 1 {
            self.chunks.push(0);
        }
        self
    }

    fn format(self, tag: u16, channels: u16, rate: u32, bits: u16) -> Self {
        let align = channels.wrapping_mul(bits / 8);
        let mut body = Vec::new();
        let byte_rate = rate.wrapping_mul(u32::from(align));
        for part in [&tag.to_le_bytes()[..], &channels.to_le_bytes(), &rate.to_le_bytes(), &byte_rate.to_le_bytes()] {
            body.extend_from_slice(part);
        }
        body.extend_from_slice(&align.to_le_bytes());
        body.extend_from_slice(&bits.to_le_bytes());
        self.chunk(b"fmt ", &body)
    }

    fn bytes(self) -> Vec<u8> {
        let length = u32::try_from(self.chunks.len() + 4).unwrap();
        [self.form, &length.to_le_bytes()[..], b"WAVE", &self.chunks].concat()
    }
}

/// 1600 16-bit samples, 0.2 s at 8 kHz.
fn sound() -> Vec<u8> {
    (0..1600_i16).flat_map(|n| (n * 20).to_le_bytes()).collect()
}

fn plain(length: u32) -> Vec<u8> {
    Wav::new().format(1, 1, 8000, 16).chunk_saying(b"data", length, &sound()).bytes()
}

fn read_all(mut recording: Recording) -> (Vec<Vec<f32>>, Option<Warning>) {
    let (mut block, mut channels) = (Block::new(), vec![Vec::new(); recording.channels()]);
    while recording.next_block(&mut block).unwrap() {
        channels.iter_mut().enumerate().for_each(|(index, samples)| samples.extend_from_slice(block.channel(index)));
    }
    (channels, recording.warning().cloned())
}

fn stream(bytes: impl Into<Vec<u8>>) -> Result<Recording, AudioError> {
    Recording::from_stream("test", Cursor::new(bytes.into()))
}

/// Through a file with seeking, and through a stream without: both must say the same.
fn read_both_ways(bytes: &[u8]) -> (Vec<Vec<f32>>, Option<Warning>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let from_file = read_all(Recording::open(file.path()).unwrap());
    let from_stream = read_all(stream(bytes).unwrap());
    assert!(from_file == from_stream, "{:?} and {:?}", from_file.1, from_stream.1);
    from_file
}

fn refusal(bytes: impl Into<Vec<u8>>) -> String {
    stream(bytes).err().map_or_else(|| "read".to_owned(), |error| error.to_string())
}

#[test]
fn a_plain_file_is_read_as_hound_reads_it() {
    let bytes = plain(3200);
    let expected: Vec<f32> =
        hound::WavReader::new(&bytes[..]).unwrap().samples::<i16>().map(|s| f32::from(s.unwrap()) / 32_768.0).collect();
    assert_eq!(read_both_ways(&bytes), (vec![expected], None));
}

#[test]
fn headers_that_hound_refuses_are_read_to_the_end() {
    let (expected, _) = read_both_ways(&plain(3200));
    let odd = Wav::new().chunk(b"LIST", b"odd").format(1, 1, 8000, 16).chunk(b"note", b"x").chunk(b"data", &sound());
    let mut long = Wav::new();
    long.form = b"RF64";
    let mut sizes = vec![0_u8; 28];
    sizes[8..12].copy_from_slice(&3200_u32.to_le_bytes());
    let long = long.chunk(b"ds64", &sizes).format(1, 1, 8000, 16).chunk_saying(b"data", u32::MAX, &sound());
    // An alignment that can't hold 16 bits.
    let mut misaligned = plain(3200);
    misaligned[32] = 1;
    let trailer = Wav::new().format(1, 1, 8000, 16).chunk(b"data", &sound()).chunk(b"LIST", &[7; 501]);
    let cases = [
        ("a chunk of odd length before the sound", odd.bytes()),
        ("RF64 with its length in ds64", long.chunk(b"LIST", &[7; 100]).bytes()),
        ("chunks after the sound", trailer.bytes()),
        ("16-bit samples aligned to one byte", misaligned),
        ("ffmpeg to a pipe", plain(u32::MAX)),
        ("sox to a pipe", plain(0x7FFF_F7DC)),
    ];
    for (what, bytes) in cases {
        assert_eq!(read_both_ways(&bytes), (expected.clone(), None), "{what}");
    }
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes_with_a_warning() {
    let mut bytes = plain(3200);
    bytes.truncate(bytes.len() - 1601);
    let (channels, warning) = read_both_ways(&bytes);
    assert_eq!(channels[0].len(), 799);
    assert_eq!(warning, Some(Warning::Truncated { at_s: 799.0 / 8000.0, missing_s: 800.0 / 8000.0 }));
    let told = warning.unwrap().to_string();
    assert_eq!(told, "cut short: ends at 0.100 s, 0.100 s before the end its header tells");
}

#[test]
fn a_header_never_finished_is_told_and_an_empty_recording_is_not() {
    let (channels, warning) = read_both_ways(&plain(0));
    assert_eq!((channels[0].len(), warning), (1600, Some(Warning::Unfinished { at_s: 0.2 })));
    let empty = Wav::new().format(1, 1, 8000, 16).chunk(b"data", b"");
    assert_eq!(read_both_ways(&empty.bytes()), (vec![vec![]], None));
    // A chunk behind it was once decoded as its sound.
    let empty = Wav::new().format(1, 1, 8000, 16).chunk(b"data", b"").chunk(b"LIST", &[7; 500]);
    assert_eq!(read_both_ways(&empty.bytes()), (vec![vec![]], None));
}

/// A writer that died after it had told a length once: the rest was left out without a word.
#[test]
fn bytes_behind_the_told_length_are_told_where_they_may_be_sound() {
    let warning = |length: u32, behind: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&plain(length)).unwrap();
        file.write_all(behind).unwrap();
        read_all(Recording::open(file.path()).unwrap()).1
    };
    assert_eq!(warning(1600, &[]), Some(Warning::Beyond { at_s: 0.1, bytes: 1600 }));
    let told = warning(1600, &[]).unwrap().to_string();
    assert!(told.contains("0.100 s only") && told.contains("1600 bytes") && told.contains("--raw-rate"), "{told}");
    // Chunks, with the byte that makes a length even and without it, and what fills a sector up.
    for behind in [&b"LIST\x04\0\0\0abcd"[..], b"IST\x04\0\0\0abcd", &[0; 512], b"abc"] {
        assert_eq!(warning(3200, behind), None, "{behind:?}");
    }
}

/// A header of 32 bits tells 5 GiB as 1 GiB: four fifths of the recording were left out without a word.
#[test]
fn a_length_beyond_32_bits_is_put_right() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), plain(1 << 30)).unwrap();
    let start = plain(0).len() as u64 - 3200;
    file.as_file().set_len(start + (5 << 30)).unwrap();
    let recording = Recording::open(file.path()).unwrap();
    assert!(matches!(recording.source, Source::Wav { length: Length::Bytes(5_368_709_120), .. }));
}

const GSM: &[u8] = include_bytes!("../../../tests/recordings/59-gsm.wav");

/// As libgsm and libavcodec decode it: the standard lays down every bit.
#[test]
fn gsm_is_decoded_to_the_bit() {
    let (sound, warning) = read_both_ways(GSM);
    assert_eq!((sound[0].len(), warning), (12_160, None));
    #[expect(clippy::cast_possible_truncation, reason = "16-bit samples they were")]
    let bytes = sound[0].iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes());
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    assert_eq!(bytes.fold(0xcbf2_9ce4_8422_2325, hash), 0x3042_e024_6982_af4d);
    // Cut behind the first frame of a block.
    let start = GSM.len() - 38 * 65;
    let (sound, warning) = read_both_ways(&GSM[..start + 65 + 40]);
    assert_eq!(sound[0].len(), 3 * 160);
    assert!(matches!(warning, Some(Warning::Truncated { .. })), "{warning:?}");
}

/// An AU file of mono 16-bit samples with a text behind its header.
fn au(encoding: u32, length: u32, sound: &[u8]) -> Vec<u8> {
    let words = [32, length, encoding, 8000, 1].map(u32::to_be_bytes).concat();
    [&b".snd"[..], &words, b"a text\0\0", sound].concat()
}

#[test]
fn au_is_read_in_its_encodings() {
    let (expected, _) = read_both_ways(&plain(3200));
    let swapped: Vec<u8> = sound().chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    for length in [3200, u32::MAX] {
        assert_eq!(read_both_ways(&au(3, length, &swapped)), (expected.clone(), None));
    }
    let (_, warning) = read_both_ways(&au(3, 6400, &swapped));
    assert_eq!(warning, Some(Warning::Truncated { at_s: 0.2, missing_s: 0.2 }));
    let top = 32_124.0 / 32_768.0;
    assert_eq!(read_both_ways(&au(1, 2, &[0x80, 0x00])), (vec![vec![top, -top]], None));
    for (bytes, part) in [
        (au(23, 2, &[0; 2]), "is AU in G.726"),
        (au(3, 2, &[])[..20].to_vec(), "ends inside its header"),
        ([&b".snd"[..], &[0; 20]].concat(), "begins inside the header"),
    ] {
        let told = refusal(bytes);
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn raw_samples_are_read_in_the_form_that_is_named() {
    let raw = RawFormat { sample_rate: 8000, channels: 2, format: RawEncoding::Samples(SampleFormat::MuLaw) };
    let recording = Recording::from_raw("raw", Cursor::new(vec![0xFF, 0x80, 0xFF, 0x00, 0xFF]), raw).unwrap();
    let (channels, warning) = read_all(recording);
    let top = 32_124.0 / 32_768.0;
    assert_eq!((channels, warning), (vec![vec![0.0, 0.0], vec![top, -top]], None));
    let refused = Recording::from_raw("raw", io::empty(), RawFormat { channels: 33, ..raw }).err().unwrap();
    assert!(refused.to_string().contains("33 channels"), "{refused}");
    // Only the command knew that, and whoever used the library heard wrong keys at wrong times.
    for (format, own) in [(RawEncoding::G722, 16_000), (RawEncoding::Gsm, 8000)] {
        let raw = RawFormat { sample_rate: 11_025, channels: 1, format };
        let refused = Recording::from_raw("raw", io::empty(), raw).err().unwrap().to_string();
        assert!(refused.contains("11025 Hz") && refused.ends_with(&format!("give {own}")), "{refused}");
        assert!(Recording::from_raw("raw", io::empty(), RawFormat { sample_rate: own, ..raw }).is_ok());
    }
}

#[test]
fn a_recording_that_cannot_be_read_is_named_with_the_reason_and_the_cure() {
    let cases: [(Vec<u8>, &[&str]); 10] = [
        (vec![], &["test: is empty"]),
        (b"hello, this is a text file that is no recording".to_vec(), &["is text, not a recording", "check what"]),
        (Wav::new().chunk(b"data", &sound()).bytes(), &["byte 12", "before its format"]),
        (Wav::new().chunk(b"fmt ", &[1; 8]).bytes(), &["byte 20", "shorter than 16 bytes"]),
        (Wav::new().format(1, 1, 8000, 16).bytes(), &["byte 36", "ends inside its header", "--raw-format"]),
        (Wav::new().format(0x31, 1, 8000, 0).chunk(b"data", &[0; 65]).bytes(), &["GSM 6.10", "0x0031", "ffmpeg -i"]),
        (Wav::new().format(1, 65_535, 8000, 16).chunk(b"data", &sound()).bytes(), &["65535 channels", "1 to 32"]),
        (Wav::new().format(1, 0, 8000, 16).chunk(b"data", &sound()).bytes(), &["0 channels"]),
        (Wav::new().format(1, 1, 1, 16).chunk(b"data", &sound()).bytes(), &["1 Hz", "4000 to 192000"]),
        (Wav::new().chunk_saying(b"LIST", 0x7000_0000, b"").bytes(), &["first 16 MiB"]),
    ];
    for (bytes, expected) in cases {
        let told = refusal(bytes);
        assert!(expected.iter().all(|part| told.contains(part)), "{told} lacks {expected:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(Recording::open(folder.path()).err().unwrap().to_string().contains("is a folder"));
    let missing = Recording::open(&folder.path().join("none.wav")).err().unwrap().to_string();
    assert!(missing.contains("none.wav: cannot be opened"), "{missing}");
    // It stands there in every list of the folder.
    let link = folder.path().join("link.wav");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let told = Recording::open(&link).err().unwrap().to_string();
    assert!(told.contains("link.wav: is a link to what is not there"), "{told}");
}

/// 1.5 s with digit 5 at 0.1 to 0.3 s and digit 9 at 1.0 to 1.2 s, encoded by sox, and the delay of the encoder in ms: an mp3
/// without LAME's gapless header does not tell it.
const COMPRESSED: [(&str, &[u8], usize); 6] = [
    ("IMA ADPCM", include_bytes!("../../../tests/recordings/59-ima-adpcm.wav"), 0),
    ("Microsoft ADPCM", include_bytes!("../../../tests/recordings/59-ms-adpcm.wav"), 0),
    ("flac", include_bytes!("../../../tests/recordings/59.flac"), 0),
    ("ogg", include_bytes!("../../../tests/recordings/59.ogg"), 0),
    ("mp3, 16 kHz stereo", include_bytes!("../../../tests/recordings/59.mp3"), 69),
    ("aiff", include_bytes!("../../../tests/recordings/59.aiff"), 0),
];

/// Mean square of part of a channel.
fn power(samples: &[f32], rate: u32, from_ms: usize, to_ms: usize) -> f64 {
    let at = |ms: usize| (ms * rate as usize / 1000).min(samples.len());
    let part = &samples[at(from_ms)..at(to_ms)];
    part.iter().map(|x| f64::from(x * x)).sum::<f64>() / part.len().max(1) as f64
}

#[test]
fn floating_point_that_is_no_number_becomes_silence_whoever_decodes_it() {
    let values = [f32::NAN, f32::INFINITY, 0.5, f32::MIN].map(f32::to_le_bytes).concat();
    let wav = Wav::new().format(3, 1, 8000, 32).chunk(b"data", &values).bytes();
    assert_eq!(read_both_ways(&wav).0, [[0.0, 0.0, 0.5, -1e6]]);
    // The same as AIFF-C, which symphonia decodes: once NaN came through.
    let big_endian = [f32::NAN, f32::INFINITY, 0.5, f32::MIN].map(f32::to_be_bytes).concat();
    let rate = [0x40, 0x0B, 0xFA, 0, 0, 0, 0, 0, 0, 0];
    let common = [&[0, 1, 0, 0, 0, 4, 0, 32][..], &rate, b"fl32", &[0, 0]].concat();
    let sound = [&[0; 8][..], &big_endian].concat();
    let chunk = |id: &[u8; 4], body: &[u8]| [id, &u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat();
    let body = [&b"AIFC"[..], &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat();
    assert_eq!(read_both_ways(&chunk(b"FORM", &body)).0, [[0.0, 0.0, 0.5, -1e6]]);
}

#[test]
fn compressed_recordings_keep_their_times() {
    for (what, bytes, delay) in COMPRESSED {
        let recording = stream(bytes).unwrap();
        let rate = recording.sample_rate();
        let (channels, warning) = read_all(recording);
        assert_eq!(warning, None, "{what}");
        let power = |from_ms, to_ms| power(&channels[0], rate, from_ms + delay, to_ms + delay);
        // Two sines of amplitude 8000/32768 have the power 0.0596.
        for (from_ms, to_ms) in [(110, 290), (1010, 1190)] {
            assert!((power(from_ms, to_ms) / 0.0596 - 1.0).abs() < 0.15, "{what}: {}", power(from_ms, to_ms));
        }
        for (from_ms, to_ms) in [(0, 80), (320, 980), (1220, 1420)] {
            assert!(power(from_ms, to_ms) < 1e-3, "{what}: {}", power(from_ms, to_ms));
        }
    }
}

#[test]
fn compressed_recordings_cut_short_still_give_what_came_before() {
    // The ogg is one page: nothing of it is left when it is cut.
    for (what, bytes, delay) in COMPRESSED.into_iter().filter(|(what, ..)| *what != "ogg") {
        let recording = stream(&bytes[..bytes.len() * 3 / 4]).unwrap();
        let rate = recording.sample_rate();
        let (channels, _) = read_all(recording);
        let first = power(&channels[0], rate, 110 + delay, 290 + delay);
        assert!((first / 0.0596 - 1.0).abs() < 0.15, "{what}: {first}");
    }
}

/// The last block of ADPCM is used as far as it goes, whatever the header says of the length: once a packet of 1152 frames
/// was lost.
#[test]
fn adpcm_is_read_to_its_last_byte() {
    for (what, bytes, _) in &COMPRESSED[..2] {
        let data = bytes.windows(4).position(|id| id == b"data").unwrap();
        let (whole, _) = read_both_ways(bytes);
        let saying = |length: u32, keep: usize| {
            let header = [&bytes[..data + 4], &length.to_le_bytes()].concat();
            read_both_ways(&[header, bytes[data + 8..keep].to_vec()].concat())
        };
        assert_eq!(saying(u32::MAX, bytes.len()), (whole.clone(), None), "{what} of unknown length");
        let (cut, warning) = saying(u32::try_from(bytes.len() - data - 8).unwrap(), bytes.len() - 500);
        assert!(
            whole[0].starts_with(&cut[0]) && matches!(warning, Some(Warning::Truncated { .. })),
            "{what}: {warning:?}"
        );
        // 500 bytes are 1000 samples, less the headers of the two blocks they lie in.
        assert!((960..1000).contains(&(whole[0].len() - cut[0].len())), "{what}: {}", whole[0].len() - cut[0].len());
    }
}

fn headed_forms() -> impl Strategy<Value = Vec<u8>> {
    let of_au = (0_u32..28, prop::collection::vec(any::<u8>(), 0..6000));
    let of_au = of_au.prop_map(|(encoding, body)| au(encoding, u32::try_from(body.len()).unwrap(), &body));
    prop_oneof![3 => wav_forms(), 1 => of_au, 1 => containers::forms()]
}

fn wav_forms() -> impl Strategy<Value = Vec<u8>> {
    let form = prop_oneof![Just((1, 8)), Just((1, 16)), Just((1, 24)), Just((3, 32)), Just((3, 64)), Just((7, 8))];
    (form, 1_u16..4, prop::collection::vec(any::<u8>(), 0..6000)).prop_map(|((tag, bits), channels, body)| {
        Wav::new().format(tag, channels, 8000, bits).chunk(b"data", &body).bytes()
    })
}

/// One act of damage: what, where, with which byte.
type Damage = (u8, usize, u8);

fn damage(bytes: &mut Vec<u8>, damages: &[Damage]) {
    for &(what, at, byte) in damages {
        let length = bytes.len().max(1);
        match (what, bytes.get_mut(at % length), at % length) {
            (0, _, at) => bytes.truncate(at),
            (1, _, at) => bytes.insert(at.min(bytes.len()), byte),
            (2, Some(target), _) => *target = byte,
            // Most of the damage to the header, where the lengths are.
            _ => bytes.get_mut(at % 64).into_iter().for_each(|target| *target = byte),
        }
    }
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    prop::collection::vec((0_u8..8, 0..100_000_usize, any::<u8>()), 1..8)
}

/// Reads what may be anything and answers the frames it gave; a file can't hold more than its decoder's best ratio.
fn survives(bytes: Vec<u8>) -> u64 {
    let length = bytes.len() as u64;
    let Ok(mut recording) = stream(bytes) else { return 0 };
    let mut block = Block::new();
    while recording.next_block(&mut block).unwrap() {
        assert!(block.frames() <= super::super::BLOCK_FRAMES);
        assert!((0..block.channels()).all(|channel| block.channel(channel).iter().all(|sample| sample.is_finite())));
        // flac can hold a long silence in a few bytes: 65 535 frames in a frame of 9.
        assert!(recording.frames() <= length * 8192, "{} frames from {length} bytes", recording.frames());
    }
    recording.frames()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: prop::test_runner::RngSeed::Fixed(0x70_6e_67), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_header_never_panics_nor_goes_on_for_ever(mut bytes in headed_forms(), damages in damages()) {
        damage(&mut bytes, &damages);
        survives(bytes);
    }

    #[test]
    fn a_damaged_compressed_recording_never_panics_nor_goes_on_for_ever(which in 0..17_usize, damages in damages()) {
        let kinds = COMPRESSED.map(|(_, bytes, _)| bytes).into_iter().chain(compressed::MORE);
        let mut kinds = kinds.chain(opus::KINDS.map(|(_, bytes)| bytes)).chain([opus::SIX_CHANNELS, GSM]);
        let mut bytes = kinds.nth(which).unwrap().to_vec();
        damage(&mut bytes, &damages);
        survives(bytes);
    }

    #[test]
    fn linear_samples_are_read_as_hound_reads_them(
        samples in prop::collection::vec(any::<i32>(), 0..400),
        channels in 1_u16..5,
        bits in prop::sample::select(vec![8_u16, 16, 24, 32]),
    ) {
        let spec = hound::WavSpec { channels, sample_rate: 16_000, bits_per_sample: bits, sample_format: hound::SampleFormat::Int };
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        let whole = samples.len() - samples.len() % usize::from(channels);
        let wrote: Vec<i32> = samples[..whole].iter().map(|sample| sample >> (32 - bits)).collect();
        wrote.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        let (read, warning) = read_all(stream(file.into_inner()).unwrap());
        prop_assert_eq!(warning, None);
        let scale = 2_f64.powi(i32::from(bits) - 1);
        for (index, sample) in wrote.iter().enumerate() {
            let expected = (f64::from(*sample) / scale) as f32;
            prop_assert_eq!(read[index % usize::from(channels)][index / usize::from(channels)], expected);
        }
    }
}
