//! The limits of a receiver, as data: the default and the named standards.

use super::{COLUMN_HZ, ROW_HZ};

/// How far beyond what must be accepted a tone may be, in Hz: in a digit at its limits with noise 2 dB below it a frequency is
/// misjudged by no more.
const BEYOND_HZ: f64 = 4.5;

/// Limits the detector works to.
///
/// The default accepts everything any of the named standards accepts. Named profiles narrow what their standard requires
/// to be refused (ITU-T Q.24 Annex A; MT8870 data sheet). Each field tells what the detector can keep; a profile that asks for
/// more is refused by [`Detector::new`](super::Detector::new) ([`ProfileError`]).
///
/// ```
/// use tonopago::dtmf::{Detector, DetectorError, Profile};
///
/// // A receiver for a noisy factory: keys are held for long, and loud.
/// let profile = Profile { floor_dbm0: -25.0, reject_tone_ms: 28.0, ..Profile::default() };
/// assert!(Detector::new(8000, &profile).is_ok());
///
/// let error = Detector::new(8000, &Profile { reject_tone_ms: 100.0, ..profile }).unwrap_err();
/// assert_eq!(error.to_string(), "reject_tone_ms is 100: the detector keeps 0 to 28");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Deviation from the nominal frequency accepted for certain, as a fraction of it (0.018 is 1.8 %): 0 to 0.025.
    pub accept_fraction: f64,
    /// The same as a fraction plus `accept_plus_hz`; the wider of the two counts: 0 to 0.025.
    pub accept_fraction_plus: f64,
    /// Hz added to `accept_fraction_plus`: 0 to 4.
    pub accept_plus_hz: f64,
    /// Deviation refused for certain, as a fraction of the nominal frequency: as much as is accepted of any tone, to 0.05. The
    /// limit lies between, see [`frequency_limit_hz`](Self::frequency_limit_hz).
    pub reject_fraction: f64,
    /// Low tone stronger than the high one by at most this many dB: 0 to 13. What is stronger by 1 dB more may be accepted, too.
    pub normal_twist_db: f64,
    /// High tone stronger than the low one by at most this many dB: 0 to 13, likewise.
    pub reverse_twist_db: f64,
    /// Weakest accepted tone in dBm0: -90 to 3. What is weaker by 1 dB may be accepted, too.
    pub floor_dbm0: f64,
    /// Tones up to this long, in ms, are refused: 0 to 28. Those of less than 22 ms always are.
    pub reject_tone_ms: f64,
    /// Tones from this long, in ms, are accepted: 40 to 1000. The detector accepts those of 40 ms whatever this says; what is
    /// measured of a receiver goes by it.
    pub accept_tone_ms: f64,
    /// An interruption of the same digit up to this long, in ms, does not split it: 0 to `split_gap_ms`.
    pub bridge_gap_ms: f64,
    /// A pause from this long, in ms, ends the digit: 18 to 3000.
    pub split_gap_ms: f64,
}

/// A limit of a [`Profile`] that the detector can't keep.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}: the detector keeps {least} to {most}")]
pub struct ProfileError {
    /// The field.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// The least it may be; of `reject_fraction`, what must be accepted of some tone.
    pub least: f64,
    /// The most; of `bridge_gap_ms`, the profile's own `split_gap_ms`.
    pub most: f64,
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

    /// The name of a profile that has one: what [`Profile::named`] gives for it is equal to it.
    pub fn name(&self) -> Option<&'static str> {
        Self::NAMES.into_iter().find(|name| Self::named(name).as_ref() == Some(self))
    }

    /// Whether the detector can keep every limit.
    pub(crate) fn check(&self) -> Result<(), ProfileError> {
        let widest = ROW_HZ.into_iter().chain(COLUMN_HZ).map(|hz| self.accepted_hz(hz) / hz).fold(0.0, f64::max);
        let ranges = [
            ("accept_fraction", self.accept_fraction, 0.0, 0.025),
            ("accept_fraction_plus", self.accept_fraction_plus, 0.0, 0.025),
            ("accept_plus_hz", self.accept_plus_hz, 0.0, 4.0),
            ("reject_fraction", self.reject_fraction, widest, 0.05),
            ("normal_twist_db", self.normal_twist_db, 0.0, 13.0),
            ("reverse_twist_db", self.reverse_twist_db, 0.0, 13.0),
            ("floor_dbm0", self.floor_dbm0, -90.0, 3.0),
            ("reject_tone_ms", self.reject_tone_ms, 0.0, 28.0),
            ("accept_tone_ms", self.accept_tone_ms, 40.0, 1000.0),
            ("split_gap_ms", self.split_gap_ms, 18.0, 3000.0),
            ("bridge_gap_ms", self.bridge_gap_ms, 0.0, self.split_gap_ms),
        ];
        // What is not a number lies in no range.
        let kept = |&(_, value, least, most): &(&str, f64, f64, f64)| (least..=most).contains(&value);
        match ranges.into_iter().find(|limit| !kept(limit)) {
            None => Ok(()),
            Some((name, value, least, most)) => Err(ProfileError { name, value, least, most }),
        }
    }

    /// Deviation in Hz that is accepted of a tone of the given nominal frequency (Hz).
    fn accepted_hz(&self, nominal: f64) -> f64 {
        (self.accept_fraction * nominal).max(self.accept_fraction_plus * nominal + self.accept_plus_hz)
    }

    /// Deviation in Hz at which a tone of the given nominal frequency (Hz) is refused: halfway between the deviations
    /// that must be accepted and refused, or where that is nearer 4.5 Hz behind what must be accepted, as voices and
    /// instruments stand anywhere.
    pub fn frequency_limit_hz(&self, nominal: f64) -> f64 {
        let accepted = self.accepted_hz(nominal);
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
        assert!(Profile::NAMES.iter().all(|name| Profile::named(name).unwrap().name() == Some(name)));
        assert_eq!(Profile { floor_dbm0: -41.0, ..Profile::default() }.name(), None);
    }

    #[test]
    fn limits_that_no_detector_keeps_are_refused_by_name() {
        let base = Profile::default();
        assert!(Profile::NAMES.iter().all(|name| Profile::named(name).unwrap().check().is_ok()));
        for (profile, told) in [
            (Profile { accept_fraction: 0.04, ..base }, "accept_fraction is 0.04: the detector keeps 0 to 0.025"),
            (Profile { accept_plus_hz: 9.0, ..base }, "accept_plus_hz is 9: the detector keeps 0 to 4"),
            (Profile { reject_fraction: 0.018, ..base }, "reject_fraction is 0.018: the detector keeps 0.02"),
            (Profile { normal_twist_db: -1.0, ..base }, "normal_twist_db is -1: the detector keeps 0 to 13"),
            (Profile { reverse_twist_db: 20.0, ..base }, "reverse_twist_db is 20: the detector keeps 0 to 13"),
            (Profile { floor_dbm0: f64::NAN, ..base }, "floor_dbm0 is NaN: the detector keeps -90 to 3"),
            (Profile { reject_tone_ms: 60.0, ..base }, "reject_tone_ms is 60: the detector keeps 0 to 28"),
            (Profile { accept_tone_ms: 15.0, ..base }, "accept_tone_ms is 15: the detector keeps 40 to 1000"),
            (Profile { split_gap_ms: f64::INFINITY, ..base }, "split_gap_ms is inf: the detector keeps 18 to 3000"),
            (Profile { bridge_gap_ms: 35.0, ..base }, "bridge_gap_ms is 35: the detector keeps 0 to 30"),
        ] {
            let error = profile.check().unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn frequency_limit_lies_between_accept_and_reject() {
        let profile = Profile::default();
        for hz in ROW_HZ.into_iter().chain(COLUMN_HZ) {
            let limit = profile.frequency_limit_hz(hz);
            assert!(limit > 0.018 * hz && limit > 0.015 * hz + 4.0 && limit < 0.03 * hz);
        }
    }
}
