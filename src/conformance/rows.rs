//! The rows: one function per property.

use super::score::{Score, hear};
use super::signal::{RATE, Signal};
use super::{Effort, Row, upper_bound};
use crate::dtmf::{COLUMN_HZ, Digit, GeneratorConfig, Profile, ROW_HZ, generate};
use crate::simulator::line::{Companding, LineBuilder};

/// Digits in one signal.
const BATCH: usize = 50;

/// A run over the rows: what they share.
struct Run<'a> {
    profile: &'a Profile,
    effort: Effort,
    progress: &'a mut dyn FnMut(&str),
    rows: Vec<Row>,
}

pub(super) fn all(
    profile: &Profile,
    effort: Effort,
    speech: Option<&[f32]>,
    progress: &mut dyn FnMut(&str),
) -> Vec<Row> {
    let mut run = Run { profile, effort, progress, rows: Vec::new() };
    run.frequency();
    run.twist_and_level();
    run.durations();
    run.gaps();
    run.noise();
    run.tones_and_echo();
    run.codecs_and_packets();
    run.latency_and_rates();
    run.silence();
    if let Some(speech) = speech.filter(|speech| speech.len() > RATE as usize * 60) {
        run.speech(speech);
    }
    run.rows
}

fn tones(level: f64) -> GeneratorConfig {
    GeneratorConfig::default().level(level).timing(50.0, 50.0)
}

/// Noise in dBm0 at an S/N in dB against the power of both tones of -10 dBm0.
fn noise_at(snr_db: f64) -> f64 {
    -10.0 + 10.0 * 2f64.log10() - snr_db
}

impl Run<'_> {
    /// Sends `trials` digits in batches through a line and scores them.
    fn score(&self, seed: u64, trials: usize, config: &GeneratorConfig, line: &dyn Fn(u64) -> LineBuilder) -> Score {
        let mut score = Score::default();
        for batch in 0..trials.div_ceil(BATCH) as u64 {
            let count = BATCH.min(trials - batch as usize * BATCH);
            let mut signal = Signal::random(seed * 1000 + batch, count, config);
            signal.samples = line(seed * 1000 + batch).build(RATE).carry(&signal.samples);
            score.add(Score::of(&signal, self.profile));
        }
        score
    }

    fn say(&mut self, name: &str) {
        (self.progress)(name);
    }

    /// A row that allows a part of the digits to be missed, and none to be doubled.
    fn missed(&mut self, name: &str, score: &Score, allowed: f64) {
        // A quick run is too short for a small proportion: one miss is then let pass if the claim allows any at all.
        let slack = usize::from(self.effort == Effort::Quick && allowed > 0.0);
        let limit = (allowed * score.sent as f64) as usize;
        self.rows.push(Row {
            name: name.to_owned(),
            target: format!("<= {} % missed, none doubled", allowed * 100.0),
            measured: format!("{} of {} missed, {} doubled", score.missed, score.sent, score.doubled),
            pass: score.missed <= limit + slack && score.doubled == 0,
            trials: score.sent,
            upper_bound: Some(upper_bound(score.missed, score.sent)),
        });
    }

    /// A row that allows no digit to be found.
    fn refused(&mut self, name: &str, score: &Score) {
        let found = score.sent - score.missed + score.extra;
        self.rows.push(Row {
            name: name.to_owned(),
            target: "none accepted".to_owned(),
            measured: format!("{found} of {} accepted", score.sent),
            pass: found == 0,
            trials: score.sent,
            upper_bound: Some(upper_bound(found, score.sent)),
        });
    }

    fn frequency(&mut self) {
        self.say("frequency");
        let each = self.effort.trials(100);
        let (mut accepted, mut refused) = (Score::default(), Score::default());
        for (tone, hz) in ROW_HZ.into_iter().chain(COLUMN_HZ).enumerate() {
            for sign in [-1.0, 1.0] {
                let profile = self.profile;
                let widest = profile.accept_fraction.max(profile.accept_fraction_plus + profile.accept_plus_hz / hz);
                accepted.add(self.offset(tone, sign * widest, each));
                refused.add(self.offset(tone, sign * profile.reject_fraction, each));
            }
        }
        self.missed("frequency accepted at the limit, each tone", &accepted, 0.0);
        self.refused("frequency refused from its limit, each tone", &refused);
    }

    /// Digits with one tone off by a fraction.
    fn offset(&self, tone: usize, fraction: f64, count: usize) -> Score {
        let config = if tone < 4 {
            GeneratorConfig { low_offset: fraction, ..tones(-17.0) }
        } else {
            GeneratorConfig { high_offset: fraction, ..tones(-17.0) }
        };
        let mut signal = Signal::new(tone as u64 + if fraction > 0.0 { 100 } else { 200 });
        for index in 0..count {
            let other = index % 4;
            signal.send(if tone < 4 { Digit::at(tone, other) } else { Digit::at(other, tone - 4) }, &config);
        }
        signal.silence(200.0);
        Score::of(&signal, self.profile)
    }

    fn twist_and_level(&mut self) {
        self.say("twist and level");
        let count = self.effort.trials(1000);
        for (name, twist) in
            [("normal twist", self.profile.normal_twist_db), ("reverse twist", -self.profile.reverse_twist_db)]
        {
            let score = self.score(11, count, &tones(-3.0).twist(twist), &LineBuilder::new);
            self.missed(&format!("{name} of {} dB", twist.abs()), &score, 0.0);
        }
        for level in [3.0, 0.0, -10.0, -25.0, self.profile.floor_dbm0] {
            let score = self.score(12, count, &tones(level), &LineBuilder::new);
            self.missed(&format!("level {level} dBm0"), &score, 0.0);
        }
        let score = self.score(13, count, &tones(9.0), &LineBuilder::new);
        self.missed("clipped by 12 dB", &score, 0.0);
    }

    fn durations(&mut self) {
        self.say("tone duration");
        let count = self.effort.trials(2000);
        let of = |ms: f64| tones(-10.0).timing(ms, 50.0);
        let score = self.score(21, count, &of(self.profile.accept_tone_ms), &LineBuilder::new);
        self.missed(&format!("tones of {} ms", self.profile.accept_tone_ms), &score, 0.0);
        let score = self.score(22, count, &of(self.profile.reject_tone_ms), &LineBuilder::new);
        self.refused(&format!("tones of {} ms", self.profile.reject_tone_ms), &score);
    }

    fn gaps(&mut self) {
        self.say("gaps");
        let count = self.effort.trials(1000);
        for (ms, digits) in [(self.profile.bridge_gap_ms, 1), (self.profile.split_gap_ms, 2)] {
            let wrong = (0..count).filter(|index| self.same_digit_twice(*index as u64, ms) != digits).count();
            self.rows.push(Row {
                name: format!("the same digit twice, {ms} ms apart"),
                target: format!("heard as {digits}"),
                measured: format!("{wrong} of {count} otherwise"),
                pass: wrong == 0,
                trials: count,
                upper_bound: Some(upper_bound(wrong, count)),
            });
        }
    }

    fn same_digit_twice(&self, seed: u64, gap_ms: f64) -> usize {
        let mut signal = Signal::new(seed);
        let digit = Digit::at(signal.rng.usize(0..4), signal.rng.usize(0..4));
        signal.send(digit, &tones(-10.0).timing(50.0, 0.0));
        signal.samples.truncate(signal.sent[0].end);
        signal.silence(gap_ms);
        signal.send(digit, &tones(-10.0).timing(50.0, 100.0));
        hear(&signal.samples, RATE, self.profile).len()
    }

    fn noise(&mut self) {
        for (snr, trials, allowed) in
            [(6.0, 10_000, 0.0), (2.0, 10_000, 0.0005), (0.0, 10_000, 0.003), (-3.0, 5000, 0.05)]
        {
            let name = format!("white noise at {snr} dB S/N");
            self.say(&name);
            let line = |seed| LineBuilder::new(seed).noise_dbm0(noise_at(snr));
            let score = self.score(31, self.effort.trials(trials), &tones(-10.0), &line);
            self.missed(&name, &score, allowed);
        }
    }

    fn tones_and_echo(&mut self) {
        self.say("dial tones and echo");
        let count = self.effort.trials(1000);
        for hz in [&[350.0, 440.0][..], &[425.0], &[400.0]] {
            let line = |seed| LineBuilder::new(seed).tones(hz, -3.0, None);
            let score = self.score(41, count, &tones(-25.0), &line);
            self.missed(&format!("dial tone {hz:?} Hz, 22 dB above the digits"), &score, 0.0);
        }
        let mut echoes = Score::default();
        for delay in [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0] {
            let line = |seed| LineBuilder::new(seed).caller_echo(delay, 10.0);
            echoes.add(self.score(42, count, &tones(-10.0), &line));
        }
        self.missed("echo of 5 to 45 ms, 10 dB down", &echoes, 0.0);
        let score = self.score(43, count, &tones(-10.0), &|seed| LineBuilder::new(seed).caller_echo(30.0, 6.0));
        self.missed("echo of 30 ms, 6 dB down", &score, 1.0);
    }

    fn codecs_and_packets(&mut self) {
        self.say("codecs, packets, slips");
        let count = self.effort.trials(2000);
        for law in [Companding::ALaw, Companding::MuLaw] {
            let score = self.score(51, count, &tones(-20.0), &|seed| LineBuilder::new(seed).codec(law));
            self.missed(&format!("G.711 {law:?}"), &score, 0.0);
        }
        let line = |seed| LineBuilder::new(seed).packet_loss(0.05, 20.0);
        let score = self.score(52, self.effort.trials(10_000), &tones(-10.0).timing(80.0, 80.0), &line);
        self.missed("5 % of 20 ms packets lost, tones of 80 ms", &score, 0.002);
        let mut slips = Score::default();
        for batch in 0..count.div_ceil(BATCH) as u64 {
            let mut signal = Signal::random(5300 + batch, BATCH, &tones(-10.0).timing(46.0, 30.0));
            signal.slip();
            slips.add(Score::of(&signal, self.profile));
        }
        self.missed("sample slips in most tones, fast dialling", &slips, 0.01);
    }

    fn latency_and_rates(&mut self) {
        self.say("latency and rates");
        let line = |seed| LineBuilder::new(seed).noise_dbm0(noise_at(15.0));
        let score = self.score(61, self.effort.trials(2000), &tones(-10.0), &line);
        let (mean, most) = score.latency();
        // The targets are those of the default, which refuses tones of 23 ms; whoever refuses longer ones reports later.
        let later = self.profile.reject_tone_ms - Profile::default().reject_tone_ms;
        self.rows.push(Row {
            name: "onset to report at 15 dB S/N".to_owned(),
            target: format!("mean <= {} ms, at most {} ms", 27.0 + later, 33.0 + later),
            measured: format!("mean {mean:.1} ms, at most {most:.1} ms"),
            pass: mean <= 27.0 + later && most <= 33.0 + later && score.missed == 0,
            trials: score.sent,
            upper_bound: None,
        });
        for rate in [11_025, 16_000, 44_100, 48_000, 96_000, 192_000] {
            self.rate(rate);
        }
    }

    /// The same digits at the same times as at 8 kHz.
    fn rate(&mut self, rate: u32) {
        let digits: Vec<Digit> = Digit::all().collect();
        let heard = |rate: u32| {
            let config = GeneratorConfig { sample_rate: rate, lead_ms: 100.0, ..tones(-10.0) };
            let audio = generate(&digits, &config).expect("the configurations of this room are in range");
            hear(&audio, rate, self.profile)
        };
        let ms = |sample: u64, rate: u32| sample as f64 * 1000.0 / f64::from(rate);
        let (here, there) = (heard(RATE), heard(rate));
        let pairs = || here.iter().zip(&there);
        let same = here.len() == there.len() && pairs().all(|(a, b)| a.digit == b.digit);
        let times = |digit: &crate::dtmf::Detection| [digit.start, digit.end, digit.begin_reported];
        let apart = pairs()
            .flat_map(|(a, b)| times(a).into_iter().zip(times(b)))
            .map(|(a, b)| (ms(a, RATE) - ms(b, rate)).abs())
            .fold(0.0, f64::max);
        self.rows.push(Row {
            name: format!("the same at {rate} Hz"),
            target: "same digits, times within 2 ms".to_owned(),
            measured: format!("{} of {} digits, times within {apart:.1} ms", there.len(), here.len()),
            pass: same && apart <= 2.0,
            trials: digits.len(),
            upper_bound: None,
        });
    }

    fn silence(&mut self) {
        self.say("white noise alone");
        let minutes = self.effort.trials(600).min(60);
        let mut line = LineBuilder::new(71).noise_dbm0(-20.0).build(RATE);
        let found: usize =
            (0..minutes).map(|_| hear(&line.carry(&vec![0.0; 60 * RATE as usize]), RATE, self.profile).len()).sum();
        self.false_digits("false digits in white noise", found, minutes);
    }

    fn false_digits(&mut self, name: &str, found: usize, minutes: usize) {
        self.rows.push(Row {
            name: name.to_owned(),
            target: "none".to_owned(),
            measured: format!("{found} in {minutes} minutes"),
            pass: found == 0,
            trials: minutes,
            upper_bound: None,
        });
    }

    fn speech(&mut self, speech: &[f32]) {
        self.say("speech");
        let found = hear(speech, RATE, self.profile).len();
        self.false_digits("false digits in speech", found, speech.len() / (60 * RATE as usize));
        let active: Vec<f32> = speech.chunks_exact(160).filter(|block| loud(block)).flatten().copied().collect();
        let power = active.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / active.len().max(1) as f64;
        let level = crate::dtmf::level::dbm0((2.0 * power).sqrt());
        let active: std::sync::Arc<[f32]> = active.into();
        for (below, allowed) in [(8.0, 0.005), (4.0, 0.02)] {
            let line = |seed: u64| {
                let offset = seed as usize * 7919 % active.len().max(1);
                let turned: Vec<f32> = active[offset..].iter().chain(&active[..offset]).take(80_000).copied().collect();
                LineBuilder::new(seed).mix(turned.into(), -15.0 - below - level)
            };
            let score = self.score(81, self.effort.trials(3000), &tones(-15.0), &line);
            self.missed(&format!("prompt speech {below} dB below one tone"), &score, allowed);
        }
    }
}

/// Whether a block of 20 ms of speech is active: above -48 dB of full scale.
fn loud(block: &[f32]) -> bool {
    block.iter().map(|x| x * x).sum::<f32>() > 1e-5 * 160.0
}
