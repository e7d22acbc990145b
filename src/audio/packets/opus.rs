//! Opus (RFC 6716) and its header (RFC 7845): symphonia finds its packets and has no decoder for them.
//!
//! Why ropus: of the decoders written in Rust it is the one that gives what libopus gives, to the bit for SILK and to 9 of 32768
//! for CELT, in frames of every length and at every bit rate, but for 5 ms at some changes of mode; and it neither panics nor
//! slows down on half a million malformed packets. opus-decoder, which has no unsafe code, panics on sound streams whose mode
//! changes, refuses packets of more than 1500 bytes, can't part packets of several streams, and is twenty times slower on CELT;
//! what mousiki gives is not the sound. Of ropus's unsafe code the decoder reaches unchecked indexes into slices whose lengths
//! come from a table of frame lengths: with checks in their place the same packets meet none.

use ropus::OpusMSDecoder;
use symphonia::core::audio::{
    AsGenericAudioBufferRef as _, Audio as _, AudioBuffer, AudioMut as _, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error, Result, decode_error};
use symphonia::core::packet::PacketRef;

/// Hz, whatever the sound was before it was encoded.
pub(super) const SAMPLE_RATE: u32 = 48_000;
/// Frames of the longest packet, 120 ms.
const MOST_FRAMES: u16 = 5760;

/// What an Opus stream's header tells (RFC 7845, 5.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Frames before the sound.
    pub(super) pre_skip: u16,
    /// 256ths of a dB.
    gain: i16,
    streams: u8,
    /// How many of the streams, the first ones, are of two channels.
    coupled: u8,
    /// Which channel of the streams is heard in each channel that is given.
    mapping: Vec<u8>,
}

impl Head {
    /// `in_mp4` has the same fields in the other order of bytes.
    pub(super) fn of(bytes: &[u8], in_mp4: bool) -> Option<Self> {
        let fields = bytes.strip_prefix(b"OpusHead")?;
        let &[_, channels, skip_0, skip_1, _, _, _, _, gain_0, gain_1, family, ref table @ ..] = fields else {
            return None;
        };
        let word = |bytes| if in_mp4 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        let (streams, coupled, mapping) = match (family, channels, table) {
            (0, 1, _) => (1, 0, vec![0]),
            (0, 2, _) => (1, 1, vec![0, 1]),
            (1, 1..=8, &[streams, coupled, ref mapping @ ..]) => {
                let mapping = mapping.get(..usize::from(channels))?;
                (streams, coupled, in_order_of_wav(channels).iter().map(|&channel| mapping[channel]).collect())
            }
            _ => return None,
        };
        let gain = word([gain_0, gain_1]).cast_signed();
        Some(Self { pre_skip: word([skip_0, skip_1]), gain, streams, coupled, mapping })
    }
}

/// The channels of channel mapping family 1 (RFC 7845, 5.1.1.2) in the order in which all other recordings give theirs: left,
/// right, centre, low frequencies, rear, side.
const fn in_order_of_wav(channels: u8) -> &'static [usize] {
    match channels {
        1 => &[0],
        2 => &[0, 1],
        3 => &[0, 2, 1],
        4 => &[0, 1, 2, 3],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 5, 3, 4],
        7 => &[0, 2, 1, 6, 5, 3, 4],
        _ => &[0, 2, 1, 7, 5, 6, 3, 4],
    }
}

/// Decodes packets to sound at [`SAMPLE_RATE`].
pub(super) struct OpusDecoder {
    parameters: AudioCodecParameters,
    decoder: OpusMSDecoder,
    /// Makes a sample of 16 bits one of full scale 1.0, with the header's gain.
    scale: f32,
    interleaved: Vec<i16>,
    sound: AudioBuffer<f32>,
}

impl OpusDecoder {
    pub(super) fn new(parameters: &AudioCodecParameters, head: &Head) -> Result<Self> {
        let channels = u8::try_from(head.mapping.len()).unwrap_or(u8::MAX);
        let (streams, coupled) = (i32::from(head.streams), i32::from(head.coupled));
        let rate = SAMPLE_RATE.cast_signed();
        let decoder = OpusMSDecoder::new(rate, i32::from(channels), streams, coupled, &head.mapping)
            .map_err(|_| Error::DecodeError("opus: a header that makes no sense"))?;
        let spec = AudioSpec::new(SAMPLE_RATE, Channels::Discrete(u16::from(channels)));
        let sound = AudioBuffer::new(spec, usize::from(MOST_FRAMES));
        let interleaved = vec![0; usize::from(MOST_FRAMES) * usize::from(channels)];
        let gain = 10_f32.powf(f32::from(head.gain) / (256.0 * 20.0));
        Ok(Self { parameters: parameters.clone(), decoder, scale: gain / 32_768.0, interleaved, sound })
    }

    /// Decodes a packet to `interleaved`, and answers the frames.
    fn frames(&mut self, packet: &[u8]) -> Result<usize> {
        // What is empty would be taken for lost, and 120 ms made up for it.
        let length = i32::try_from(packet.len()).ok().filter(|&length| length > 0);
        let Some(length) = length else { return decode_error("opus: a packet of a length that can't be") };
        let frames = self.decoder.decode(Some(packet), length, &mut self.interleaved, i32::from(MOST_FRAMES), false);
        let frames = frames.ok().and_then(|frames| usize::try_from(frames).ok());
        frames.ok_or(Error::DecodeError("opus: a malformed packet"))
    }
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {
        self.decoder.reset();
    }

    fn codec_info(&self) -> &CodecInfo {
        &CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.parameters
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.sound.clear();
        let frames = self.frames(packet.data)?;
        self.sound.render_uninit(Some(frames));
        let channels = self.sound.num_planes();
        for (channel, plane) in self.sound.iter_planes_mut().enumerate() {
            let samples = self.interleaved[channel..].iter().step_by(channels);
            plane.iter_mut().zip(samples).for_each(|(plane, &sample)| *plane = f32::from(sample) * self.scale);
        }
        // A stream's last packets hold more than the recording.
        self.sound.trim(0, usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX));
        Ok(self.sound.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.sound.as_generic_audio_buffer_ref()
    }
}

/// The frames that a packet's first two bytes tell (RFC 6716, 3.1 and 3.2).
pub(super) fn packet_frames(packet: &[u8]) -> u64 {
    let &[kind, ref rest @ ..] = packet else { return 0 };
    let (mode, size) = (kind >> 3, kind >> 3 & 3);
    let frame = match (mode, size) {
        (0..12, 3) => 2880,
        (0..12, size) => 480 << size,
        (12..16, size) => 480 << (size & 1),
        (_, size) => 120 << size,
    };
    let count = match (kind & 3, rest) {
        (0, _) => 1,
        (1 | 2, _) => 2,
        (_, &[count, ..]) => u64::from(count & 0x3F),
        (_, []) => 0,
    };
    frame * count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_in_both_orders_of_bytes() {
        let head = |pre_skip, gain| Head { pre_skip, gain, streams: 1, coupled: 0, mapping: vec![0] };
        let little = b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\xFF\0";
        assert_eq!(Head::of(little, false), Some(head(312, -256)));
        let big = b"OpusHead\0\x01\x01\x38\0\0\xBB\x80\xFF\0\0";
        assert_eq!(Head::of(big, true), Some(head(312, -256)));
        assert_eq!(Head::of(&little[..18], false), None);
    }

    #[test]
    fn channels_are_put_in_the_order_of_wav() {
        let head = |table: &[u8]| Head::of(&[&b"OpusHead\x01\x06\0\0\0\0\0\0\0\0\x01"[..], table].concat(), false);
        // Left, centre, right, rear left, rear right, low frequencies.
        assert_eq!(head(&[4, 2, 0, 4, 1, 2, 3, 5]).map(|head| head.mapping), Some(vec![0, 1, 4, 5, 2, 3]));
        assert_eq!(head(&[4, 2, 0, 4, 1, 2, 3]), None);
        for channels in 1..=8 {
            let mut order = in_order_of_wav(channels).to_vec();
            order.sort_unstable();
            assert!(order.into_iter().eq(0..usize::from(channels)));
        }
    }

    #[test]
    fn a_packet_tells_its_length() {
        // In frames: 10, 20 and 60 ms of SILK, 20 ms of hybrid, 2.5 and 20 ms of CELT, two of 10 ms, three of 20 ms.
        let packets: [(&[u8], u64); 9] = [
            (&[0], 480),
            (&[8], 960),
            (&[24], 2880),
            (&[104], 960),
            (&[128], 120),
            (&[248], 960),
            (&[1], 960),
            (&[11, 3], 2880),
            (&[3], 0),
        ];
        assert!(packets.iter().all(|&(packet, frames)| packet_frames(packet) == frames));
        assert_eq!(packet_frames(&[]), 0);
    }
}
