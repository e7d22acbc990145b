//! G.711 companding: mu-law and A-law octets to and from 16-bit linear samples (ITU-T G.711, tables 1 and 2).
//!
//! A decoded value is the standard's quantised value scaled to 16 bits: the 14-bit mu-law values times 4 (largest
//! 32 124), the 13-bit A-law values times 8 (largest 32 256). Nothing here allocates.

/// The two companding laws of ITU-T G.711.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// Mu-law (PCMU), North America, Japan and most of Mexico's SIP trunks.
    Mu,
    /// A-law (PCMA), Europe and international links.
    A,
}

impl Law {
    /// The linear value of one octet, full scale 32 768.
    pub const fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Mu => decode_mulaw(octet),
            Self::A => decode_alaw(octet),
        }
    }

    /// The octet whose decision interval holds `sample`.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mulaw(sample),
            Self::A => encode_alaw(sample),
        }
    }

    /// The linear value of one octet as a fraction of full scale, -1.0 to 1.0.
    pub fn decode_f32(self, octet: u8) -> f32 {
        f32::from(self.decode(octet)) / 32768.0
    }
}

/// The linear value of a mu-law octet, -32 124 to 32 124.
pub const fn decode_mulaw(octet: u8) -> i16 {
    MU_LINEAR[octet as usize]
}

/// The linear value of an A-law octet, -32 256 to 32 256; no octet stands for zero, the nearest are -8 and 8.
pub const fn decode_alaw(octet: u8) -> i16 {
    A_LINEAR[octet as usize]
}

/// The mu-law octet of a 16-bit sample; magnitudes above 32 635 take the last interval.
#[expect(clippy::cast_possible_truncation, reason = "segment and step together are below 128")]
pub const fn encode_mulaw(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs();
    let clipped = if magnitude > MU_CLIP { MU_CLIP } else { magnitude };
    let biased = clipped + MU_BIAS;
    let segment = 8 - biased.leading_zeros() as u16;
    let step = (biased >> (segment + 3)) & 0x0F;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (segment << 4 | step) as u8)
}

/// The A-law octet of a 16-bit sample.
#[expect(clippy::cast_possible_truncation, reason = "segment and step together are below 128")]
pub const fn encode_alaw(sample: i16) -> u8 {
    // One's complement for the negative half: the decision value between the signs lies between -1 and 0.
    let magnitude = (if sample < 0 { !sample } else { sample }) as u16 >> 4;
    let segment = if magnitude < 16 { 0 } else { 12 - magnitude.leading_zeros() as u16 };
    let step = if segment < 2 { magnitude & 0x0F } else { (magnitude >> (segment - 1)) & 0x0F };
    let sign = if sample < 0 { 0 } else { 0x80 };
    (sign | (segment << 4 | step) as u8) ^ A_TOGGLE
}

/// Added before the segment search so that each segment starts at a power of two: 33 in 14-bit units.
const MU_BIAS: u16 = 33 << 2;
/// Largest magnitude whose biased value fits in 15 bits.
const MU_CLIP: u16 = 0x7FFF - MU_BIAS;
/// G.711 inverts the even bits of A-law octets on the line.
const A_TOGGLE: u8 = 0x55;

const MU_LINEAR: [i16; 256] = mu_table();
const A_LINEAR: [i16; 256] = a_table();

const fn mu_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let bits = !(octet as u8);
        let (segment, step) = ((bits >> 4) & 7, (bits & 0x0F) as i16);
        let magnitude = (((step << 3) + MU_BIAS as i16) << segment) - MU_BIAS as i16;
        table[octet] = if bits & 0x80 == 0 { magnitude } else { -magnitude };
        octet += 1;
    }
    table
}

const fn a_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let bits = octet as u8 ^ A_TOGGLE;
        let (segment, step) = ((bits >> 4) & 7, (bits & 0x0F) as i16);
        // The middle of the interval; segments 0 and 1 share one step size.
        let middle = (step << 4) + 8;
        let magnitude = if segment == 0 { middle } else { (middle + 256) << (segment - 1) };
        table[octet] = if bits & 0x80 == 0 { -magnitude } else { magnitude };
        octet += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::level::FULL_SCALE_DBM0;

    /// Positive decision values x1..x129 of table 2a (14-bit units): 0, 1, 3, ... 31, 35, ... 8159.
    fn mu_decisions() -> Vec<i32> {
        let mut values = vec![0, 1];
        for segment in 0..8 {
            let steps = if segment == 0 { 15 } else { 16 };
            for _ in 0..steps {
                values.push(values.last().unwrap() + (2 << segment));
            }
        }
        values
    }

    /// Positive decision values of table 1a (13-bit units): 0, 2, ... 64, 68, ... 4096.
    fn a_decisions() -> Vec<i32> {
        let mut values = vec![0];
        for segment in 0..8 {
            for _ in 0..16 {
                values.push(values.last().unwrap() + (2 << i32::max(segment - 1, 0)));
            }
        }
        values
    }

    #[test]
    fn the_decision_values_are_the_standards() {
        let (mu, a) = (mu_decisions(), a_decisions());
        assert_eq!((mu.len(), mu[16], mu[32], mu[112], mu[128]), (129, 31, 95, 4063, 8159));
        assert_eq!((a.len(), a[32], a[48], a[112], a[128]), (129, 64, 128, 2048, 4096));
    }

    #[test]
    fn each_octet_decodes_to_the_middle_of_its_interval() {
        let (mu, a) = (mu_decisions(), a_decisions());
        for index in 0..128 {
            let octet = u8::try_from(index).unwrap();
            let mu_value = if index == 0 { 0 } else { (mu[index] + mu[index + 1]) * 2 };
            assert_eq!(i32::from(decode_mulaw(!octet)), mu_value, "mu-law +{index}");
            assert_eq!(i32::from(decode_mulaw(!(octet | 0x80))), -mu_value, "mu-law -{index}");
            let a_value = (a[index] + a[index + 1]) * 4;
            assert_eq!(i32::from(decode_alaw((octet | 0x80) ^ 0x55)), a_value, "A-law +{index}");
            assert_eq!(i32::from(decode_alaw(octet ^ 0x55)), -a_value, "A-law -{index}");
        }
    }

    #[test]
    fn every_sample_falls_in_its_decision_interval() {
        let (mu, a) = (mu_decisions(), a_decisions());
        for sample in i16::MIN..=i16::MAX {
            let magnitude = i32::from(sample).abs();
            let code = usize::from(!encode_mulaw(sample) & 0x7F);
            assert!(mu[code] * 4 <= magnitude && (code == 127 || magnitude < mu[code + 1] * 4), "mu-law {sample}");
            let code = usize::from((encode_alaw(sample) ^ 0x55) & 0x7F);
            assert!(a[code] * 8 <= magnitude && magnitude <= a[code + 1] * 8, "A-law {sample}");
        }
    }

    #[test]
    fn octets_survive_a_round_trip_and_known_values_hold() {
        for octet in 0..=u8::MAX {
            // 0x7F is mu-law's negative zero, which encodes as the positive one.
            let expected = if octet == 0x7F { 0xFF } else { octet };
            assert_eq!(encode_mulaw(decode_mulaw(octet)), expected);
            assert_eq!(encode_alaw(decode_alaw(octet)), octet);
        }
        assert_eq!((encode_mulaw(0), encode_alaw(0), encode_alaw(-1)), (0xFF, 0xD5, 0x55));
        assert_eq!((decode_mulaw(0x80), decode_mulaw(0x00)), (32124, -32124));
        assert_eq!((decode_alaw(0xAA), decode_alaw(0x2A)), (32256, -32256));
    }

    /// G.711 tables 5 and 6: these octets repeat as a 1 kHz sine of 0 dBm0, so full scale is +3.17 (mu) and +3.14 dBm0 (A).
    #[test]
    fn the_standards_digital_milliwatt_is_3_dbm0_below_full_scale() {
        let mu = [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E];
        let a = [0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4];
        for (law, octets, top_dbm0) in [(Law::Mu, mu, 3.17), (Law::A, a, FULL_SCALE_DBM0)] {
            let power: f64 = octets.iter().map(|&octet| f64::from(law.decode_f32(octet)).powi(2)).sum::<f64>() / 8.0;
            let below_full_scale = -10.0 * (power * 2.0).log10();
            let full_scale = if law == Law::Mu { 8159.0 / 8192.0 } else { 1.0_f64 };
            let expected = top_dbm0 - 20.0 * full_scale.log10();
            assert!((below_full_scale - expected).abs() < 0.02, "{law:?}: {below_full_scale:.3} dB, {expected:.3}");
        }
    }
}
