//! Writing WAV files that stay readable if the program dies in the middle.

use std::fmt;
use std::io::{self, Seek, SeekFrom, Write};

use super::g711::Law;

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// 16-bit linear PCM, what every program reads.
    Pcm16,
    /// 32-bit floating point: no clipping, no rounding.
    Float32,
    /// ITU-T G.711 mu-law or A-law, one octet a sample.
    G711(Law),
}

impl Encoding {
    /// Bytes of one sample.
    const fn bytes(self) -> u32 {
        match self {
            Self::Pcm16 => 2,
            Self::Float32 => 4,
            Self::G711(_) => 1,
        }
    }
}

/// The form of a WAV file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavForm {
    /// Samples per second and channel, in Hz.
    pub sample_rate: u32,
    /// Interleaved channels, 1 or more.
    pub channels: u16,
    /// How samples are written.
    pub encoding: Encoding,
}

/// Writes a WAV file frame by frame.
///
/// The header is brought up to date about once a second of sound, and on [`finish`](Self::finish): a file whose writer
/// died is valid and lacks at most its last second.
pub struct WavWriter<W: Write + Seek> {
    sink: Sink<W>,
    channels: usize,
    /// Samples until the header is brought up to date, counted over all channels.
    until_update: u32,
    update_every: u32,
    /// Samples that still fit.
    room: u32,
}

impl<W: Write + Seek> fmt::Debug for WavWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WavWriter").field("channels", &self.channels).field("room", &self.room).finish_non_exhaustive()
    }
}

/// Bytes of sound a WAV file can hold: its lengths have 32 bits and count the header, too.
const MOST_BYTES: u32 = u32::MAX - 4096;

enum Sink<W: Write + Seek> {
    Linear(hound::WavWriter<W>),
    Companded(Companded<W>),
}

impl<W: Write + Seek> WavWriter<W> {
    /// Writes the header. Give a buffered writer: samples are written one by one.
    ///
    /// # Errors
    /// If the header can't be written.
    pub fn new(writer: W, form: WavForm) -> io::Result<Self> {
        let linear = |bits_per_sample, sample_format| hound::WavSpec {
            channels: form.channels,
            sample_rate: form.sample_rate,
            bits_per_sample,
            sample_format,
        };
        let sink = match form.encoding {
            Encoding::Pcm16 => Sink::Linear(open_linear(writer, linear(16, hound::SampleFormat::Int))?),
            Encoding::Float32 => Sink::Linear(open_linear(writer, linear(32, hound::SampleFormat::Float))?),
            Encoding::G711(law) => Sink::Companded(Companded::new(writer, law, form)?),
        };
        let update_every = form.sample_rate.saturating_mul(u32::from(form.channels)).max(1);
        let room = MOST_BYTES / form.encoding.bytes();
        Ok(Self { sink, channels: usize::from(form.channels), until_update: update_every, update_every, room })
    }

    /// Writes frames from one slice per channel; full scale is 1.0, what is louder is clipped (but not in
    /// [`Encoding::Float32`]).
    ///
    /// # Errors
    /// If the disk is full, or the file would grow beyond the 4 GiB a WAV file can hold.
    ///
    /// # Panics
    /// If there is not one slice per channel, or their lengths differ.
    pub fn write(&mut self, channels: &[&[f32]]) -> io::Result<()> {
        assert!(channels.len() == self.channels, "one slice per channel");
        let frames = channels.first().map_or(0, |channel| channel.len());
        assert!(channels.iter().all(|channel| channel.len() == frames), "channels of one length");
        let samples = u32::try_from(frames * self.channels).unwrap_or(u32::MAX);
        self.room = self.room.checked_sub(samples).ok_or_else(full)?;
        for frame in 0..frames {
            for channel in channels {
                self.write_sample(channel[frame])?;
            }
            self.update_if_due()?;
        }
        Ok(())
    }

    /// Brings the header up to date and gives the file to the operating system.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn finish(self) -> io::Result<()> {
        match self.sink {
            Sink::Linear(writer) => writer.finalize().map_err(io_error),
            Sink::Companded(mut writer) => writer.update_header(),
        }
    }

    fn write_sample(&mut self, sample: f32) -> io::Result<()> {
        match &mut self.sink {
            Sink::Linear(writer) if writer.spec().bits_per_sample == 32 => {
                writer.write_sample(sample).map_err(io_error)
            }
            Sink::Linear(writer) => writer.write_sample(to_16_bits(sample)).map_err(io_error),
            Sink::Companded(writer) => writer.write_sample(sample),
        }
    }

    fn update_if_due(&mut self) -> io::Result<()> {
        self.until_update = self.until_update.saturating_sub(u32::try_from(self.channels).unwrap_or(u32::MAX));
        if self.until_update > 0 {
            return Ok(());
        }
        self.until_update = self.update_every;
        match &mut self.sink {
            Sink::Linear(writer) => writer.flush().map_err(io_error),
            Sink::Companded(writer) => writer.update_header(),
        }
    }
}

/// The nearest 16-bit sample, clipped at full scale.
#[expect(clippy::cast_possible_truncation, reason = "clipped to 16 bits; a float cast saturates")]
pub fn to_16_bits(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

fn full() -> io::Error {
    io::Error::other("a WAV file holds at most 4 GiB: begin another file, or use fewer channels or a lower rate")
}

fn open_linear<W: Write + Seek>(writer: W, spec: hound::WavSpec) -> io::Result<hound::WavWriter<W>> {
    let mut writer = hound::WavWriter::new(writer, spec).map_err(io_error)?;
    writer.flush().map_err(io_error)?;
    Ok(writer)
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// A G.711 WAV file, which hound does not write.
struct Companded<W> {
    writer: W,
    law: Law,
    channels: u16,
    samples: u32,
}

/// Bytes before the sound: RIFF, an 18-byte format chunk, and the fact chunk that compressed forms need.
const COMPANDED_HEADER: u32 = 12 + 8 + 18 + 8 + 4 + 8;
const FACT_AT: u64 = 46;
const DATA_LENGTH_AT: u64 = 54;

impl<W: Write + Seek> Companded<W> {
    fn new(mut writer: W, law: Law, form: WavForm) -> io::Result<Self> {
        let tag: u16 = match law {
            Law::A => 6,
            Law::Mu => 7,
        };
        let mut header = Vec::with_capacity(COMPANDED_HEADER as usize);
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&(COMPANDED_HEADER - 8).to_le_bytes());
        header.extend_from_slice(b"WAVEfmt ");
        header.extend_from_slice(&18_u32.to_le_bytes());
        header.extend_from_slice(&tag.to_le_bytes());
        header.extend_from_slice(&form.channels.to_le_bytes());
        header.extend_from_slice(&form.sample_rate.to_le_bytes());
        header.extend_from_slice(&form.sample_rate.saturating_mul(u32::from(form.channels)).to_le_bytes());
        header.extend_from_slice(&form.channels.to_le_bytes());
        header.extend_from_slice(&8_u16.to_le_bytes());
        header.extend_from_slice(&0_u16.to_le_bytes());
        header.extend_from_slice(b"fact");
        header.extend_from_slice(&4_u32.to_le_bytes());
        header.extend_from_slice(&0_u32.to_le_bytes());
        header.extend_from_slice(b"data");
        header.extend_from_slice(&0_u32.to_le_bytes());
        writer.write_all(&header)?;
        writer.flush()?;
        Ok(Self { writer, law, channels: form.channels, samples: 0 })
    }

    fn write_sample(&mut self, sample: f32) -> io::Result<()> {
        self.samples += 1;
        self.writer.write_all(&[self.law.encode(to_16_bits(sample))])
    }

    /// Writes the lengths (and the pad byte an odd length needs) and goes back to the end of the sound.
    fn update_header(&mut self) -> io::Result<()> {
        let pad = self.samples % 2;
        if pad == 1 {
            self.writer.write_all(&[0])?;
        }
        self.put(4, COMPANDED_HEADER - 8 + self.samples + pad)?;
        self.put(FACT_AT, self.samples / u32::from(self.channels))?;
        self.put(DATA_LENGTH_AT, self.samples)?;
        self.writer.seek(SeekFrom::Start(u64::from(COMPANDED_HEADER) + u64::from(self.samples)))?;
        self.writer.flush()
    }

    fn put(&mut self, at: u64, value: u32) -> io::Result<()> {
        self.writer.seek(SeekFrom::Start(at))?;
        self.writer.write_all(&value.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::audio::{Block, Recording, Warning};

    const FORMS: [Encoding; 4] = [Encoding::Pcm16, Encoding::Float32, Encoding::G711(Law::Mu), Encoding::G711(Law::A)];

    fn ramp(count: usize) -> Vec<f32> {
        (0..count).map(|n| (n % 200) as f32 / 100.0 - 1.0).collect()
    }

    fn read(bytes: Vec<u8>) -> (Recording, Vec<Vec<f32>>) {
        let mut recording = Recording::from_stream("written", Cursor::new(bytes)).unwrap();
        let (mut block, mut channels) = (Block::new(), vec![Vec::new(); recording.channels()]);
        while recording.next_block(&mut block).unwrap() {
            channels
                .iter_mut()
                .enumerate()
                .for_each(|(index, samples)| samples.extend_from_slice(block.channel(index)));
        }
        (recording, channels)
    }

    #[test]
    fn what_is_written_is_read_back_in_every_form() {
        for encoding in FORMS {
            for channels in [1_u16, 2] {
                let mut file = Cursor::new(Vec::new());
                let form = WavForm { sample_rate: 8000, channels, encoding };
                let mut writer = WavWriter::new(&mut file, form).unwrap();
                let (left, right) = (ramp(20_001), vec![0.25; 20_001]);
                let planes: [&[f32]; 2] = [&left, &right];
                writer.write(&planes[..usize::from(channels)]).unwrap();
                writer.finish().unwrap();
                let (recording, read) = read(file.into_inner());
                assert_eq!((recording.sample_rate(), recording.warning()), (8000, None), "{encoding:?}");
                assert_eq!((read.len(), read[0].len()), (usize::from(channels), 20_001), "{encoding:?}");
                let tolerance = if matches!(encoding, Encoding::G711(_)) { 0.032 } else { 1e-4 };
                let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance);
                assert!(planes.iter().zip(&read).all(|(wrote, read)| near(wrote, read)), "{encoding:?}");
            }
        }
    }

    #[test]
    fn a_writer_that_dies_leaves_a_valid_file_without_its_last_second() {
        for encoding in FORMS {
            let mut file = Cursor::new(Vec::new());
            let mut writer = WavWriter::new(&mut file, WavForm { sample_rate: 8000, channels: 1, encoding }).unwrap();
            writer.write(&[&ramp(20_000)]).unwrap();
            // Neither finish nor drop runs.
            std::mem::forget(writer);
            let (recording, read) = read(file.into_inner());
            assert_eq!(read[0].len(), 16_000, "{encoding:?}");
            // What its header does not tell of yet is told of, unless its bytes look like a chunk.
            let warning = recording.warning();
            let is_told = matches!(warning, Some(Warning::Beyond { at_s: 2.0, .. }));
            assert!(is_told || (warning.is_none() && encoding == Encoding::G711(Law::A)), "{encoding:?}: {warning:?}");
        }
    }

    #[test]
    fn loud_samples_clip_and_do_not_wrap() {
        assert_eq!([2.0, 1.0, -1.0, -3.0, f32::NAN].map(to_16_bits), [i16::MAX, i16::MAX, i16::MIN, i16::MIN, 0]);
    }
}
