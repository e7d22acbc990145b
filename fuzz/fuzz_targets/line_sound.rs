//! What a line gives, of 16 bits or floating point: everything behind it stays finite and does not depend on how it is cut.
//! Resampling gives as many samples as its rates make.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tonopago::audio::{EchoCanceller, MOST_ECHO_SAMPLES, Resampler, SAMPLE_RATES};
use tonopago::progress::{Country, Progress};
use tonopago_fuzz::pieces::Lengths;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Bit 0: floating point. The rest chooses the country.
    form: u8,
    from: u32,
    to: u32,
    /// How late the line gives back what was said, in samples.
    echo: u16,
    sound: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let Input { form, from, to, echo, sound } = input;
    let samples: Vec<f32> = if form & 1 == 0 {
        sound.as_chunks().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0).collect()
    } else {
        // As the call's engine and the readers of recordings let them through.
        let floats = sound.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four));
        floats.map(|sample| if sample.is_finite() { sample.clamp(-1e6, 1e6) } else { 0.0 }).collect()
    };
    let cuts = || Cuts { rest: &samples, lengths: Lengths::of(sound) };
    progress(form >> 1, &samples, cuts());
    cancel(usize::from(echo), &samples);
    if SAMPLE_RATES.contains(&from) && SAMPLE_RATES.contains(&to) {
        resample(from, to, &samples, cuts());
    }
});

/// The samples in blocks.
struct Cuts<'a> {
    rest: &'a [f32],
    lengths: Lengths,
}

impl<'a> Iterator for Cuts<'a> {
    type Item = &'a [f32];

    fn next(&mut self) -> Option<&'a [f32]> {
        let (block, behind) = self.rest.split_at(self.lengths.next().min(self.rest.len()));
        self.rest = behind;
        (!block.is_empty()).then_some(block)
    }
}

fn progress(country: u8, samples: &[f32], cuts: Cuts<'_>) {
    let countries: Vec<_> = Country::names().collect();
    let country = Country::named(countries[usize::from(country) % countries.len()]).expect("it has a name");
    let mut whole = Progress::new(country);
    let singly: Vec<_> = samples.iter().filter_map(|sample| whole.process(&[*sample])).collect();
    let mut cut = Progress::new(country);
    // Of several in a block, the first is told.
    let told: Vec<_> = cuts.filter_map(|block| cut.process(block)).collect();
    assert!(told.iter().all(|heard| singly.contains(heard)) && told.first() == singly.first(), "{told:?} {singly:?}");
}

/// What is said is the sound; the line gives the sound of a while ago.
fn cancel(echo: usize, samples: &[f32]) {
    let mut canceller = EchoCanceller::new();
    let mut line: Vec<f32> = std::iter::repeat_n(0.0, echo % 4000).chain(samples.iter().copied()).collect();
    for (said, line) in samples.chunks(MOST_ECHO_SAMPLES).zip(line.chunks_mut(MOST_ECHO_SAMPLES)) {
        canceller.process(said, &mut line[..said.len()]);
        assert!(line.iter().all(|sample| sample.is_finite()) && canceller.enhancement_db().is_finite());
    }
}

fn resample(from: u32, to: u32, samples: &[f32], cuts: Cuts<'_>) {
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let mut resampler = Resampler::new(from, to);
    resampler.process(samples, &mut whole);
    resampler.finish(&mut whole);
    let mut resampler = Resampler::new(from, to);
    for block in cuts {
        let (before, most) = (cut.len(), resampler.most_output(block.len()));
        resampler.process(block, &mut cut);
        assert!(cut.len() - before <= most, "{} of at most {most}", cut.len() - before);
    }
    resampler.finish(&mut cut);
    assert_eq!(whole, cut);
    assert!(whole.iter().all(|sample| sample.is_finite()));
    assert_eq!(whole.len() as u64, (samples.len() as u64 * u64::from(to)).div_ceil(u64::from(from)));
}
