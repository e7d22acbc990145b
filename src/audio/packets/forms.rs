//! Names of forms that are not decoded here, so that a refusal says what a recording is.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AC3, CODEC_ID_AC4, CODEC_ID_EAC3, CODEC_ID_SPEEX};

/// What symphonia knows by name and has no decoder for.
pub(super) fn of_codec(codec: AudioCodecId) -> Option<&'static str> {
    let names = [
        (CODEC_ID_SPEEX, "Speex"),
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

/// Containers that symphonia does not read here, by their first bytes.
pub(super) fn of_head(head: &[u8]) -> Option<&'static str> {
    let names: [(&[u8], &str); 6] = [
        (&[0x1A, 0x45, 0xDF, 0xA3], "Matroska or WebM"),
        (b"#!AMR", "AMR"),
        (b"wvpk", "WavPack"),
        (b"NIST_1A", "NIST SPHERE"),
        (&[0x30, 0x26, 0xB2, 0x75], "Windows Media"),
        (&[0x0B, 0x77], "Dolby Digital (AC-3)"),
    ];
    names.into_iter().find(|(start, _)| head.starts_with(start)).map(|(_, name)| name)
}
