//! What the receiver promises: the settings measured with one configuration.

use std::sync::Arc;

use super::own_prompt;
use super::setting::{
    BATCH, Claim, Group, NONE, REFUSED, Setting, Skipped, clean, held_while_it_falls, noise_at, off_frequency,
    same_digit_twice, through, tones, without_pauses,
};
use super::signal::{RATE, Signal};
use super::talk_off::Speech;
use crate::dtmf::{GeneratorConfig, Profile};
use crate::simulator::gsm;
use crate::simulator::line::{Companding, LineBuilder};

/// S/N down to which the times of a digit are promised, in dB.
const LATENCY_SNR_DB: f64 = 15.0;
/// Digits far from others in noise: so many that, if none is missed, less than 0.05 % are.
const ALONE_TRIALS: usize = 6000;
/// Digits for a mean time to report: so many that also the fiftieth part of them, a quick run's, tells it to 0.1 ms.
const LATENCY_TRIALS: usize = 5000;

/// All settings of a profile; those with speech under the digits only where there is speech.
pub(super) fn settings(profile: &Profile, speech: Option<&Speech>) -> Vec<Setting> {
    let mut settings = frequency(profile);
    settings.extend(twist_and_level(profile));
    settings.extend(durations_and_gaps(profile));
    settings.extend(noise());
    settings.extend(tones_and_echo(profile));
    settings.extend(codecs());
    settings.extend(packets_and_slips());
    settings.extend(latency(profile));
    settings.extend(speech.into_iter().flat_map(under_speech));
    settings.extend(speech.map(|speech| own_prompt::setting(speech, *profile)));
    settings.into_iter().map(|setting| setting.with(*profile)).collect()
}

fn of(name: impl Into<String>, claim: Claim, trials: usize, make: impl Fn(u64, usize) -> Made + 'static) -> Setting {
    Setting::new(Group::Promise, name, claim, trials, make)
}

type Made = Result<Signal, Skipped>;

fn frequency(profile: &Profile) -> Vec<Setting> {
    let Profile { accept_fraction, accept_fraction_plus, accept_plus_hz, reject_fraction, .. } = *profile;
    let widest = move |hz: f64| accept_fraction.max(accept_fraction_plus + accept_plus_hz / hz);
    vec![
        of("frequency at the accepted limit", NONE, 1600, off_frequency(1, tones(-17.0), Arc::new(widest))),
        of(
            format!("frequency {:.1} % off", reject_fraction * 100.0),
            REFUSED,
            1600,
            off_frequency(2, tones(-17.0), Arc::new(move |_| reject_fraction)),
        ),
    ]
}

fn twist_and_level(profile: &Profile) -> Vec<Setting> {
    let (normal, reverse) = (profile.normal_twist_db, profile.reverse_twist_db);
    let mut settings = vec![
        of(format!("normal twist of {normal} dB"), NONE, 1000, clean(11, tones(-3.0).twist(normal))),
        of(format!("reverse twist of {reverse} dB"), NONE, 1000, clean(11, tones(-3.0).twist(-reverse))),
    ];
    for level in [3.0, 0.0, -10.0, -25.0, profile.floor_dbm0] {
        settings.push(of(format!("level {level} dBm0"), NONE, 1000, clean(12, tones(level))));
    }
    settings.push(of("clipped by 12 dB", NONE, 1000, clean(13, tones(9.0))));
    settings
}

fn durations_and_gaps(profile: &Profile) -> Vec<Setting> {
    let of_length = |ms: f64| tones(-10.0).timing(ms, 50.0);
    let (accept, reject) = (profile.accept_tone_ms, profile.reject_tone_ms);
    let (bridge, split) = (profile.bridge_gap_ms, profile.split_gap_ms);
    vec![
        of(format!("tones of {accept} ms"), NONE, 2000, clean(21, of_length(accept))),
        of(format!("tones of {reject} ms"), REFUSED, 2000, clean(22, of_length(reject))),
        of(
            format!("tones of {reject} ms, {LATENCY_SNR_DB} dB S/N"),
            Claim::Accepted(0.001),
            10_000,
            through(25, of_length(reject), noisy(LATENCY_SNR_DB)),
        ),
        of(format!("gap of {bridge} ms, one digit"), NONE, 1000, same_digit_twice(23, bridge, 1)),
        of(format!("gap of {split} ms, two digits"), NONE, 2000, same_digit_twice(24, split, 2)),
        of("level falls by 6 to 12 dB".to_owned(), NONE, 1000, held_while_it_falls(27, of_length(400.0))),
        of("no gap, different digits".to_owned(), NONE, 2000, without_pauses(26, of_length(45.0))),
    ]
}

/// A line with white noise at an S/N in dB.
fn noisy(snr_db: f64) -> impl Fn(u64) -> LineBuilder {
    move |seed| LineBuilder::new(seed).noise_dbm0(noise_at(snr_db))
}

fn noise() -> Vec<Setting> {
    let claims = [(6.0, 10_000, 0.0), (2.0, 10_000, 0.0005), (0.0, 10_000, 0.003), (-3.0, 5000, 0.05)];
    let white = |(snr, trials, allowed): (f64, usize, f64)| {
        of(format!("white noise, {snr} dB S/N"), Claim::Missed(allowed), trials, through(31, tones(-10.0), noisy(snr)))
    };
    // Far from others a digit is less expected than among them.
    let alone = |(snr, _, allowed): (f64, usize, f64)| {
        let digits = tones(-10.0).timing(50.0, 2500.0);
        of(
            format!("a digit alone, {snr} dB S/N"),
            Claim::Missed(allowed),
            ALONE_TRIALS,
            through(35, digits, noisy(snr)),
        )
    };
    let mut settings = [claims.map(white), claims.map(alone)].into_iter().flatten().collect::<Vec<_>>();
    let pink = |seed| LineBuilder::new(seed).pink_noise_dbm0(noise_at(6.0));
    settings.push(of("pink noise, 6 dB S/N", Claim::Missed(0.001), 5000, through(32, tones(-10.0), pink)));
    let clicks = |seed| LineBuilder::new(seed).impulses(10.0, -7.0);
    settings.push(of("10 clicks a second", Claim::Missed(0.005), 5000, through(33, tones(-10.0), clicks)));
    let hum = |seed| LineBuilder::new(seed).hum(60.0, -10.0).dc(0.05);
    settings.push(of("60 Hz hum at the tones' level and DC", NONE, 1000, through(34, tones(-10.0), hum)));
    settings
}

/// Level of digits under a steady tone in the band, in dBm0: as low as they may be, so that the tone is clipped by nothing.
const UNDER_STEADY_DBM0: f64 = -28.0;
/// How far above a profile's floor they are at least, in dB.
const ABOVE_FLOOR_DB: f64 = 0.5;

fn tones_and_echo(profile: &Profile) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, hz) in [("350 + 440", &[350.0, 440.0][..]), ("425", &[425.0]), ("400", &[400.0])] {
        let line = |seed| LineBuilder::new(seed).tones(hz, -3.0, None);
        let name = format!("dial tone {name} Hz, 22 dB above");
        settings.push(of(name, NONE, 1000, through(41, tones(-25.0), line)));
    }
    // In the band of the digits a tone must be known before it can be taken out, and it is once it has sounded for 256 ms.
    let steady_tones: [(&str, &[f64]); 4] =
        [("440 + 480", &[440.0, 480.0]), ("480 + 620", &[480.0, 620.0]), ("1000", &[1000.0]), ("2100", &[2100.0])];
    let level = UNDER_STEADY_DBM0.max(profile.floor_dbm0 + ABOVE_FLOOR_DB);
    for (name, hz) in steady_tones {
        let steady = move |batch, count| {
            let seed = 47_000 + batch;
            let mut signal = Signal::random(seed, count, &tones(level));
            signal.delay(100.0);
            signal.samples = LineBuilder::new(seed).tones(hz, level + 22.0, None).build(RATE).carry(&signal.samples);
            Ok(signal)
        };
        settings.push(of(format!("steady tone {name} Hz, 22 dB above"), NONE, 1000, steady));
    }
    // A delay for each batch, so that all are met alike.
    let echo = |seed: u64| LineBuilder::new(seed).caller_echo(5.0 + 5.0 * (seed % 9) as f64, 10.0);
    settings.push(of("echo of 5 to 45 ms, 10 dB down", NONE, 9000, through(42, tones(-10.0), echo)));
    let strong = |seed| LineBuilder::new(seed).caller_echo(30.0, 6.0);
    let doubled_only = Claim::Missed(1.0);
    settings.push(of("echo of 30 ms, 6 dB down", doubled_only, 1000, through(43, tones(-10.0), strong)));
    let room = |seed| LineBuilder::new(seed).room(150.0, -8.0);
    settings.push(of("a room of 150 ms, 8 dB down", Claim::Missed(0.01), 1000, through(44, tones(-10.0), room)));
    let hall = |seed| LineBuilder::new(seed).room(400.0, -8.0);
    let spoken_into = tones(-10.0).timing(120.0, 300.0);
    settings.push(of("a room of 400 ms, 8 dB down", Claim::Missed(0.005), 2000, through(46, spoken_into, hall)));
    let clock = |seed| LineBuilder::new(seed).clock_offset_ppm(200.0).carrier_offset_hz(3.0);
    settings.push(of("clock +200 ppm, carrier +3 Hz", NONE, 1000, through(45, tones(-10.0), clock)));
    settings
}

fn codecs() -> Vec<Setting> {
    let g711 = |law| through(51, tones(-20.0), move |seed| LineBuilder::new(seed).codec(law));
    let gsm_full_rate = |batch, count| {
        let mut signal = Signal::random(54_000 + batch, count, &tones(-10.0));
        let heard = gsm::round_trip(&signal.samples).map_err(|error| Skipped(error.to_string()))?;
        signal.samples = heard;
        Ok(signal)
    };
    vec![
        of("G.711 A-law", NONE, 2000, g711(Companding::ALaw)),
        of("G.711 mu-law", NONE, 2000, g711(Companding::MuLaw)),
        of("GSM full rate", Claim::Missed(0.005), 2000, gsm_full_rate),
    ]
}

fn packets_and_slips() -> Vec<Setting> {
    let lossy = |seed| LineBuilder::new(seed).packet_loss(0.05, 20.0);
    let slips = |batch, count| {
        let mut signal = Signal::random(53_000 + batch, count, &tones(-10.0).timing(46.0, 30.0));
        signal.slip();
        Ok(signal)
    };
    let long = tones(-10.0).timing(80.0, 80.0);
    vec![
        of("5 % of 20 ms packets lost, 80 ms tones", Claim::Missed(0.002), 10_000, through(52, long, lossy)),
        of("fast dialling with sample slips", Claim::Missed(0.01), 2000, slips),
    ]
}

fn latency(profile: &Profile) -> Vec<Setting> {
    let claim = latency_claim(profile);
    vec![
        of("onset to report without noise", claim, LATENCY_TRIALS, clean(62, tones(-10.0))),
        of(
            format!("onset to report at {LATENCY_SNR_DB} dB S/N"),
            claim,
            LATENCY_TRIALS,
            through(61, tones(-10.0), noisy(LATENCY_SNR_DB)),
        ),
    ]
}

/// The targets are those of the default, which refuses tones of 23 ms. Whoever refuses longer ones reports later; whoever
/// accepts shorter ones does not report earlier.
fn latency_claim(profile: &Profile) -> Claim {
    let later = (profile.reject_tone_ms - Profile::default().reject_tone_ms).max(0.0);
    Claim::Latency { mean_ms: 27.0 + later, most_ms: 33.0 + later }
}

fn under_speech(speech: &Speech) -> Vec<Setting> {
    let under = |(below, allowed): (f64, f64)| {
        let (active, level) = (Arc::clone(&speech.active), speech.level_dbm0);
        let line = move |seed: u64| {
            let turned = turned(&active, seed as usize * 7919, RATE as usize * 10);
            LineBuilder::new(seed).mix(turned.into(), -15.0 - below - level)
        };
        let name = format!("prompt speech {below} dB below one tone");
        of(name, Claim::Missed(allowed), 3000, through(81, tones(-15.0), line))
    };
    [(8.0, 0.005), (4.0, 0.02)].into_iter().map(under).collect()
}

/// `length` samples of a recording that goes round, from `offset`.
pub(super) fn turned(samples: &[f32], offset: usize, length: usize) -> Vec<f32> {
    let offset = offset % samples.len().max(1);
    samples[offset..].iter().chain(&samples[..offset]).take(length).copied().collect()
}

/// Digits at another configuration through a line: for the curves.
pub(super) fn point(seed: u64, config: GeneratorConfig, snr_db: Option<f64>, digits: usize) -> Vec<Signal> {
    let line = move |seed| match snr_db {
        Some(snr) => LineBuilder::new(seed).noise_dbm0(noise_at(snr)),
        None => LineBuilder::new(seed),
    };
    let make = through(seed, config, line);
    (0..digits.div_ceil(BATCH)).filter_map(|batch| make(batch as u64, BATCH).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Effort, Options, measure};

    #[test]
    fn a_profile_that_accepts_shorter_tones_does_not_promise_to_report_earlier() {
        for name in ["etsi", "brazil"] {
            let profile = Profile::named(name).unwrap();
            assert!(profile.reject_tone_ms < Profile::default().reject_tone_ms, "{name}");
            assert_eq!(latency_claim(&profile), latency_claim(&Profile::default()), "{name}");
        }
    }

    /// What is weaker than a profile's floor it must refuse: nothing is promised of it.
    #[test]
    fn no_profile_is_asked_for_tones_below_its_floor() {
        for name in Profile::NAMES {
            let (profile, only) = (Profile::named(name).unwrap(), vec!["steady tone".into(), "dial tone".into()]);
            let rows = measure(&Options { profile, effort: Effort::Quick, only, ..Options::default() }, &mut |_| {});
            assert!(rows.len() == 7 && rows.iter().all(|row| row.pass), "{name}: {rows:#?}");
        }
    }

    #[test]
    fn every_profile_reports_in_time_also_in_a_quick_run() {
        for name in Profile::NAMES {
            let (profile, only) = (Profile::named(name).unwrap(), vec!["onset".into()]);
            let rows = measure(&Options { profile, effort: Effort::Quick, only, ..Options::default() }, &mut |_| {});
            assert!(rows.len() == 2 && rows.iter().all(|row| row.pass), "{name}: {rows:#?}");
        }
    }
}
