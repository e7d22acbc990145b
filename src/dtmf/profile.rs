//! The limits of a receiver, as data: the default and the named standards.

/// How far beyond what must be accepted a tone may be, in Hz: in a digit at its limits with noise 2 dB below it a frequency is
/// misjudged by no more.
const BEYOND_HZ: f64 = 4.5;

/// Limits the detector works to.
///
/// The default accepts everything any of the named standards accepts. Named profiles narrow what their standard requires
/// to be refused (ITU-T Q.24 Annex A; MT8870 data sheet).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Deviation from the nominal frequency accepted for certain, as a fraction of it (0.018 is 1.8 %).
    pub accept_fraction: f64,
    /// The same as a fraction plus `accept_plus_hz`; the wider of the two counts.
    pub accept_fraction_plus: f64,
    /// Hz added to `accept_fraction_plus`.
    pub accept_plus_hz: f64,
    /// Deviation refused for certain, as a fraction of the nominal frequency. The limit lies between.
    pub reject_fraction: f64,
    /// Low tone stronger than the high one by at most this many dB.
    pub normal_twist_db: f64,
    /// High tone stronger than the low one by at most this many dB.
    pub reverse_twist_db: f64,
    /// Weakest accepted tone in dBm0.
    pub floor_dbm0: f64,
    /// Tones up to this long, in ms, are refused.
    pub reject_tone_ms: f64,
    /// Tones from this long, in ms, are accepted.
    pub accept_tone_ms: f64,
    /// An interruption of the same digit up to this long, in ms, does not split it.
    pub bridge_gap_ms: f64,
    /// A pause from this long, in ms, ends the digit.
    pub split_gap_ms: f64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            accept_fraction: 0.018,
            accept_fraction_plus: 0.015,
            accept_plus_hz: 4.0,
            reject_fraction: 0.030,
            normal_twist_db: 8.0,
            reverse_twist_db: 8.0,
            floor_dbm0: -40.0,
            reject_tone_ms: 23.0,
            accept_tone_ms: 40.0,
            bridge_gap_ms: 20.0,
            split_gap_ms: 30.0,
        }
    }
}

impl Profile {
    /// The names [`Profile::named`] knows.
    pub const NAMES: [&'static str; 7] = ["default", "att", "ntt", "etsi", "brazil", "australia", "mt8870"];

    /// A profile by name; `None` for an unknown one.
    pub fn named(name: &str) -> Option<Self> {
        let base = Self::default();
        Some(match name {
            "default" => base,
            "att" => Self {
                accept_fraction: 0.015,
                accept_fraction_plus: 0.0,
                accept_plus_hz: 0.0,
                reject_fraction: 0.035,
                normal_twist_db: 8.0,
                reverse_twist_db: 4.0,
                ..base
            },
            "ntt" => Self {
                // 24 ms, and half of the 1 ms between two looks of the detector.
                reject_tone_ms: 24.5,
                accept_fraction_plus: 0.0,
                accept_plus_hz: 0.0,
                normal_twist_db: 5.0,
                reverse_twist_db: 5.0,
                floor_dbm0: -26.5,
                ..base
            },
            "etsi" => Self { reject_tone_ms: 20.0, split_gap_ms: 40.0, ..base },
            "brazil" => Self { reject_tone_ms: 20.0, normal_twist_db: 9.0, reverse_twist_db: 9.0, ..base },
            "australia" => Self {
                accept_fraction: 0.0,
                // Q.24 asks for 7 %; but 7 % above one row is 3 % below the next, so the limit is set for 3.5 %.
                reject_fraction: 0.035,
                normal_twist_db: 10.0,
                reverse_twist_db: 10.0,
                floor_dbm0: -28.5,
                reject_tone_ms: 25.0,
                ..base
            },
            "mt8870" => Self { accept_fraction: 0.015, accept_plus_hz: 2.0, reject_fraction: 0.035, ..base },
            _ => return None,
        })
    }

    /// Deviation in Hz at which a tone of the given nominal frequency (Hz) is refused: halfway between the deviations
    /// that must be accepted and refused, or where that is nearer 4.5 Hz behind what must be accepted, as voices and
    /// instruments stand anywhere.
    pub fn frequency_limit_hz(&self, nominal: f64) -> f64 {
        let accepted = (self.accept_fraction * nominal).max(self.accept_fraction_plus * nominal + self.accept_plus_hz);
        (0.5 * (accepted + self.reject_fraction * nominal)).min(accepted + BEYOND_HZ)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_unknown_names_are_refused() {
        assert!(Profile::NAMES.iter().all(|name| Profile::named(name).is_some()));
        assert_eq!(Profile::named("default"), Some(Profile::default()));
        assert_eq!(Profile::named("bell"), None);
    }

    #[test]
    fn frequency_limit_lies_between_accept_and_reject() {
        let profile = Profile::default();
        for hz in crate::dtmf::ROW_HZ.into_iter().chain(crate::dtmf::COLUMN_HZ) {
            let limit = profile.frequency_limit_hz(hz);
            assert!(limit > 0.018 * hz && limit > 0.015 * hz + 4.0 && limit < 0.03 * hz);
        }
    }
}
