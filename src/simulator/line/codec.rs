//! G.711: what is left of a sample after the 8-bit codes of ITU-T G.711.

/// Which of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Companding {
    /// A-law, most of the world.
    ALaw,
    /// Mu-law, North America and Japan.
    MuLaw,
}

impl Companding {
    /// Encodes and decodes one sample of full scale 1.0.
    pub fn round_trip(self, sample: f32) -> f32 {
        let linear = (sample.clamp(-1.0, 1.0) * 32767.0).round() as i32;
        let decoded = match self {
            Self::ALaw => a_law(linear),
            Self::MuLaw => mu_law(linear),
        };
        decoded as f32 / 32768.0
    }
}

/// 16-bit in and out; mu-law works on 14 bits with a bias of 33 (132 on the 16-bit scale) and clips at 8158.
fn mu_law(linear: i32) -> i32 {
    let magnitude = linear.abs().min(32_635) + 132;
    let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0xf;
    let decoded = (((mantissa << 3) + 132) << exponent) - 132;
    if linear < 0 { -decoded } else { decoded }
}

/// 16-bit in and out; A-law works on 13 bits: two linear segments of step 2, then a doubling step per segment.
fn a_law(linear: i32) -> i32 {
    let magnitude = if linear < 0 { (-linear - 1).min(32_767) } else { linear };
    let decoded = if magnitude < 512 {
        (magnitude & !0xf) + 8
    } else {
        let shift = 31 - magnitude.leading_zeros() as i32 - 4;
        ((magnitude >> shift) << shift) + (1 << (shift - 1))
    };
    if linear < 0 { -decoded } else { decoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_stays_below_one_step_and_signs_hold() {
        for law in [Companding::ALaw, Companding::MuLaw] {
            for linear in (-32_000..=32_000).step_by(37) {
                let sample = linear as f32 / 32768.0;
                let error = (law.round_trip(sample) - sample).abs();
                assert!(error <= sample.abs() / 30.0 + 17.0 / 32768.0, "{law:?} {linear}: {error}");
            }
        }
    }

    #[test]
    fn signal_to_distortion_of_a_tone_is_that_of_g711() {
        for law in [Companding::ALaw, Companding::MuLaw] {
            let tone: Vec<f32> = (0..8000).map(|n| 0.3 * (n as f32 * 0.8017).sin()).collect();
            let error: f32 = tone.iter().map(|x| (law.round_trip(*x) - x).powi(2)).sum();
            let db = 10.0 * (tone.iter().map(|x| x * x).sum::<f32>() / error).log10();
            assert!((36.0..41.0).contains(&db), "{law:?}: {db} dB");
        }
    }

    #[test]
    fn each_law_has_256_values_at_most() {
        for law in [Companding::ALaw, Companding::MuLaw] {
            let values: std::collections::BTreeSet<i32> =
                (-32_768..32_768).map(|x| (law.round_trip(x as f32 / 32_767.0) * 32768.0) as i32).collect();
            assert!((250..=256).contains(&values.len()), "{law:?}: {}", values.len());
        }
    }
}
