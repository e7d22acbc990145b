//! Any samples, at any rate, by any profile: the same events however they are cut, with times in order and finite figures.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tonopago::dtmf::{Detector, Event, Measurement, Profile, RATES_HZ, Sample};
use tonopago_fuzz::pieces::Lengths;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Bit 0: floating point. The rest chooses the profile.
    form: u8,
    sample_rate: u32,
    sound: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let Input { form, sample_rate, sound } = input;
    let profile = Profile::named(Profile::NAMES[usize::from(form >> 1) % Profile::NAMES.len()]).expect("it has a name");
    let known = RATES_HZ.contains(&sample_rate);
    assert_eq!(Detector::new(sample_rate, &profile).is_ok(), known);
    // Rates that mean nothing are soon tried; most inputs are heard at one that does.
    let sample_rate = if known { sample_rate } else { 8000 };
    if form & 1 == 0 {
        let samples: Vec<i16> = sound.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        check(sample_rate, &profile, &samples, sound);
    } else {
        let samples: Vec<f32> = sound.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        check(sample_rate, &profile, &samples, sound);
    }
});

fn check<S: Sample>(sample_rate: u32, profile: &Profile, samples: &[S], sound: &[u8]) {
    let whole = heard(sample_rate, profile, [samples]);
    assert_eq!(whole, heard(sample_rate, profile, cut(samples, sound)));
    let mut begun = None;
    for event in whole {
        match event {
            Event::Begin(begin) => {
                assert!(begin.start <= begin.reported && begun.is_none(), "{begin:?} after {begun:?}");
                begun = Some((begin.digit, begin.start, begin.reported));
            }
            Event::End(digit) => {
                assert_eq!(begun.take(), Some((digit.digit, digit.start, digit.begin_reported)), "{digit:?}");
                assert!(digit.start <= digit.end && digit.end <= digit.end_reported, "{digit:?}");
                assert!(digit.begin_reported <= digit.end_reported, "{digit:?}");
                finite(&digit.measured);
            }
            Event::Rejected(miss) => {
                assert!(miss.start <= miss.end && miss.end <= miss.reported, "{miss:?}");
                finite(&miss.measured);
            }
        }
    }
    assert_eq!(begun, None, "every digit ends");
}

fn heard<'a, S: Sample + 'a>(
    sample_rate: u32,
    profile: &Profile,
    blocks: impl IntoIterator<Item = &'a [S]>,
) -> Vec<Event> {
    let mut detector = Detector::new(sample_rate, profile).expect("the rate and the profile are kept");
    let (mut events, mut given) = (Vec::new(), 0);
    for block in blocks {
        given += block.len() as u64;
        detector.process(block, &mut |event| events.push(event));
        assert_eq!(detector.position(), given);
    }
    detector.finish(&mut |event| events.push(event));
    let late = |event: &&Event| match event {
        Event::Begin(begin) => begin.reported > given,
        Event::End(digit) => digit.end_reported > given,
        Event::Rejected(miss) => miss.reported > given,
    };
    assert_eq!(events.iter().find(late), None, "nothing is told of what was not heard");
    events
}

fn cut<'a, S>(samples: &'a [S], sound: &[u8]) -> Vec<&'a [S]> {
    let (mut lengths, mut rest, mut blocks) = (Lengths::of(sound), samples, Vec::new());
    while !rest.is_empty() {
        let (block, behind) = rest.split_at(lengths.next().min(rest.len()));
        blocks.push(block);
        rest = behind;
    }
    blocks
}

fn finite(measured: &Measurement) {
    let Measurement { low_dbm0, high_dbm0, low_hz, high_hz, snr_db } = *measured;
    assert!([low_dbm0, high_dbm0, low_hz, high_hz, snr_db].iter().all(|figure| figure.is_finite()), "{measured:?}");
}
