//! G.722 at 64 kbit/s (ITU-T G.722), the wide-band coding of telephones: an octet holds two samples at 16 kHz.
//!
//! The band is halved; each half is predicted, and what the prediction misses is coded in six bits below 4 kHz and in two above.
//! The decoder computes in whole numbers with the saturation that the standard lays down, so that its samples are every
//! decoder's. As all of them do, it gives sound some 0.7 ms late, and the coder as much.

use std::io::{self, Read};

use super::block::{BLOCK_FRAMES, Block};
use super::stream::{Limited, WavBody};

mod band;
mod tables;

use band::Band;
use tables::{HIGH_BAND, LOW_BAND, LOW_FINE, MIRROR_FILTER};

/// Samples an octet holds.
pub(super) const FRAMES_PER_OCTET: u64 = 2;
/// Samples a second.
pub(super) const SAMPLE_RATE: u32 = 16_000;

/// Reads octets of G.722 in one channel.
pub(super) struct G722Reader<R> {
    reader: Limited<R>,
    decoder: Decoder,
    octets: Vec<u8>,
}

impl<R: Read> G722Reader<R> {
    pub(super) fn new(reader: Limited<R>) -> Self {
        Self { reader, decoder: Decoder::default(), octets: vec![0; BLOCK_FRAMES / 2] }
    }
}

impl<R: Read + Send> WavBody for G722Reader<R> {
    fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        let count = self.reader.read_some(&mut self.octets)?;
        block.reset(1);
        for plane in block.planes_mut() {
            let samples = self.octets[..count].iter().flat_map(|&octet| self.decoder.octet(octet));
            plane.extend(samples.map(|sample| f32::from(sample) / 32_768.0));
        }
        Ok(())
    }

    fn missing_frames(&self) -> u64 {
        self.reader.missing().saturating_mul(FRAMES_PER_OCTET)
    }
}

/// What the decoder remembers from octet to octet.
struct Decoder {
    low: Band,
    high: Band,
    /// The last sums and differences of both bands, the newest last, by turns.
    sums: [i32; TAPS],
    differences: [i32; TAPS],
}

/// Taps of each half of the filter that puts the bands together.
const TAPS: usize = MIRROR_FILTER.len();

impl Default for Decoder {
    fn default() -> Self {
        Self { low: Band::new(&LOW_BAND), high: Band::new(&HIGH_BAND), sums: [0; TAPS], differences: [0; TAPS] }
    }
}

impl Decoder {
    /// The two samples of an octet: six bits of the low band, and above them two of the high one.
    fn octet(&mut self, octet: u8) -> [i16; 2] {
        let (low, high) = (usize::from(octet & 0x3F), usize::from(octet >> 6));
        let heard_low = self.low.heard(LOW_FINE[low]);
        // The prediction goes by the four upper bits: the lower two may be given up on the way.
        self.low.adapt(low >> 2);
        let heard_high = self.high.heard(HIGH_BAND.quantized[high]);
        self.high.adapt(high);
        push(&mut self.sums, heard_low + heard_high);
        push(&mut self.differences, heard_low - heard_high);
        let backwards = MIRROR_FILTER.iter().rev();
        [filter(&self.differences, backwards), filter(&self.sums, MIRROR_FILTER.iter())]
    }
}

fn push(delayed: &mut [i32; TAPS], newest: i32) {
    delayed.copy_within(1.., 0);
    delayed[TAPS - 1] = newest;
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
fn filter<'a>(delayed: &[i32; TAPS], taps: impl Iterator<Item = &'a i32>) -> i16 {
    let sum: i32 = delayed.iter().zip(taps).map(|(sample, tap)| sample * tap).sum();
    band::saturated(sum >> 11) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(octets: &[u8]) -> Vec<i16> {
        let mut decoder = Decoder::default();
        octets.iter().flat_map(|&octet| decoder.octet(octet)).collect()
    }

    /// A multiplicative generator's octets, which drive every table to its ends: as another decoder (libavcodec's) decodes them.
    #[test]
    fn any_octets_are_decoded_to_the_bit() {
        let octets: Vec<u8> = (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let bytes = decoded(&octets).into_iter().flat_map(i16::to_le_bytes);
        assert_eq!(bytes.fold(0xcbf2_9ce4_8422_2325, hash), 0xdaf5_e0af_db7f_e013);
    }

    #[test]
    fn every_octet_again_and_again_stays_within_its_numbers() {
        for octet in 0..=u8::MAX {
            assert_eq!(decoded(&[octet; 2000]).len(), 4000);
        }
    }
}
