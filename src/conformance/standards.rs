//! ITU-T Q.24 Annex A and ETSI ES 201 235-3: each column of the standards as settings.

use std::sync::Arc;

use super::setting::{Claim, Group, NONE, REFUSED, Setting, clean, off_frequency, same_digit_twice, tones};
use crate::dtmf::Profile;

/// Digits for each requirement.
const TRIALS: usize = 1000;

/// One administration's column of ITU-T Q.24 Annex A.
struct Administration {
    name: &'static str,
    profile: &'static str,
    /// Deviation accepted: fraction, and Hz more.
    accept: (f64, f64),
    reject: Option<f64>,
    /// Strongest and weakest level accepted, in dBm.
    levels: (f64, f64),
    reject_level: Option<f64>,
    /// Low tone stronger, high tone stronger, in dB.
    twist: (f64, f64),
    /// Tone accepted and refused, in ms.
    tone: (f64, f64),
    pause_ms: f64,
    bridged_ms: f64,
    period_ms: f64,
}

/// The columns; Denmark's, Australia's and Brazil's come from the field's memory of the text. No profile is narrow enough to be
/// Denmark's, so that the default stands for it.
const Q24: [Administration; 5] = [
    Administration {
        name: "NTT",
        profile: "ntt",
        accept: (0.018, 0.0),
        reject: Some(0.03),
        levels: (-3.0, -24.0),
        reject_level: Some(-29.0),
        twist: (5.0, 5.0),
        tone: (40.0, 24.0),
        pause_ms: 30.0,
        bridged_ms: 10.0,
        period_ms: 120.0,
    },
    Administration {
        name: "AT&T",
        profile: "att",
        accept: (0.015, 0.0),
        reject: Some(0.035),
        levels: (0.0, -25.0),
        reject_level: Some(-55.0),
        twist: (8.0, 4.0),
        tone: (40.0, 23.0),
        pause_ms: 40.0,
        bridged_ms: 10.0,
        period_ms: 93.0,
    },
    Administration {
        name: "Denmark",
        profile: "default",
        accept: (0.015, 2.0),
        reject: None,
        levels: (0.0, -27.0),
        reject_level: None,
        twist: (6.0, 6.0),
        tone: (40.0, 20.0),
        pause_ms: 40.0,
        bridged_ms: 20.0,
        period_ms: 100.0,
    },
    Administration {
        name: "Australia",
        profile: "australia",
        accept: (0.015, 4.0),
        reject: Some(0.07),
        levels: (-5.0, -27.0),
        reject_level: Some(-30.0),
        twist: (10.0, 10.0),
        tone: (40.0, 25.0),
        pause_ms: 70.0,
        bridged_ms: 12.0,
        period_ms: 125.0,
    },
    Administration {
        name: "Brazil",
        profile: "brazil",
        accept: (0.018, 0.0),
        reject: Some(0.03),
        levels: (-3.0, -25.0),
        reject_level: Some(-50.0),
        twist: (9.0, 9.0),
        tone: (40.0, 20.0),
        pause_ms: 30.0,
        bridged_ms: 10.0,
        period_ms: 120.0,
    },
];

/// All settings of both standards.
pub(super) fn settings() -> Vec<Setting> {
    let q24 = Q24.iter().enumerate().flat_map(|(index, column)| column.settings(1000 + 20 * index as u64));
    q24.chain(etsi()).collect()
}

impl Administration {
    fn settings(&self, seed: u64) -> Vec<Setting> {
        let mut settings = self.frequencies_and_levels(seed);
        settings.extend(self.timing(seed + 10));
        let profile = Profile::named(self.profile).unwrap_or_default();
        settings.into_iter().map(|setting| setting.with(profile)).collect()
    }

    fn name(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }

    fn frequencies_and_levels(&self, seed: u64) -> Vec<Setting> {
        let of = |what: String, claim, make| Setting::new(Group::Q24, self.name(&what), claim, TRIALS, make);
        let (fraction, hz) = self.accept;
        let plus = if hz > 0.0 { format!(" + {hz} Hz") } else { String::new() };
        let offset = Arc::new(move |nominal: f64| fraction + hz / nominal);
        let mut settings = vec![Setting::new(
            Group::Q24,
            self.name(&format!("frequency {:.1} %{plus} off", fraction * 100.0)),
            NONE,
            TRIALS,
            off_frequency(seed, tones(-17.0), offset),
        )];
        if let Some(reject) = self.reject {
            let make = off_frequency(seed + 1, tones(-17.0), Arc::new(move |_| reject));
            let name = self.name(&format!("frequency {:.1} % off", reject * 100.0));
            // 7 % below one row is 2.7 % above another, which no limit tells from a tone of that row.
            let claim = if reject < 0.05 { REFUSED } else { Claim::NotItself };
            settings.push(Setting::new(Group::Q24, name, claim, TRIALS, make));
        }
        for level in [self.levels.0, self.levels.1] {
            settings.push(of(format!("level {level} dBm"), NONE, clean(seed + 2, tones(level))));
        }
        if let Some(level) = self.reject_level {
            settings.push(of(format!("level {level} dBm"), REFUSED, clean(seed + 3, tones(level))));
        }
        let (normal, reverse) = self.twist;
        let strong = self.levels.0.min(-3.0);
        settings.push(of(format!("twist +{normal} dB"), NONE, clean(seed + 4, tones(strong).twist(normal))));
        settings.push(of(format!("twist -{reverse} dB"), NONE, clean(seed + 5, tones(strong).twist(-reverse))));
        settings
    }

    fn timing(&self, seed: u64) -> Vec<Setting> {
        let of = |what: String, claim, make| Setting::new(Group::Q24, self.name(&what), claim, TRIALS, make);
        let digits = |seed, tone: f64, pause: f64| clean(seed, tones(-10.0).timing(tone, pause));
        let (accept, reject) = self.tone;
        let split = same_digit_twice(seed + 2, self.pause_ms, 2);
        let bridged = same_digit_twice(seed + 3, self.bridged_ms, 1);
        let fast = digits(seed + 4, 45.0, self.period_ms - 45.0);
        vec![
            of(format!("tone {accept} ms"), NONE, digits(seed, accept, 50.0)),
            of(format!("tone {reject} ms"), REFUSED, digits(seed + 1, reject, 50.0)),
            Setting::new(Group::Q24, self.name(&format!("pause {} ms", self.pause_ms)), NONE, TRIALS, split),
            Setting::new(Group::Q24, self.name(&format!("interruption {} ms", self.bridged_ms)), NONE, TRIALS, bridged),
            of(format!("a digit each {} ms", self.period_ms), NONE, fast),
        ]
    }
}

/// Tones of more than 40 ms are recognised, of less than 20 ms not; a gap of more than 40 ms ends a digit, of less than
/// 20 ms not.
fn etsi() -> Vec<Setting> {
    let of = |name: &str, claim, tone: f64, seed| {
        Setting::new(Group::Etsi, name, claim, TRIALS, clean(seed, tones(-10.0).timing(tone, 50.0)))
    };
    let gap = |name: &str, ms, counts, seed| {
        Setting::new(Group::Etsi, name, NONE, TRIALS, same_digit_twice(seed, ms, counts))
    };
    let settings = [
        of("tone 40 ms", NONE, 40.0, 1200),
        of("tone 20 ms", REFUSED, 20.0, 1201),
        gap("gap 40 ms, two digits", 40.0, 2, 1202),
        gap("gap 20 ms, one digit", 20.0, 1, 1203),
    ];
    let profile = Profile::named("etsi").unwrap_or_default();
    settings.into_iter().map(|setting| setting.with(profile)).collect()
}
