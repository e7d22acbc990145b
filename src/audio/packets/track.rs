//! The sound track of a container: its decoder, and what is known of its length and times.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::well_known::{FORMAT_ID_AIFF, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_MKV};
use symphonia::core::formats::{FormatReader, Track as Description, TrackType};
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use super::clock::Clock;
use super::forms;
use super::matroska;
use super::mp4::Index;
use super::opus::{Head, OpusDecoder};
use crate::audio::file::MOST_CHANNELS;
use crate::audio::problem::Problem;

/// Lengths in bytes from here up are what SoX writes in an AIFF on a pipe, where it can't go back to fill in the length.
const UNKNOWN_AIFF: u64 = 0x7EFF_0000;

/// The track that is heard.
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) decoder: Box<dyn AudioDecoder>,
    pub(super) clock: Clock,
    /// The length the container's header tells, where it tells one, in ticks.
    pub(super) declared: Option<u64>,
    /// The part of it that is the recording's under way, where several were joined.
    pub(super) length: Option<u64>,
    /// What the encoder put before the sound, in ticks, where the decoder leaves it in.
    delay: u64,
    /// The same in frames, as an Opus stream's header tells it.
    pre_skip: u64,
    /// Frames of the encoder's delay that have been dropped.
    pub(super) dropped: u64,
    /// What a Matroska file counts times in.
    matroska: Option<TimeBase>,
    /// An AIFF of unknown length.
    open_aiff: bool,
}

impl Track {
    /// The first sound track that may be decoded.
    pub(super) fn of(format: &dyn FormatReader, index: &Index) -> Result<Self, Problem> {
        let none = || refusal(format, index);
        let track = format.default_track(TrackType::Audio).ok_or_else(none)?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio()).ok_or_else(none)?;
        let container = format.format_info().format;
        let in_matroska = container == FORMAT_ID_MKV;
        refuse_wrong(parameters, in_matroska)?;
        let head = (parameters.codec == CODEC_ID_OPUS).then(|| opus_head(parameters, container == FORMAT_ID_ISOMP4));
        let head = head.transpose()?;
        let decoder = decoder(parameters, head.as_ref()).map_err(|error| match error {
            Error::Unsupported(_) => none(),
            error => Problem::Undecodable { why: error.to_string() },
        })?;
        // A flac's packets carry their times and begin at 0; elsewhere the first packet's time may be anything.
        let start = (container == FORMAT_ID_FLAC).then_some(0);
        let open_aiff = container == FORMAT_ID_AIFF && bytes(track, parameters) >= UNKNOWN_AIFF;
        let (clock, declared) = if in_matroska {
            (Clock::new(None, None).rounded(), matroska::declared(format))
        } else {
            let declared = if open_aiff { None } else { declared(track, parameters) };
            (Clock::new(track.time_base, start), declared)
        };
        Ok(Self {
            id: track.id,
            decoder,
            clock,
            declared,
            length: declared,
            delay: index.delay(track.id),
            pre_skip: head.map_or(0, |head| u64::from(head.pre_skip)),
            dropped: 0,
            matroska: track.time_base.filter(|_| in_matroska),
            open_aiff,
        })
    }

    /// The track of the next of several recordings that were joined into one.
    pub(super) fn follow(&mut self, format: &dyn FormatReader) -> Result<(), Problem> {
        let next = Self::of(format, &Index::default())?;
        let declared = self.declared.zip(next.declared).map(|(all, more)| all.saturating_add(more));
        *self = Self { clock: next.clock.after(&self.clock), declared, ..next };
        Ok(())
    }

    /// The frames of the encoder's delay, at a rate in Hz. An edit that leaves out more than a second is not an encoder's but
    /// somebody's: what was cut is heard.
    pub(super) fn delay(&self, rate: u32) -> u64 {
        let edit = self.clock.frames(self.delay, rate);
        if (1..=u64::from(rate)).contains(&edit) { edit } else { self.pre_skip }
    }

    /// A packet with its time and length in what the clock counts in.
    pub(super) fn timed(&self, packet: Packet) -> Packet {
        match self.matroska {
            Some(base) => matroska::in_frames(packet, base),
            None => packet,
        }
    }

    /// Whether the end of the bytes may be the end of the sound: a recorder of Matroska may leave all lengths open.
    pub(super) const fn may_end_anywhere(&self) -> bool {
        self.matroska.is_some() || self.open_aiff
    }

    pub(super) fn is_mp3(&self) -> bool {
        self.decoder.codec_params().codec == CODEC_ID_MP3
    }
}

/// The length that the container's header tells, in ticks.
fn declared(track: &Description, parameters: &AudioCodecParameters) -> Option<u64> {
    // A fragmented mp4's header tells a length of 0.
    let counted = track.num_frames.filter(|&frames| frames > 0);
    // The padding at an mp3's end is not counted and is given all the same.
    let padding = if parameters.codec == CODEC_ID_MP3 { track.padding.unwrap_or(0) } else { 0 };
    counted.map(|frames| frames.saturating_add(u64::from(padding)))
}

/// The length of linear samples that the container's header tells, in bytes.
fn bytes(track: &Description, parameters: &AudioCodecParameters) -> u64 {
    let channels = parameters.channels.as_ref().map_or(1, Channels::count) as u64;
    let sample = parameters.bits_per_sample.map_or(1, |bits| u64::from(bits.div_ceil(8)));
    track.num_frames.unwrap_or(0).saturating_mul(channels * sample)
}

/// What the first sound track is, if none can be decoded.
fn refusal(format: &dyn FormatReader, index: &Index) -> Problem {
    if format.format_info().format == FORMAT_ID_ISOMP4 && index.tracks.is_empty() {
        return Problem::NoSoundTrack;
    }
    let codecs = format.tracks().iter().filter_map(|track| track.codec_params.as_ref()?.audio());
    let by_codec = codecs.filter_map(|parameters| forms::of_codec(parameters.codec)).next().map(str::to_owned);
    let by_coding = || index.tracks.first().map(|track| forms::of_coding(track.coding));
    by_codec.or_else(by_coding).map_or_else(
        || Problem::Undecodable { why: "its sound is in no coding that is known here".to_owned() },
        |what| Problem::Form { what },
    )
}

/// Refuses what symphonia decodes to another sound than was recorded: wrong digits are worse than none. Of a Vorbis of three
/// channels or more it undoes the coupling from the first pair to the last, where Vorbis I, 4.3.5 goes from the last to the
/// first: digits are lost and appear in each other's channels. Times in Matroska are only made right here for Opus.
/// So is, before a decoder makes room for them, what has more channels than are read.
fn refuse_wrong(parameters: &AudioCodecParameters, in_matroska: bool) -> Result<(), Problem> {
    let channels = parameters.channels.as_ref().map_or(0, Channels::count);
    if channels > MOST_CHANNELS {
        return Err(Problem::Channels { channels });
    }
    if parameters.codec == CODEC_ID_VORBIS && channels > 2 {
        return Err(Problem::Form { what: format!("Vorbis of {channels} channels") });
    }
    if in_matroska && parameters.codec != CODEC_ID_OPUS {
        return Err(Problem::Form { what: "Matroska or WebM whose sound is not Opus".to_owned() });
    }
    Ok(())
}

fn opus_head(parameters: &AudioCodecParameters, in_mp4: bool) -> Result<Head, Problem> {
    let head = parameters.extra_data.as_ref().and_then(|bytes| Head::of(bytes, in_mp4));
    head.ok_or_else(|| Problem::Form { what: "Opus with a header that is not known".to_owned() })
}

/// An mp3's decoder is told not to cut: it would cut everything beyond the count in the file's first frame, which in joined
/// files is the first file's count and without that frame a guess from the first bit rates. The padding at the end, some ten
/// milliseconds of silence, is left in for that.
fn decoder(parameters: &AudioCodecParameters, opus: Option<&Head>) -> Result<Box<dyn AudioDecoder>, Error> {
    if let Some(head) = opus {
        return Ok(Box::new(OpusDecoder::new(parameters, head)?));
    }
    let options = AudioDecoderOptions::default().gapless(parameters.codec != CODEC_ID_MP3);
    symphonia::default::get_codecs().make_audio_decoder(parameters, &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for a packet of all channels was made before they were counted: 300 MB where a damaged header told 65 535.
    #[test]
    fn channels_are_counted_before_a_decoder_is_made() {
        let refused = |channels| {
            let mut parameters = AudioCodecParameters::new();
            refuse_wrong(parameters.with_channels(Channels::Discrete(channels)), false)
        };
        assert!(refused(32).is_ok());
        assert!(matches!(refused(33), Err(Problem::Channels { channels: 33 })));
    }
}
