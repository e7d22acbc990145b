//! Forms that are not decoded here, and what is no recording at all, so that a refusal says what a file is.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AC3, CODEC_ID_AC4, CODEC_ID_EAC3, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_SPEEX,
};

use crate::audio::problem::Problem;

/// What symphonia knows by name and has no decoder for.
pub(super) fn of_codec(codec: AudioCodecId) -> Option<&'static str> {
    let names = [
        (CODEC_ID_SPEEX, "Speex"),
        (CODEC_ID_MP1, "MPEG layer I"),
        (CODEC_ID_MP2, "MPEG layer II"),
        (CODEC_ID_AC3, "Dolby Digital (AC-3)"),
        (CODEC_ID_EAC3, "Dolby Digital Plus (E-AC-3)"),
        (CODEC_ID_AC4, "Dolby AC-4"),
    ];
    names.into_iter().find(|(id, _)| *id == codec).map(|(_, name)| name)
}

/// The coding of a track of an mp4 or QuickTime file, by its four letters.
pub(super) fn of_coding(coding: [u8; 4]) -> String {
    let name = match &coding {
        b"ulaw" => "G.711 mu-law",
        b"alaw" => "G.711 A-law",
        b"ima4" => "IMA ADPCM",
        b"agsm" => "GSM 6.10",
        b"samr" => "AMR",
        b"sawb" => "AMR-WB",
        b"QDM2" | b"QDMC" => "QDesign Music",
        _ => return format!("'{}' in an MP4 or QuickTime file", coding.escape_ascii()),
    };
    format!("{name} in an MP4 or QuickTime file")
}

/// Fewer bytes are no sound in any container.
const FEWEST: usize = 12;
/// Bytes of a packet of an MPEG transport stream, and the one each begins with.
const TRANSPORT_PACKET: usize = 188;
const TRANSPORT_SYNC: u8 = 0x47;
/// Where a tar has its mark.
const TAR_MARK_AT: usize = 257;

/// Recordings that nobody here decodes, by their first bytes.
const FOREIGN: [(&[u8], &str); 15] = [
    (b"#!AMR-WB", "AMR-WB"),
    (b"#!AMR", "AMR"),
    (b"#!iLBC", "iLBC"),
    (b"#!SILK", "SILK without a container"),
    (b"\x02#!SILK", "SILK without a container"),
    (b"wvpk", "WavPack"),
    (b"NIST_1A", "NIST SPHERE"),
    (&[0x30, 0x26, 0xB2, 0x75], "Windows Media"),
    (b"Creative Voice File", "a Creative Voice File (VOC)"),
    (b"TTA1", "True Audio (TTA)"),
    (b"MAC ", "Monkey's Audio"),
    (b".RMF", "RealMedia"),
    (b"FLV\x01", "Flash video"),
    (&[0, 0, 1, 0xBA], "an MPEG program stream"),
    (b"DSD ", "DSD"),
];

const UNPACK: &str = "unpack it, and name what is in it";
const CHECK: &str = "check what was copied or downloaded";
/// What is no recording, by its first bytes, with the cure.
const OTHER: [(&[u8], &str, &str); 13] = [
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (&[0x1F, 0x8B, 8], "compressed with gzip", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xFD7zXZ\0", "compressed with xz", UNPACK),
    (&[0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"%PDF", "a PDF", CHECK),
    (b"\x89PNG", "a picture (PNG)", CHECK),
    (&[0xFF, 0xD8, 0xFF], "a picture (JPEG)", CHECK),
    (b"GIF8", "a picture (GIF)", CHECK),
    (b"\x7FELF", "a program", CHECK),
    (b"SQLite format 3", "a database (SQLite)", CHECK),
];

/// Why nothing is looked for in what begins so: of an mp3 that lies somewhere in it, parts would be heard, and taken for all.
pub(super) fn refused(head: &[u8]) -> Option<Problem> {
    if head.len() < FEWEST {
        return Some(Problem::TooShort);
    }
    let foreign = FOREIGN.iter().find(|(start, _)| head.starts_with(start)).map(|(_, what)| *what);
    if let Some(what) = foreign.or_else(|| foreign_by_more(head)) {
        return Some(Problem::Form { what: what.to_owned() });
    }
    let is_tar = head.get(TAR_MARK_AT..).is_some_and(|rest| rest.starts_with(b"ustar"));
    let tar = is_tar.then_some(("a tar archive", UNPACK));
    let other = OTHER.iter().find(|(start, ..)| head.starts_with(start)).map(|&(_, what, cure)| (what, cure));
    other.or(tar).map(|(what, cure)| Problem::NoRecording { what, cure })
}

/// Recordings that nobody here decodes, where the first bytes alone don't tell them.
fn foreign_by_more(head: &[u8]) -> Option<&'static str> {
    let is_transport = (0..3).all(|packet| head.get(packet * TRANSPORT_PACKET) == Some(&TRANSPORT_SYNC));
    match (&head[..4], &head[8..FEWEST]) {
        (b"RIFF", b"AVI ") => Some("AVI video"),
        (b"FORM", b"8SVX") => Some("8SVX"),
        _ => is_transport.then_some("an MPEG transport stream"),
    }
}

/// What to say of what begins so, should symphonia find no sound in it.
pub(super) fn guessed(head: &[u8]) -> Option<Problem> {
    if head.starts_with(b"OggS") {
        return Some(Problem::NoSoundIn { container: "an ogg", codings: "Opus, Vorbis and FLAC" });
    }
    if head.starts_with(&[0x1A, 0x45, 0xDF, 0xA3]) {
        return Some(Problem::NoSoundIn { container: "Matroska or WebM", codings: "Opus" });
    }
    if head.starts_with(&[0x0B, 0x77]) {
        return Some(Problem::Form { what: "Dolby Digital (AC-3)".to_owned() });
    }
    // A-law may be all letters for a while, so that this is no more than a guess.
    let cure = "check what was copied or downloaded; if it is sound without a header, name its form with --raw-rate and --raw-format";
    is_text(head).then_some(Problem::NoRecording { what: "text", cure })
}

fn is_text(head: &[u8]) -> bool {
    let is_wide = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]);
    // The last character may go on behind the head.
    let is_plain = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_wide || (is_plain && !head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_sound() {
        for text in ["{\"error\": \"not found\"}", "<!DOCTYPE html>\r\n\t", "ñandú, cigüeña\n", "\u{feff}bom and text"]
        {
            assert!(is_text(text.as_bytes()), "{text}");
            assert!(is_text(&[0xFF, 0xFE]), "UTF-16");
        }
        let cut = "señ".as_bytes();
        assert!(is_text(&cut[..cut.len() - 1]), "a character goes on behind the head");
        // mu-law and A-law of a quiet line, 16-bit samples, floating point.
        for sound in [&[0xFF_u8, 0x7F, 0x7E, 0xFE][..], &[0xD5, 0x55, 0x54, 0xD4], &[1, 0, 2, 0], &[0, 0, 128, 63]] {
            assert!(!is_text(sound), "{sound:?}");
        }
    }

    #[test]
    fn what_lies_behind_the_first_bytes_is_looked_at() {
        let mut transport = vec![0; 400];
        [0, 188, 376].iter().for_each(|&at| transport[at] = TRANSPORT_SYNC);
        assert!(matches!(refused(&transport), Some(Problem::Form { what }) if what.contains("transport stream")));
        transport[376] = 0;
        assert!(refused(&transport).is_none(), "one byte is no sign");
        let mut tar = vec![b'a'; 400];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(matches!(refused(&tar), Some(Problem::NoRecording { what: "a tar archive", .. })));
    }
}
