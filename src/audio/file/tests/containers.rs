//! Wave64, Core Audio files, G.722, and sound without a header whose name tells its form.

use super::*;

/// A Wave64 as sox writes it: names of 16 bytes, lengths of 64 bits that count both, chunks at multiples of eight.
struct Wave64(Vec<u8>);

const REST: &[u8] = b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";

impl Wave64 {
    fn new() -> Self {
        Self([&b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\0\0"[..], &[0; 8], b"wave", REST].concat())
    }

    fn chunk(self, name: &[u8; 4], body: &[u8]) -> Self {
        self.chunk_saying(name, body.len() as u64 + 24, body)
    }

    fn chunk_saying(mut self, name: &[u8; 4], length: u64, body: &[u8]) -> Self {
        self.0.extend([name, REST, &length.to_le_bytes(), body].concat());
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        self
    }

    fn format(self, tag: u8, bits: u8) -> Self {
        // 8000 samples a second in one channel.
        let head = [tag, 0, 1, 0, 0x40, 0x1F, 0, 0, 0, 0, 0, 0, bits / 8, 0, bits, 0];
        self.chunk(b"fmt ", &head)
    }
}

#[test]
fn a_wave64_is_read_to_its_end() {
    let (expected, _) = read_both_ways(&plain(3200));
    let whole = Wave64::new().chunk(b"list", b"odd").format(1, 16).chunk(b"data", &sound());
    assert_eq!(read_both_ways(&whole.0), (expected.clone(), None));
    let followed = Wave64::new().format(1, 16).chunk(b"data", &sound()).chunk(b"list", &[7; 500]);
    assert_eq!(read_both_ways(&followed.0), (expected.clone(), None));
    let endless = Wave64::new().format(1, 16).chunk_saying(b"data", u64::MAX, &sound());
    assert_eq!(read_both_ways(&endless.0), (expected.clone(), None));
    let unfinished = Wave64::new().format(1, 16).chunk_saying(b"data", 24, &sound());
    assert_eq!(read_both_ways(&unfinished.0), (expected, Some(Warning::Unfinished { at_s: 0.2 })));
    let empty = Wave64::new().format(1, 16).chunk(b"data", b"").chunk(b"list", &[7; 500]);
    assert_eq!(read_both_ways(&empty.0), (vec![vec![]], None));
    let cut = Wave64::new().format(1, 16).chunk_saying(b"data", 24 + 6400, &sound());
    assert_eq!(read_both_ways(&cut.0).1, Some(Warning::Truncated { at_s: 0.2, missing_s: 0.2 }));
    let mu_law = Wave64::new().format(7, 8).chunk(b"data", &[0x80, 0x00]);
    let top = 32_124.0 / 32_768.0;
    assert_eq!(read_both_ways(&mu_law.0), (vec![vec![top, -top]], None));
}

#[test]
fn a_wave64_that_makes_no_sense_is_told() {
    for (bytes, part) in [
        (Wave64::new().chunk(b"data", &sound()).0, "before its format"),
        (Wave64::new().chunk_saying(b"fmt ", 3, &[]).0, "shorter than its name"),
        (Wave64::new().chunk_saying(b"list", u64::MAX - 7, &[]).0, "first 16 MiB"),
        (Wave64::new().format(1, 16).0, "ends inside its header"),
        (b"riff and so on, which is no recording, but a word at the beginning".to_vec(), "not a recording"),
    ] {
        let told = refusal(bytes);
        assert!(told.contains(part), "{told} lacks {part}");
    }
}

/// A Core Audio file: lengths of 64 bits, all numbers with their highest byte first.
struct Caf(Vec<u8>);

impl Caf {
    /// 8000 samples a second in one channel.
    fn new(coding: &[u8; 4], flags: u32, packet_bytes: u32, bits: u32) -> Self {
        let words = [flags, packet_bytes, 1, 1, bits].map(u32::to_be_bytes).concat();
        let description = [&8000_f64.to_be_bytes()[..], coding, &words].concat();
        Self(b"caff\0\x01\0\0".to_vec()).chunk(b"desc", &description)
    }

    fn chunk(self, name: &[u8; 4], body: &[u8]) -> Self {
        self.chunk_saying(name, i64::try_from(body.len()).unwrap(), body)
    }

    fn chunk_saying(mut self, name: &[u8; 4], length: i64, body: &[u8]) -> Self {
        self.0.extend([&name[..], &length.to_be_bytes(), body].concat());
        self
    }

    fn sound(self, sound: &[u8]) -> Self {
        self.chunk(b"data", &[&[0; 4], sound].concat())
    }
}

/// Wave64s, Core Audio files and G.722 of any sound.
pub(super) fn forms() -> impl Strategy<Value = Vec<u8>> {
    (0..5, prop::collection::vec(any::<u8>(), 0..6000)).prop_map(|(form, body)| match form {
        0 => Wave64::new().format(1, 16).chunk(b"data", &body).0,
        1 => Wave64::new().format(7, 8).chunk(b"list", b"odd").chunk(b"data", &body).0,
        2 => Caf::new(b"lpcm", 2, 3, 24).sound(&body).0,
        3 => Caf::new(b"ms\0\x11", 0, 256, 4).sound(&body).0,
        _ => Wav::new().format(0x65, 1, 16_000, 4).chunk(b"data", &body).bytes(),
    })
}

#[test]
fn a_core_audio_file_is_read_to_its_end() {
    let (expected, _) = read_both_ways(&plain(3200));
    let swapped: Vec<u8> = sound().chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    let edited = [&[0, 0, 0, 1], &sound()[..]].concat();
    let little = || Caf::new(b"lpcm", 2, 2, 16);
    for caf in [
        little().chunk(b"free", &[7; 501]).sound(&sound()),
        little().sound(&sound()).chunk(b"info", &[7; 500]),
        little().chunk_saying(b"data", -1, &edited),
        Caf::new(b"lpcm", 0, 2, 16).sound(&swapped),
        Caf::new(b"lpcm", 1, 4, 32).sound(&expected[0].iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<u8>>()),
    ] {
        assert_eq!(read_both_ways(&caf.0), (expected.clone(), None));
    }
    let unfinished = little().chunk_saying(b"data", 0, &edited);
    assert_eq!(read_both_ways(&unfinished.0), (expected, Some(Warning::Unfinished { at_s: 0.2 })));
    assert_eq!(read_both_ways(&little().sound(&[]).chunk(b"info", &[7; 500]).0), (vec![vec![]], None));
    let cut = little().chunk_saying(b"data", 4 + 6400, &edited);
    assert_eq!(read_both_ways(&cut.0).1, Some(Warning::Truncated { at_s: 0.2, missing_s: 0.2 }));
    let top = 32_124.0 / 32_768.0;
    assert_eq!(read_both_ways(&Caf::new(b"ulaw", 0, 1, 8).sound(&[0x80, 0x00]).0), (vec![vec![top, -top]], None));
    assert_eq!(read_both_ways(&Caf::new(b"lpcm", 0, 1, 8).sound(&[0xC0]).0), (vec![vec![-0.5]], None));
    // Blocks of a WAV's coding, as libavcodec puts them there.
    let gsm = Caf::new(b"ms\0\x31", 0, 65, 0).sound(&GSM[GSM.len() - 38 * 65..]);
    assert_eq!(read_both_ways(&gsm.0), read_both_ways(GSM));
}

#[test]
fn a_core_audio_file_that_is_not_decoded_is_told_as_what_it_is() {
    for (bytes, part) in [
        (Caf::new(b"aac ", 2, 0, 0).sound(&[]).0, "(CAF) of AAC, which is not decoded here: convert it"),
        (Caf::new(b"a\0zz", 0, 0, 0).sound(&[]).0, "(CAF) of 'a\\x00zz'"),
        (Caf::new(b"lpcm", 2, 4, 20).sound(&[]).0, "unusual sample size (20 bits)"),
        (Caf::new(b"ms\0\x50", 0, 4, 16).sound(&[]).0, "WAV's coding 0x0050"),
        (Caf::new(b"lpcm", 2, 2, 16).chunk_saying(b"free", -1, &[]).0, "a chunk has no length"),
        (Caf::new(b"lpcm", 2, 2, 16).0, "ends inside its header"),
        (b"caff\0\x02\0\0desc\0\0\0\0\0\0\0\x20".to_vec(), "description of its sound"),
    ] {
        let told = refusal(bytes);
        assert!(told.contains(part), "{told} lacks {part}");
    }
}

const G722: &[u8] = include_bytes!("../../../../tests/recordings/59.g722");

/// Opens bytes under a name.
fn named(name: &str, bytes: &[u8]) -> Result<Recording, AudioError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    Recording::open(&path)
}

#[test]
fn g722_is_read_in_wav_and_au_and_without_a_header() {
    let recording = named("59.g722", G722).unwrap();
    assert_eq!((recording.sample_rate(), recording.channels()), (16_000, 1));
    let (expected, warning) = read_all(recording);
    assert_eq!((expected[0].len(), warning), (2 * G722.len(), None));
    for tag in [0x65, 0x28F] {
        let wav = Wav::new().format(tag, 1, 16_000, 4).chunk(b"data", G722).bytes();
        assert_eq!(read_both_ways(&wav), (expected.clone(), None), "{tag:#x}");
    }
    let cut = Wav::new().format(0x65, 1, 16_000, 4).chunk_saying(b"data", 16_000, &G722[..8000]).bytes();
    assert_eq!(read_both_ways(&cut).1, Some(Warning::Truncated { at_s: 1.0, missing_s: 1.0 }));
    let mut in_au = au(24, u32::try_from(G722.len()).unwrap(), G722);
    in_au[16..20].copy_from_slice(&16_000_u32.to_be_bytes());
    assert_eq!(read_both_ways(&in_au), (expected.clone(), None));
    let raw = RawFormat { sample_rate: 16_000, channels: 1, format: RawEncoding::G722 };
    let told = |raw| Recording::from_raw("raw", Cursor::new(G722), raw);
    assert_eq!(read_all(told(raw).unwrap()), (expected, None));
    let refused = told(RawFormat { channels: 2, ..raw }).err().unwrap();
    assert!(refused.to_string().contains("G.722 of 2 channels"), "{refused}");
}

/// The frames of a WAV one by one: the highest bit of each number first, behind a mark.
#[test]
fn gsm_without_a_header_is_that_of_a_wav() {
    const WIDTHS: [usize; 8] = [6, 6, 5, 5, 4, 4, 3, 3];
    let part = [7, 2, 2, 6].into_iter().chain([3; 13]);
    let widths: Vec<usize> = WIDTHS.into_iter().chain((0..4).flat_map(|_| part.clone())).collect();
    let mut frames = Vec::new();
    for block in GSM[GSM.len() - 38 * 65..].chunks(65) {
        let mut bits = (0..520).map(|at| block[at / 8] >> (at % 8) & 1 == 1);
        for _ in 0..2 {
            let mut frame = vec![true, true, false, true];
            for width in &widths {
                let number: Vec<bool> = bits.by_ref().take(*width).collect();
                frame.extend(number.into_iter().rev());
            }
            frames.extend(frame.chunks(8).map(|bits| bits.iter().fold(0_u8, |byte, &bit| byte << 1 | u8::from(bit))));
        }
    }
    assert_eq!(read_all(named("call.gsm", &frames).unwrap()), read_both_ways(GSM));
}

#[test]
fn a_name_tells_the_form_of_what_has_no_header_only() {
    let (expected, _) = read_both_ways(&plain(3200));
    assert_eq!(read_all(named("call.sln", &sound()).unwrap()), (expected.clone(), None));
    let wide = named("call.SLN192", &sound()).unwrap();
    assert_eq!((wide.sample_rate(), read_all(wide).0), (192_000, expected.clone()));
    // A WAV stays one under any name, and so does an empty file.
    assert_eq!(read_all(named("call.ulaw", &plain(3200)).unwrap()), (expected, None));
    assert!(named("call.ulaw", &[]).err().unwrap().to_string().contains("is empty"));
    // Shorter than any header.
    assert_eq!(read_all(named("call.ulaw", &[0xFF; 3]).unwrap()), (vec![vec![0.0; 3]], None));
}
