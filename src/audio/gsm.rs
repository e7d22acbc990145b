//! GSM full rate (GSM 06.10, ETSI EN 300 961): in WAV, as Asterisk (`wav49`) and voice mail write it, two frames of 20 ms in
//! blocks of 65 bytes; without a header (`gsm`), each frame in 33 bytes.
//!
//! The decoder computes in 16 bits with saturation as the standard lays down, so that its samples are every decoder's.

use std::io::{self, Read};

use super::block::Block;
use super::stream::{Limited, WavBody};

mod predictor;

use predictor::Predictor;

/// Bytes of a block of two frames, and of a frame on its own.
pub(super) const BLOCK_BYTES: usize = 65;
pub(super) const FRAME_BYTES: usize = 33;
/// Samples a second.
pub(super) const SAMPLE_RATE: u32 = 8000;
/// Samples of a frame of the coder, and of the four parts it is coded in.
const FRAME: usize = 160;
const PART: usize = 40;
/// Bits of a frame; a block holds the first whole frame in 33 bytes.
const FRAME_BITS: usize = 260;
/// Bits of the mark that a frame on its own begins with.
const MARK_BITS: usize = 4;
/// Samples before a part that it may repeat.
const PAST: usize = 120;
/// Table 3.3: the gains with which the past is repeated.
const GAINS: [i16; 4] = [3277, 11_469, 21_299, 32_767];
/// Table 3.6: normalized direct mantissas.
const MANTISSAS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// The constant of the filter that undoes the coder's pre-emphasis.
const DE_EMPHASIS: i16 = 28_180;

/// How the bits of frames are put into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Two frames in 65 bytes, each number's lowest bit first, as Microsoft's WAV has them.
    Pairs,
    /// A mark and a frame in 33 bytes, each number's highest bit first.
    Frames,
}

impl Packing {
    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Self::Pairs => BLOCK_BYTES,
            Self::Frames => FRAME_BYTES,
        }
    }

    const fn block_samples(self) -> usize {
        match self {
            Self::Pairs => 2 * FRAME,
            Self::Frames => FRAME,
        }
    }
}

/// Reads blocks of GSM in one channel.
pub(super) struct GsmReader<R> {
    reader: Limited<R>,
    packing: Packing,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl<R: Read> GsmReader<R> {
    pub(super) fn new(reader: Limited<R>, packing: Packing) -> Self {
        Self { reader, packing, decoder: Decoder::default(), bytes: Vec::with_capacity(BLOCK_BYTES) }
    }
}

impl<R: Read + Send> WavBody for GsmReader<R> {
    fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        self.reader.read_block(self.packing.block_bytes(), &mut self.bytes)?;
        block.reset(1);
        let mark = if self.packing == Packing::Frames { MARK_BITS } else { 0 };
        let mut bits = Bits { bytes: &self.bytes, packing: self.packing, at: mark };
        for plane in block.planes_mut() {
            for _ in 0..self.bytes.len() * 8 / FRAME_BITS {
                let samples = self.decoder.frame(&mut bits);
                plane.extend(samples.iter().map(|&sample| f32::from(sample) / 32_768.0));
            }
        }
        Ok(())
    }

    fn missing_frames(&self) -> u64 {
        self.reader.missing() / self.packing.block_bytes() as u64 * self.packing.block_samples() as u64
    }
}

/// The bits of a block, from the lowest of its first byte, or from the highest.
struct Bits<'a> {
    bytes: &'a [u8],
    packing: Packing,
    at: usize,
}

impl Bits<'_> {
    /// A number of so many bits, 7 at most; bits behind the end are 0.
    fn take(&mut self, count: usize) -> u8 {
        let byte = |at: usize| self.bytes.get(at / 8).copied().unwrap_or(0);
        let number = (self.at..self.at + count).fold(0, |number, at| match self.packing {
            Packing::Pairs => number | (byte(at) >> (at % 8) & 1) << (at - self.at),
            Packing::Frames => number << 1 | byte(at) >> (7 - at % 8) & 1,
        });
        self.at += count;
        number
    }
}

/// What the decoder remembers from frame to frame.
struct Decoder {
    /// The excitation: what is past, and the part under way.
    excitation: [i16; PAST + PART],
    lag: usize,
    predictor: Predictor,
    emphasis: i16,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { excitation: [0; PAST + PART], lag: PART, predictor: Predictor::default(), emphasis: 0 }
    }
}

impl Decoder {
    fn frame(&mut self, bits: &mut Bits<'_>) -> [i16; FRAME] {
        let ratios = [6, 6, 5, 5, 4, 4, 3, 3].map(|count| i16::from(bits.take(count)));
        let mut samples = [0; FRAME];
        for part in samples.chunks_exact_mut(PART) {
            self.part(bits);
            part.copy_from_slice(&self.excitation[PAST..]);
        }
        self.predictor.synthesize(ratios, &mut samples);
        for sample in &mut samples {
            self.emphasis = sample.saturating_add(times(self.emphasis, DE_EMPHASIS));
            // The lowest three bits are no part of the output (5.3.7).
            *sample = self.emphasis.saturating_add(self.emphasis) & !7;
        }
        samples
    }

    /// The excitation of a part: the past repeated at a lag, and pulses on a grid (5.3.1 and 5.3.2).
    fn part(&mut self, bits: &mut Bits<'_>) {
        let lag = usize::from(bits.take(7));
        let gain = GAINS[usize::from(bits.take(2))];
        let offset = usize::from(bits.take(2));
        let (mantissa, shift) = scale(i16::from(bits.take(6)));
        self.excitation.copy_within(PART.., 0);
        if (PART..=PAST).contains(&lag) {
            self.lag = lag;
        }
        for at in PAST..PAST + PART {
            self.excitation[at] = times(gain, self.excitation[at - self.lag]);
        }
        let rounding = if shift > 0 { 1 << (shift - 1) } else { 0 };
        for n in 0..13 {
            let pulse = ((i16::from(bits.take(3)) << 1) - 7) << 12;
            let pulse = times(mantissa, pulse).saturating_add(rounding) >> shift;
            let at = PAST + offset + 3 * n;
            self.excitation[at] = pulse.saturating_add(self.excitation[at]);
        }
    }
}

/// The mantissa of a coded block maximum, and by how much pulses are shifted down (4.2.15 and 4.2.16).
fn scale(coded: i16) -> (i16, u32) {
    let mut exponent = if coded > 15 { (coded >> 3) - 1 } else { 0 };
    let mut mantissa = coded - (exponent << 3);
    if mantissa == 0 {
        (exponent, mantissa) = (-4, 15);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (MANTISSAS[usize::from(mantissa.unsigned_abs() & 7)], (6 - exponent).unsigned_abs().into())
}

/// The product of two numbers from -1 to 1, rounded and saturated (`mult_r`, 5.1).
#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
fn times(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + 16_384) >> 15).min(i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_round_and_saturate() {
        assert_eq!((times(i16::MIN, i16::MIN), times(16_384, 3), times(-16_384, 3)), (i16::MAX, 2, -1));
    }

    #[test]
    fn numbers_begin_with_their_lowest_bit_or_with_their_highest() {
        let mut bits = Bits { bytes: &[0b1010_0110, 0b0000_0001], packing: Packing::Pairs, at: 0 };
        assert_eq!([bits.take(3), bits.take(6), bits.take(7), bits.take(7)], [0b110, 0b11_0100, 0, 0]);
        let mut bits = Bits { bytes: &[0b1101_1010, 0b0110_0001], packing: Packing::Frames, at: 4 };
        assert_eq!([bits.take(6), bits.take(6), bits.take(7)], [0b10_1001, 0b10_0001, 0]);
    }

    #[test]
    fn a_block_maximum_is_a_mantissa_and_an_exponent() {
        // The least and the greatest, and the last that needs no exponent (table 3.5).
        assert_eq!((scale(0), scale(15), scale(16), scale(63)), ((32_767, 10), (32_767, 6), (18_431, 5), (32_767, 0)));
    }

    /// Whatever bytes come, 320 samples do.
    #[test]
    fn any_bytes_give_sound_of_their_length() {
        let bytes: Vec<u8> = (0..6500_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        let mut reader = GsmReader::new(Limited::new(&bytes[..6467], None), Packing::Pairs);
        let (mut block, mut samples) = (Block::new(), 0);
        loop {
            reader.next_block(&mut block).unwrap();
            if block.is_empty() {
                break;
            }
            samples += block.frames();
        }
        // The last block is cut behind its first frame.
        assert_eq!(samples, 99 * 2 * FRAME);
        let mut reader = GsmReader::new(Limited::new(&bytes[..33], None), Packing::Pairs);
        reader.next_block(&mut block).unwrap();
        assert_eq!(block.frames(), FRAME);
    }
}
