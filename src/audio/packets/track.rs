//! The sound track of a container: its decoder, and what is known of its length and times.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP3, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::well_known::FORMAT_ID_FLAC;
use symphonia::core::formats::{FormatReader, TrackType};

use super::clock::Clock;
use super::forms;
use super::mp4::Index;
use crate::audio::problem::Problem;

/// The track that is heard.
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) decoder: Box<dyn AudioDecoder>,
    pub(super) clock: Clock,
    /// The length the container's header tells, where it tells one, in ticks.
    pub(super) declared: Option<u64>,
    /// What the encoder put before the sound, in ticks, where the decoder leaves it in.
    delay: u64,
}

impl Track {
    /// The first sound track that may be decoded.
    pub(super) fn of(format: &dyn FormatReader, index: &Index) -> Result<Self, Problem> {
        let none = || refusal(format, index);
        let track = format.default_track(TrackType::Audio).ok_or_else(none)?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio()).ok_or_else(none)?;
        refuse_wrong(parameters)?;
        let decoder = decoder(parameters).map_err(|error| match error {
            Error::Unsupported(_) => none(),
            error => Problem::Undecodable { why: error.to_string() },
        })?;
        // A flac's packets carry their times and begin at 0; elsewhere the first packet's time may be anything.
        let start = (format.format_info().format == FORMAT_ID_FLAC).then_some(0);
        // A fragmented mp4's header tells a length of 0.
        let counted = track.num_frames.filter(|&frames| frames > 0);
        // The padding at an mp3's end is not counted and is given all the same.
        let padding = if parameters.codec == CODEC_ID_MP3 { track.padding.unwrap_or(0) } else { 0 };
        let declared = counted.map(|frames| frames.saturating_add(u64::from(padding)));
        let (id, delay) = (track.id, index.delay(track.id));
        Ok(Self { id, decoder, clock: Clock::new(track.time_base, start), declared, delay })
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
        Some(self.clock.frames(self.delay, rate)).filter(|&frames| frames <= u64::from(rate)).unwrap_or(0)
    }

    pub(super) fn is_mp3(&self) -> bool {
        self.decoder.codec_params().codec == CODEC_ID_MP3
    }
}

/// What the first sound track is, if none can be decoded.
fn refusal(format: &dyn FormatReader, index: &Index) -> Problem {
    let codecs = format.tracks().iter().filter_map(|track| track.codec_params.as_ref()?.audio());
    let by_codec = codecs.filter_map(|parameters| forms::of_codec(parameters.codec)).next().map(str::to_owned);
    let by_coding = || index.tracks.first().map(|track| forms::of_coding(track.coding));
    by_codec.or_else(by_coding).map_or_else(
        || Problem::Undecodable { why: "it has no sound track in a known coding".to_owned() },
        |what| Problem::Form { what },
    )
}

/// Refuses what symphonia decodes to another sound than was recorded: wrong digits are worse than none. Of a Vorbis of three
/// channels or more it undoes the coupling from the first pair to the last, where Vorbis I, 4.3.5 goes from the last to the
/// first: digits are lost and appear in each other's channels.
fn refuse_wrong(parameters: &AudioCodecParameters) -> Result<(), Problem> {
    let channels = parameters.channels.as_ref().map_or(0, Channels::count);
    if parameters.codec == CODEC_ID_VORBIS && channels > 2 {
        return Err(Problem::Form { what: format!("Vorbis of {channels} channels") });
    }
    Ok(())
}

/// An mp3's decoder is told not to cut: it would cut everything beyond the count in the file's first frame, which in joined
/// files is the first file's count and without that frame a guess from the first bit rates. The padding at the end, some ten
/// milliseconds of silence, is left in for that.
fn decoder(parameters: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, Error> {
    let options = AudioDecoderOptions::default().gapless(parameters.codec != CODEC_ID_MP3);
    symphonia::default::get_codecs().make_audio_decoder(parameters, &options)
}
