//! IMA and Microsoft ADPCM in WAV: the blocks are cut here and decoded by symphonia.
//!
//! Symphonia's own WAV reader takes about 1152 frames at a time and drops what is left of them at the end of a file cut
//! short or of unknown length: 144 ms at 8 kHz, more than a digit. Here even the last block is used as far as it goes.

use std::io::{self, Read};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::block::{BLOCK_FRAMES, Block};
use super::packets::guarded;
use super::stream::{Limited, WavBody};

/// Which ADPCM, and how it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdpcmForm {
    pub(super) kind: AdpcmKind,
    /// Bytes of one block, all channels together.
    pub(super) block_bytes: usize,
    /// 1 or 2.
    pub(super) channels: usize,
}

/// The two kinds WAV files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdpcmKind {
    Ima,
    Microsoft,
}

impl AdpcmForm {
    /// Frames in a block of which there are `bytes`. A block begins with a header for each channel, which holds the first
    /// frame (IMA) or the first two (Microsoft); then come four bits a sample.
    const fn frames(self, bytes: usize) -> usize {
        let (header, first) = match self.kind {
            AdpcmKind::Ima => (4 * self.channels, 1),
            AdpcmKind::Microsoft => (7 * self.channels, 2),
        };
        if bytes < header || header == 0 {
            return 0;
        }
        let body = bytes - header;
        match (self.kind, self.channels) {
            // Four bytes, 8 samples, of one channel and then of the other.
            (AdpcmKind::Ima, 2) => body / 8 * 8 + first,
            _ => body * 2 / self.channels + first,
        }
    }
}

/// Reads ADPCM blocks.
pub(super) struct AdpcmReader<R> {
    reader: Limited<R>,
    form: AdpcmForm,
    decoder: Box<dyn AudioDecoder>,
    bytes: Vec<u8>,
}

impl<R: Read> AdpcmReader<R> {
    /// The error says what the decoder does not like.
    pub(super) fn new(reader: Limited<R>, form: AdpcmForm, sample_rate: u32) -> Result<Self, String> {
        let frames = form.frames(form.block_bytes);
        if !(1..=BLOCK_FRAMES).contains(&frames) || !(1..=2).contains(&form.channels) {
            return Err(format!("ADPCM of {} channels in blocks of {} bytes", form.channels, form.block_bytes));
        }
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(match form.kind {
                AdpcmKind::Ima => CODEC_ID_ADPCM_IMA_WAV,
                AdpcmKind::Microsoft => CODEC_ID_ADPCM_MS,
            })
            .with_sample_rate(sample_rate)
            .with_channels(Channels::Discrete(if form.channels == 1 { 1 } else { 2 }))
            .with_max_frames_per_packet(frames as u64)
            .with_frames_per_block(frames as u64);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
            .map_err(|error| error.to_string())?;
        Ok(Self { reader, form, decoder, bytes: Vec::with_capacity(form.block_bytes) })
    }
}

impl<R: Read + Send> WavBody for AdpcmReader<R> {
    fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        self.reader.read_block(self.form.block_bytes, &mut self.bytes)?;
        block.reset(self.form.channels);
        let frames = self.form.frames(self.bytes.len());
        if frames == 0 {
            return Ok(());
        }
        self.bytes.resize(self.form.block_bytes, 0);
        let whole = Duration::from(self.form.frames(self.form.block_bytes) as u64);
        let packet = Packet::new(0, Timestamp::new(0), whole, self.bytes.as_slice());
        let decoded = guarded(|| {
            let sound = self.decoder.decode(&packet);
            sound.map(|sound| sound.copy_to_vecs_planar(block.planes_mut())).is_ok()
        });
        if decoded != Ok(true) {
            // A damaged block is silence of its length.
            block.reset(self.form.channels);
        }
        block.planes_mut().iter_mut().for_each(|plane| plane.resize(frames, 0.0));
        Ok(())
    }

    fn missing_frames(&self) -> u64 {
        self.reader.missing() / self.form.block_bytes as u64 * self.form.frames(self.form.block_bytes) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_the_frames_its_bytes_have_room_for() {
        let form = |kind, block_bytes, channels| AdpcmForm { kind, block_bytes, channels };
        // 505 and 500 frames in 256 bytes are what every encoder writes.
        assert_eq!(form(AdpcmKind::Ima, 256, 1).frames(256), 505);
        assert_eq!(form(AdpcmKind::Microsoft, 256, 1).frames(256), 500);
        assert_eq!(form(AdpcmKind::Ima, 512, 2).frames(512), 505);
        assert_eq!(form(AdpcmKind::Microsoft, 512, 2).frames(512), 500);
        assert_eq!(form(AdpcmKind::Ima, 256, 1).frames(3), 0);
        assert_eq!(form(AdpcmKind::Ima, 256, 1).frames(4), 1);
        assert_eq!(form(AdpcmKind::Ima, 512, 2).frames(15), 1);
    }

    #[test]
    fn forms_that_hold_nothing_or_too_much_are_refused() {
        for (block_bytes, channels) in [(3, 1), (0, 1), (256, 3), (256, 0), (4101, 1)] {
            let form = AdpcmForm { kind: AdpcmKind::Ima, block_bytes, channels };
            assert!(AdpcmReader::new(Limited::new(io::empty(), None), form, 8000).is_err(), "{form:?}");
        }
    }
}
