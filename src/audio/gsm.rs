//! GSM full rate (GSM 06.10, ETSI EN 300 961) in WAV, as Asterisk (`wav49`) and voice mail write it: two frames of 20 ms in
//! blocks of 65 bytes.
//!
//! The decoder computes in 16 bits with saturation as the standard lays down, so that its samples are every decoder's.

use std::io::{self, Read};

use super::block::Block;
use super::stream::{Limited, WavBody};

mod predictor;

use predictor::Predictor;

/// Bytes of a block, and the frames of a recording in it.
pub(super) const BLOCK_BYTES: usize = 65;
const BLOCK_SAMPLES: usize = 2 * FRAME;
/// Samples of a frame of the coder, and of the four parts it is coded in.
const FRAME: usize = 160;
const PART: usize = 40;
/// Bits of a frame; a block holds the first whole frame in 33 bytes.
const FRAME_BITS: usize = 260;
/// Samples before a part that it may repeat.
const PAST: usize = 120;
/// Table 3.3: the gains with which the past is repeated.
const GAINS: [i16; 4] = [3277, 11_469, 21_299, 32_767];
/// Table 3.6: normalized direct mantissas.
const MANTISSAS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// The constant of the filter that undoes the coder's pre-emphasis.
const DE_EMPHASIS: i16 = 28_180;

/// Reads blocks of GSM in one channel.
pub(super) struct GsmReader<R> {
    reader: Limited<R>,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl<R: Read> GsmReader<R> {
    pub(super) fn new(reader: Limited<R>) -> Self {
        Self { reader, decoder: Decoder::default(), bytes: Vec::with_capacity(BLOCK_BYTES) }
    }
}

impl<R: Read + Send> WavBody for GsmReader<R> {
    fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        self.reader.read_block(BLOCK_BYTES, &mut self.bytes)?;
        block.reset(1);
        let mut bits = Bits { bytes: &self.bytes, at: 0 };
        for plane in block.planes_mut() {
            for _ in 0..self.bytes.len() * 8 / FRAME_BITS {
                let samples = self.decoder.frame(&mut bits);
                plane.extend(samples.iter().map(|&sample| f32::from(sample) / 32_768.0));
            }
        }
        Ok(())
    }

    fn missing_frames(&self) -> u64 {
        self.reader.missing() / BLOCK_BYTES as u64 * BLOCK_SAMPLES as u64
    }
}

/// The bits of a block, from the lowest of its first byte.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// A number of so many bits, 7 at most, its lowest first; bits behind the end are 0.
    fn take(&mut self, count: usize) -> u8 {
        let bit = |at: usize| self.bytes.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1);
        let number = (0..count).fold(0, |number, n| number | bit(self.at + n) << n);
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
    fn numbers_begin_with_their_lowest_bit() {
        let mut bits = Bits { bytes: &[0b1010_0110, 0b0000_0001], at: 0 };
        assert_eq!([bits.take(3), bits.take(6), bits.take(7), bits.take(7)], [0b110, 0b11_0100, 0, 0]);
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
        let mut reader = GsmReader::new(Limited::new(&bytes[..6467], None));
        let (mut block, mut samples) = (Block::new(), 0);
        loop {
            reader.next_block(&mut block).unwrap();
            if block.is_empty() {
                break;
            }
            samples += block.frames();
        }
        // The last block is cut behind its first frame.
        assert_eq!(samples, 99 * BLOCK_SAMPLES);
        let mut reader = GsmReader::new(Limited::new(&bytes[..33], None));
        reader.next_block(&mut block).unwrap();
        assert_eq!(block.frames(), FRAME);
    }
}
