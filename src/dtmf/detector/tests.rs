mod held;
mod lost;
mod steady;

use super::*;
use crate::dtmf::{Digit, GeneratorConfig, Reason, generate};

fn events(audio: &[f32], rate: u32, block: usize) -> Vec<Event> {
    let mut detector = Detector::new(rate, &Profile::default()).unwrap();
    let mut events = Vec::new();
    audio.chunks(block).for_each(|chunk| detector.process(chunk, &mut |event| events.push(event)));
    detector.finish(&mut |event| events.push(event));
    events
}

fn heard(events: &[Event]) -> String {
    events.iter().filter_map(|e| if let Event::End(d) = e { Some(d.digit.as_char()) } else { None }).collect()
}

#[test]
fn all_digits_at_all_rates_with_equal_times() {
    let digits: Vec<Digit> = Digit::all().collect();
    for rate in [8000, 11025, 16000, 44100, 48000, 192_000] {
        let config = GeneratorConfig { sample_rate: rate, lead_ms: 100.0, ..Default::default() }.timing(50.0, 50.0);
        let found = events(&generate(&digits, &config).unwrap(), rate, 480);
        assert_eq!(heard(&found), "123A456B789C*0#D", "{rate} Hz");
        let ends = found.iter().filter_map(|e| if let Event::End(d) = e { Some(d) } else { None });
        for (index, digit) in ends.enumerate() {
            let ms = |sample: u64| sample as f64 * 1000.0 / f64::from(rate) - 100.0 * (index + 1) as f64;
            assert!(ms(digit.start).abs() < 2.0, "{rate} Hz, {digit:?}: start {}", ms(digit.start));
            assert!((ms(digit.end) - 50.0).abs() < 2.5, "{rate} Hz, {digit:?}: end {}", ms(digit.end));
            assert!(ms(digit.begin_reported) < 33.0, "{rate} Hz, {digit:?}: report {}", ms(digit.begin_reported));
        }
    }
}

#[test]
fn events_do_not_depend_on_blocks() {
    let mut rng = fastrand::Rng::with_seed(7);
    let config = GeneratorConfig { sample_rate: 11025, ..Default::default() }.timing(43.0, 37.0).twist(5.0);
    let mut audio = generate(&Digit::all().collect::<Vec<_>>(), &config).unwrap();
    audio.iter_mut().for_each(|x| *x += (rng.f32() - 0.5) * 0.1);
    let whole = events(&audio, 11025, audio.len());
    assert_eq!(heard(&whole).len(), 16);
    for block in [1, 7, 80, 160, 441, 4800] {
        assert_eq!(events(&audio, 11025, block), whole, "block of {block}");
    }
}

#[test]
fn events_depend_neither_on_the_registers_nor_on_the_sample_format() {
    let mut rng = fastrand::Rng::with_seed(8);
    for rate in [8000, 44_100] {
        let config = GeneratorConfig { sample_rate: rate, ..Default::default() }.timing(43.0, 37.0).twist(5.0);
        let clean = generate(&Digit::all().collect::<Vec<_>>(), &config).unwrap();
        let audio: Vec<i16> = clean.iter().map(|x| ((x + (rng.f32() - 0.5) * 0.1) * 32768.0) as i16).collect();
        let as_f32: Vec<f32> = audio.iter().map(|x| f32::from(*x) / 32768.0).collect();
        let whole = events(&as_f32, rate, 160);
        assert_eq!(heard(&whole).len(), 16);
        for simd in Simd::available() {
            let mut found = Vec::new();
            let mut detector = Detector::with(rate, &Profile::default(), simd);
            detector.process(&audio, &mut |event| found.push(event));
            detector.finish(&mut |event| found.push(event));
            assert_eq!(found, whole, "{rate} Hz, {simd:?}");
        }
    }
}

fn reasons(config: &GeneratorConfig) -> Vec<Reason> {
    let config = GeneratorConfig { lead_ms: 100.0, ..*config };
    let digits: Vec<Digit> = Digit::all().collect();
    let found = events(&generate(&digits, &config).unwrap(), config.sample_rate, 160);
    assert_eq!(heard(&found), "", "{config:?}");
    found.iter().filter_map(|e| if let Event::Rejected(miss) = e { Some(miss.reason) } else { None }).collect()
}

#[test]
fn samples_that_are_no_numbers_or_huge_spoil_nothing_but_themselves() {
    let config = GeneratorConfig { lead_ms: 100.0, ..Default::default() }.timing(50.0, 50.0);
    let clean = generate(&[Digit::at(1, 1); 8], &config).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1e30] {
        for at in [100, 2000, 2630] {
            let mut audio = clean.clone();
            audio[at..at + 3].fill(bad);
            let found = heard(&events(&audio, 8000, 160));
            assert!(found.len() >= 6 && found.chars().all(|digit| digit == '5'), "{bad} at {at}: {found}");
            assert_eq!(found, heard(&events(&audio, 8000, 1)), "{bad} at {at}");
        }
    }
}

#[test]
fn near_misses_tell_their_reason() {
    let base = GeneratorConfig::default().timing(60.0, 100.0);
    let cases = [
        (base.timing(20.0, 100.0), Reason::TooShort),
        (base.twist(13.0), Reason::Twist),
        (base.twist(-13.0), Reason::Twist),
        (GeneratorConfig { low_offset: 0.035, ..base }, Reason::Frequency),
        (GeneratorConfig { high_offset: -0.035, ..base }, Reason::Frequency),
        (base.level(-48.0), Reason::Level),
    ];
    for (config, reason) in cases {
        let told = reasons(&config);
        let right = told.iter().filter(|told| **told == reason).count();
        assert!(right >= 14 && told.len() <= 17, "{reason:?}: {told:?}");
    }
}

#[test]
fn an_echo_does_not_double_a_digit_and_a_short_gap_does_not_split_it() {
    let config = GeneratorConfig { lead_ms: 100.0, ..Default::default() }.timing(50.0, 50.0);
    let digits: Vec<Digit> = Digit::all().collect();
    let clean = generate(&digits, &config).unwrap();
    for delay in [40, 160, 240, 360] {
        let mut audio = clean.clone();
        (delay..audio.len()).for_each(|n| audio[n] += 0.316 * clean[n - delay]);
        assert_eq!(heard(&events(&audio, 8000, 160)), "123A456B789C*0#D", "echo after {delay} samples");
    }
    for (gap, expected) in [(10.0, "5"), (20.0, "5"), (30.0, "55")] {
        let twice = generate(&[Digit::at(1, 1); 2], &config.timing(50.0, gap)).unwrap();
        assert_eq!(heard(&events(&twice, 8000, 160)), expected, "gap of {gap} ms");
    }
}

#[test]
fn digits_that_share_a_tone_need_no_pause_between_them() {
    for ms in [40, 50, 70, 100] {
        let config = GeneratorConfig { lead_ms: 0.0, ..Default::default() }.timing(ms as f64, 0.0);
        for keys in ["123A2", "1470*", "147*0#D963A", "1212121", "5658525"] {
            let one = |key: char| generate(&[Digit::from_char(key).unwrap()], &config).unwrap();
            let audio = [vec![0.0; 2000], keys.chars().flat_map(one).collect(), vec![0.0; 2000]].concat();
            let found = events(&audio, 8000, 160);
            assert_eq!(heard(&found), keys, "{ms} ms each");
            let whole = found.iter().filter_map(|event| if let Event::End(digit) = event { Some(digit) } else { None });
            for (digit, start) in whole.zip((2000..).step_by(8 * ms)) {
                let (off, late) = (digit.start.abs_diff(start), digit.end.abs_diff(start + 8 * ms as u64));
                assert!(off <= 32 && late <= 32, "{keys}, {ms} ms each, from {start}: {digit:?}");
            }
        }
    }
}

#[test]
fn a_held_key_stays_one_whatever_comes_and_goes_beside_it() {
    let config = GeneratorConfig { lead_ms: 100.0, ..Default::default() }.timing(3000.0, 100.0).level(-15.0);
    for (key, hz, above_db) in [('1', 1336.0, 4.0), ('5', 852.0, 4.0), ('9', 1336.0, 3.0), ('#', 697.0, 6.0)] {
        let mut audio = generate(&[Digit::from_char(key).unwrap()], &config).unwrap();
        let amplitude = crate::dtmf::level::amplitude(above_db - 15.0);
        for (n, sample) in audio.iter_mut().enumerate().filter(|(n, _)| n % 2000 >= 1500) {
            *sample += (amplitude * (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin()) as f32;
        }
        assert_eq!(heard(&events(&audio, 8000, 160)), key.to_string(), "{hz} Hz, {above_db} dB above");
    }
}

/// Each digit for 50 ms, and again after a gap, so many dB weaker; what was heard, and why others were refused.
fn again(gap_ms: f64, weaker_db: f64) -> (String, Vec<Reason>) {
    let config = GeneratorConfig::default().timing(50.0, gap_ms).level(-10.0);
    let pair = |digit: Digit| {
        let mut audio = generate(&[digit; 2], &config).unwrap();
        let second = ((config.lead_ms + 50.0 + 0.5 * gap_ms) * 8.0) as usize;
        audio[second..].iter_mut().for_each(|sample| *sample *= 10f32.powf(-0.05 * weaker_db as f32));
        audio.extend([0.0; 2400]);
        audio
    };
    let events = events(&Digit::all().flat_map(pair).collect::<Vec<_>>(), 8000, 160);
    let reason = |event: &Event| if let Event::Rejected(miss) = event { Some(miss.reason) } else { None };
    (heard(&events), events.iter().filter_map(reason).collect())
}

#[test]
fn a_key_pressed_again_more_softly_is_a_key_and_a_far_weaker_one_is_told_as_an_echo() {
    let twice = "112233AA445566BB778899CC**00##DD";
    for (gap_ms, weaker_db) in [(32.0, 8.0), (50.0, 11.0), (80.0, 15.0), (110.0, 25.0)] {
        let (heard, refused) = again(gap_ms, weaker_db);
        assert_eq!((heard.as_str(), refused), (twice, vec![]), "{gap_ms} ms, {weaker_db} dB");
    }
    for (gap_ms, weaker_db) in [(32.0, 15.0), (60.0, 20.0)] {
        let (heard, refused) = again(gap_ms, weaker_db);
        assert_eq!((heard.as_str(), refused), ("123A456B789C*0#D", vec![Reason::Echo; 16]), "{gap_ms} ms");
    }
}

/// 16 digits of 50 ms at -25 dBm0 under steady tones of (Hz, dB above a tone of the digits).
fn under(steady: &[(f64, f64)]) -> String {
    let config = GeneratorConfig { lead_ms: 200.0, ..Default::default() }.timing(50.0, 50.0).level(-25.0);
    let mut audio = generate(&Digit::all().collect::<Vec<_>>(), &config).unwrap();
    for (n, sample) in audio.iter_mut().enumerate() {
        for (hz, db) in steady {
            let amplitude = crate::dtmf::level::amplitude(db - 25.0);
            *sample += (amplitude * (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin()) as f32;
        }
    }
    heard(&events(&audio, 8000, 160))
}

#[test]
fn a_dial_tone_of_any_level_does_not_hide_the_digits() {
    for db in [-10.0, -4.0, 0.0, 4.0, 8.0, 12.0, 16.0, 19.0, 22.0] {
        assert_eq!(under(&[(425.0, db)]), "123A456B789C*0#D", "425 Hz, {db} dB");
        assert_eq!(under(&[(350.0, db), (440.0, db)]), "123A456B789C*0#D", "350 + 440 Hz, {db} dB");
    }
}

#[test]
fn a_note_and_its_octave_are_no_key() {
    for hz in [680.0f64, 683.0, 752.0, 755.0, 832.0, 835.0] {
        let note = |n: usize| {
            let partial = |k: usize| (std::f64::consts::TAU * hz * k as f64 * n as f64 / 8000.0).sin() / k as f64;
            if n < 1600 { 0.0 } else { 0.1 * (partial(1) + partial(2)) as f32 }
        };
        let audio: Vec<f32> = (0..8000).map(note).collect();
        assert_eq!(heard(&events(&audio, 8000, 160)), "", "{hz} Hz");
    }
}

/// How many of 60 digits, 6 dB below noise, are heard so long after a clear one.
fn faint_ones_heard_after(seconds: f64) -> usize {
    let mut rng = fastrand::Rng::with_seed(11);
    let key = |digit: Digit, lead_ms: f64, level: f64| {
        let config = GeneratorConfig { lead_ms, ..GeneratorConfig::default() }.timing(50.0, 100.0).level(level);
        generate(&[digit], &config).unwrap()
    };
    let (clear, faint) = (key(Digit::at(0, 0), 3000.0, 0.0), key(Digit::at(1, 1), 1000.0 * seconds, -23.0));
    let mut samples: Vec<f32> = (0..60).flat_map(|_| [&clear[..], &faint]).flatten().copied().collect();
    samples.iter_mut().for_each(|sample| *sample += 0.34 * (rng.f32() - 0.5));
    heard(&events(&samples, 8000, 160)).matches('5').count()
}

#[test]
fn soon_after_a_digit_a_faint_one_is_likelier_to_be_heard() {
    let (soon, late) = (faint_ones_heard_after(0.2), faint_ones_heard_after(2.5));
    assert!(soon >= late + 5 && soon <= 60 && late > 10, "{soon} soon, {late} late");
}

#[test]
fn a_digit_open_at_the_end_of_the_stream_is_closed_within_it() {
    let config = GeneratorConfig { lead_ms: 50.0, ..Default::default() }.timing(60.0, 0.0);
    let audio = generate(&[Digit::at(2, 2)], &config).unwrap();
    let found = events(&audio, 8000, 160);
    assert_eq!(heard(&found), "9");
    for event in found {
        if let Event::End(digit) = event {
            assert!(digit.end_reported <= audio.len() as u64 && digit.end.abs_diff(880) < 24, "{digit:?}");
        }
    }
}

#[test]
fn measurements_are_those_of_the_tones() {
    let config =
        GeneratorConfig { low_dbm0: -12.0, high_dbm0: -17.0, low_offset: 0.01, lead_ms: 50.0, ..Default::default() };
    let found = events(&generate(&[Digit::at(3, 2)], &config).unwrap(), 8000, 160);
    let Some(Event::Begin(begin)) = found.first() else { panic!("{found:?}") };
    assert!(begin.start.abs_diff(400) < 12, "{begin:?}");
    let Some(Event::End(digit)) = found.last() else { panic!("{found:?}") };
    let measured = digit.measured;
    assert!((measured.low_dbm0 + 12.0).abs() < 0.3 && (measured.high_dbm0 + 17.0).abs() < 0.3, "{measured:?}");
    assert!((measured.twist_db() - 5.0).abs() < 0.4, "{measured:?}");
    assert!((measured.low_hz - 941.0 * 1.01).abs() < 1.0 && (measured.high_hz - 1477.0).abs() < 1.0, "{measured:?}");
}

#[test]
fn rates_outside_the_range_are_refused() {
    let error = Detector::new(2000, &Profile::default()).err().unwrap();
    assert!(error.to_string().contains("4000 to 192000"));
}

/// Sound of keys, each with its beginning and length in ms and its level per tone in dBm0, changing by so many dB over it.
fn keys(keys: &[(char, f64, f64, f64, f64)]) -> Vec<f32> {
    let mut audio = vec![0f32; 8 * 600];
    for (key, start_ms, length_ms, dbm0, change_db) in keys {
        let digit = Digit::from_char(*key).unwrap();
        let length = (8.0 * length_ms) as usize;
        for n in 0..length {
            let level = crate::dtmf::level::amplitude(dbm0 + change_db * n as f64 / length as f64);
            let wave = |hz: f64| (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin();
            audio[(8.0 * start_ms) as usize + n] += (level * (wave(digit.low_hz()) + wave(digit.high_hz()))) as f32;
        }
    }
    audio
}

#[test]
fn a_much_louder_key_that_shares_a_tone_with_the_one_before_it_is_heard() {
    let (mut sent, mut missed) = (0, 0);
    for (first, second) in [('1', '2'), ('5', '8'), ('9', '#'), ('A', '1'), ('4', '6'), ('0', '5')] {
        for gap_ms in [5.0, 12.0, 20.0, 28.0] {
            for louder_db in [10.0, 15.0, 20.0] {
                let sound =
                    keys(&[(first, 100.0, 50.0, -28.0, 0.0), (second, 150.0 + gap_ms, 50.0, louder_db - 28.0, 0.0)]);
                sent += 1;
                missed += u32::from(heard(&events(&sound, 8000, 160)) != format!("{first}{second}"));
            }
        }
    }
    assert_eq!(missed, 0, "of {sent}");
}

#[test]
fn a_key_whose_level_changes_is_heard_soon() {
    for (key, length_ms, change_db) in
        [('5', 60.0, -14.0f64), ('1', 60.0, -14.0), ('#', 50.0, -12.0), ('9', 50.0, 10.0)]
    {
        let found = events(&keys(&[(key, 100.0, length_ms, -8.0 - change_db.max(0.0), change_db)]), 8000, 160);
        assert_eq!(heard(&found), key.to_string(), "{change_db} dB");
        let Some(Event::Begin(begin)) = found.first() else { panic!("{found:?}") };
        assert!(begin.reported < 8 * 140, "{change_db} dB: {begin:?}");
    }
}

#[test]
fn a_key_ends_whatever_is_no_number_in_it_and_none_begins_before_the_one_before_it_ends() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        for at in (0..60).map(|ms| 8 * (100 + ms)) {
            let mut sound = keys(&[('1', 100.0, 60.0, -10.0, 0.0), ('4', 300.0, 60.0, -10.0, 0.0)]);
            sound[at] = bad;
            let found = events(&sound, 8000, 160);
            let begun = found.iter().filter(|event| matches!(event, Event::Begin(_))).count();
            let ended = heard(&found).len();
            assert!(begun == ended && heard(&found).ends_with('4'), "{bad} at {at}: {found:?}");
        }
    }
    for gap_ms in 0..12 {
        let sound = keys(&[('1', 100.0, 50.0, -8.0, 0.0), ('2', 150.0 + f64::from(gap_ms), 60.0, -22.0, 0.0)]);
        let mut end = 0;
        for event in events(&sound, 8000, 160) {
            match event {
                Event::Begin(begin) => assert!(begin.start >= end, "{gap_ms} ms: {begin:?}"),
                Event::End(digit) => end = digit.end,
                Event::Rejected(_) => {}
            }
        }
    }
}

#[test]
fn keys_that_share_a_tone_and_have_no_pause_are_told_one_after_the_other() {
    let mut rng = fastrand::Rng::with_seed(15);
    let (mut at, mut previous) = (100.0, Digit::at(0, 0));
    let mut audio = vec![0f32; 8000 * 400];
    while at < 395_000.0 {
        let (row, column, length_ms) = (previous.row(), previous.column(), 60.0 + 12.0 * rng.f64());
        let other = rng.usize(1..4);
        let digit =
            if rng.bool() { Digit::at(row, (column + other) % 4) } else { Digit::at((row + other) % 4, column) };
        let off = 1.0 + 0.012 * (rng.f64() - 0.5);
        let levels = [0, 1].map(|_| crate::dtmf::level::amplitude(-10.0 - 6.0 * rng.f64()));
        let phases = [rng.f64(), rng.f64()];
        for n in 0..(8.0 * length_ms) as usize {
            let wave = |hz: f64, phase: f64| (std::f64::consts::TAU * (off * hz * n as f64 / 8000.0 + phase)).sin();
            let both = levels[0] * wave(digit.low_hz(), phases[0]) + levels[1] * wave(digit.high_hz(), phases[1]);
            audio[(8.0 * at) as usize + n] = both as f32;
        }
        (at, previous) = (at + length_ms, digit);
    }
    audio.iter_mut().for_each(|sample| *sample += 0.01 * (rng.f32() - 0.5));
    let (mut end, mut count) = (0, 0);
    for event in events(&audio, 8000, 160) {
        match event {
            Event::Begin(begin) => assert!(begin.start >= end, "the one before ended at {end}: {begin:?}"),
            Event::End(digit) => {
                assert!(digit.end >= digit.start, "{digit:?}");
                (end, count) = (digit.end, count + 1);
            }
            Event::Rejected(_) => {}
        }
    }
    assert!(count > 5000, "{count}");
}
