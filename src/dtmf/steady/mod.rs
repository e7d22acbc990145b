//! Steady tones beside those of a keypad: a busy tone, a fax that calls, a beep, a test tone. Once such a tone has sounded long
//! enough to be known, what it will be in the next samples is taken out of them, as long as it goes on: digits under it are
//! heard as without it.

mod search;

use super::front_end::{HOP, WORKING_RATE};
use super::kernel::{SHORT_SAMPLES, TONES, tone_hz};
use super::simd::{Kernel, LANES, Simd, Vector};
use super::waves::{Dot, Energy, Wave};
use search::{Phasors, even_energy, is_strong, search};
use std::f64::consts::TAU;
use std::ops::Range;

/// Filtered samples after which a known tone is measured again and others are looked for: 64 ms.
const BLOCK: usize = 256;
const _: () = assert!(BLOCK.is_multiple_of(HOP));
/// Blocks a tone must have sounded to be known: 192 ms, longer than most keys are held. A keypad's own tones never count.
const BLOCKS: usize = 3;
/// Filtered samples looked back at.
pub(crate) const LOOK_BACK: usize = BLOCKS * BLOCK;
/// From the middle of a block to the sample behind it.
const TO_NEXT: f64 = 0.5 * (BLOCK + 1) as f64;
/// Tones known at the same time, at most.
const MOST: usize = 4;
/// How near to a nominal frequency a tone may be a keypad's, as a part of it.
const KEYPADS: f64 = 0.04;
/// Two tones nearer than this in Hz are one.
const SAME_HZ: f64 = 25.0;
/// Part of what a block shows to be wrong with a tone's amplitude and phase that is put right, and with its frequency.
const PUT_RIGHT: f64 = 0.6;
const PUT_RIGHT_STEP: f64 = 0.15;
/// A tone of which this part of its amplitude is wrong over a block was not there, or not all the time.
const WRONG: f64 = 0.5;
/// By how much, as a part of it, the amplitude may differ of a tone that is the same in another phase: 2 dB.
const SAME_LEVEL: f64 = 0.25;
/// Part of a tone's energy that a sub-block has if the tone is gone, and what else sounds is far weaker.
const GONE: f32 = 0.1;
/// Blocks in a row after which such a tone is forgotten: 256 ms.
const FORGOTTEN: u32 = 4;
/// Energy of a block in which nothing is known any more, in that of a silence of 24 ms: any block of a silence that is passed over has
/// less, so that it does not matter whether it was.
const QUIET: f32 = BLOCK.div_ceil(2 * SHORT_SAMPLES) as f32;
/// Sub-blocks that must speak for a tone before it is taken out again, and against it before it is let be: 8 ms. A key's tone near
/// by speaks for or against it for as long at most. And the same once a block was wrong: 24 ms.
const CERTAIN: f32 = 2.0;
const DOUBTFUL: f32 = 6.0;

/// A tone that goes on, or has done so.
#[derive(Clone, Copy, Debug)]
struct Tone {
    /// Radians a filtered sample.
    step: f64,
    /// Radians at the next filtered sample.
    phase: f64,
    /// Peak amplitude, as filtered.
    amplitude: f64,
    /// By how many sub-blocks more spoke for it than against it: while it is more than none, the tone is taken out.
    there: f32,
    /// Blocks in a row over which it was wrong.
    wrong: u32,
}

impl Tone {
    fn new(step: f64, phase: f64, amplitude: f64) -> Self {
        Self { step, phase, amplitude, there: CERTAIN, wrong: 0 }
    }

    fn hz(&self) -> f64 {
        self.step * f64::from(WORKING_RATE) / TAU
    }

    /// Takes it out of a sub-block, if it is there, and out of `rest` in any case, and goes on behind them. What the sub-block, of so
    /// much energy before anything was taken out, says of that counts for the next one.
    fn hear(&mut self, sub_block: &mut [f32; HOP], rest: &mut [f32; HOP], heard: f32, simd: Simd) {
        let tone = simd.run(Write { tone: self });
        let energy = simd.run(Energy(&tone)).max(f32::MIN_POSITIVE);
        let with = simd.run(Dot(sub_block, &tone));
        if self.there > 0.0 {
            take(sub_block, &tone);
        }
        take(rest, &tone);
        // 1 if the tone is there and nothing else, -1 if it is not.
        let speaks = (2.0 * with / energy - 1.0).clamp(-1.0, 1.0);
        let least = if self.wrong > 0 { -DOUBTFUL } else { -CERTAIN };
        // Where there is far less than the tone, it is gone at once.
        let most = if heard < GONE * energy { 0.0 } else { CERTAIN };
        self.there = if speaks.is_nan() { least } else { (self.there + speaks).clamp(least, most) };
        self.phase = (self.phase + HOP as f64 * self.step) % TAU;
    }

    /// Puts right what was left of it in the last block. Whether it is still one to be known.
    fn put_right(&mut self, rest: &[f32; BLOCK], simd: Simd) -> bool {
        let [[re, im]] = simd.run(Phasors::<1> { samples: rest, step: self.step as f32 });
        // As seen from the tone itself.
        let (sin, cos) = (self.phase - TO_NEXT * self.step).sin_cos();
        let (re, im) = (f64::from(re), f64::from(im));
        let [ahead, across] = [re * cos + im * sin, im * cos - re * sin].map(|part| part / self.amplitude);
        let level = (1.0 + ahead).hypot(across);
        if ahead.hypot(across) < WRONG {
            self.amplitude *= 1.0 + PUT_RIGHT * ahead;
            self.phase += PUT_RIGHT * across;
            self.step += PUT_RIGHT_STEP * across / BLOCK as f64;
            self.wrong = 0;
        } else {
            // It is as loud as it was, but early or late: some of the sound was lost on its way.
            if (1.0 - level).abs() < SAME_LEVEL {
                self.phase += across.atan2(1.0 + ahead);
            }
            self.wrong += 1;
        }
        self.wrong < FORGOTTEN && !self.may_be_a_keypads()
    }

    fn may_be_a_keypads(&self) -> bool {
        self.is_near_one_of(0..TONES)
    }

    /// Whether it may be one of some of a keypad's tones.
    fn is_near_one_of(&self, mut tones: Range<usize>) -> bool {
        tones.any(|tone| (self.hz() - tone_hz(tone)).abs() < KEYPADS * tone_hz(tone))
    }
}

fn take(samples: &mut [f32], tone: &[f32; HOP]) {
    samples.iter_mut().zip(tone).for_each(|(sample, tone)| *sample -= tone);
}

/// The steady tones of a stream that are known.
pub(crate) struct SteadyTones {
    tones: Vec<Tone>,
    /// What all of them leave of the block being heard.
    rest: Box<[f32; BLOCK]>,
    /// Energy of that block, with them.
    energy: f32,
    /// Energy of two short windows that means nothing if there is less.
    silence: f32,
    /// The filtered sample from which on all were heard.
    since: u64,
}

impl SteadyTones {
    /// Nothing is looked for where two short windows have less energy than `silence`.
    pub(crate) fn new(silence: f32) -> Self {
        Self { tones: Vec::with_capacity(MOST), rest: Box::new([0.0; BLOCK]), energy: 0.0, silence, since: 0 }
    }

    /// Begins anew with a filtered sample: those before it were passed over.
    pub(crate) fn begin_at(&mut self, first: u64) {
        self.tones.clear();
        self.since = first;
    }

    /// Whether so many samples from `first` on make a difference: a tone is known, or a block ends among them.
    #[inline]
    pub(crate) fn wants(&self, new: usize, first: u64) -> bool {
        !self.tones.is_empty() || first as usize % BLOCK + new >= BLOCK
    }

    /// Takes known tones out of the last filtered samples, which are whole sub-blocks from `first` on; [`LOOK_BACK`] before them are
    /// there, too. The energy of a short window that ended so many sub-blocks before them is known.
    pub(crate) fn hear(
        &mut self,
        samples: &mut [f32],
        new: usize,
        first: u64,
        short_energy: impl Fn(usize) -> f32,
        simd: Simd,
    ) {
        let (mut begin, mut heard) = (samples.len() - new, first);
        while begin < samples.len() {
            let within = heard as usize % BLOCK;
            let end = samples.len().min(begin + BLOCK - within);
            heard += (end - begin) as u64;
            if !self.tones.is_empty() {
                self.take_out(&mut samples[begin..end], within, simd);
            }
            if heard.is_multiple_of(BLOCK as u64) && heard >= self.since + LOOK_BACK as u64 {
                let known = (samples.len() - new - (end - LOOK_BACK)) / HOP;
                self.look(&samples[end - LOOK_BACK..end], |hops| short_energy(known - hops), simd);
            }
            begin = end;
        }
    }

    /// Takes known tones out of samples behind those heard, up to a sub-block of them, which will be heard again.
    #[inline]
    pub(crate) fn peek(&self, samples: &mut [f32], simd: Simd) {
        for tone in self.tones.iter().filter(|tone| tone.there > 0.0) {
            take(samples, &simd.run(Write { tone }));
        }
    }

    /// Takes the tones out of sub-blocks, so many samples behind the beginning of a block.
    fn take_out(&mut self, samples: &mut [f32], within: usize, simd: Simd) {
        let rest = self.rest[within..].as_chunks_mut::<HOP>().0;
        for (sub_block, rest) in samples.as_chunks_mut::<HOP>().0.iter_mut().zip(rest) {
            *rest = *sub_block;
            let heard = simd.run(Energy(rest));
            self.energy += heard;
            self.tones.iter_mut().for_each(|tone| tone.hear(sub_block, rest, heard, simd));
        }
    }

    /// Looks at what was left of the tones in the last block, and for others in samples of which this is known: see [`even_energy`].
    fn look(&mut self, samples: &[f32], known_energy: impl Fn(usize) -> f32, simd: Simd) {
        let (rest, is_quiet) = (&self.rest, self.energy < QUIET * self.silence);
        self.tones.retain_mut(|tone| tone.put_right(rest, simd) && !is_quiet);
        self.energy = 0.0;
        if let Some(energy) = even_energy(samples, self.silence, known_energy, simd) {
            self.add_steady(samples, energy, simd);
        }
    }

    /// Adds what is steady and no keypad's. What sounds together with a row and a column is one sound with them: a chord, of which two
    /// tones would be taken for a key if the others were taken out.
    #[cold]
    fn add_steady(&mut self, samples: &[f32], energy: f32, simd: Simd) {
        let (mut has_row, mut has_column) = (false, false);
        let mut found = [None; MOST];
        let mut places = found.iter_mut();
        for tone in search(samples, energy, simd) {
            has_row |= tone.is_near_one_of(0..4);
            has_column |= tone.is_near_one_of(4..8);
            if !tone.may_be_a_keypads()
                && is_strong(&tone, energy)
                && let Some(place) = places.next()
            {
                *place = Some(tone);
            }
        }
        if !(has_row && has_column) {
            found.into_iter().flatten().for_each(|tone| self.add(tone));
        }
    }

    /// Adds a tone, in the order of their amplitudes: what is stronger is taken out first.
    fn add(&mut self, tone: Tone) {
        let is_same = |known: &Tone| (known.hz() - tone.hz()).abs() < SAME_HZ;
        // One that is known and was not there comes back with another phase.
        self.tones.retain(|known| !(is_same(known) && known.wrong > 0));
        if self.tones.len() < MOST && !self.tones.iter().any(is_same) {
            let place = self.tones.partition_point(|known| known.amplitude > tone.amplitude);
            self.tones.insert(place, tone);
        }
    }
}

/// The samples of a tone in the next sub-block.
struct Write<'a> {
    tone: &'a Tone,
}

impl Kernel for Write<'_> {
    type Output = [f32; HOP];

    #[inline(always)]
    fn run<V: Vector>(self) -> [f32; HOP] {
        let Self { tone } = self;
        let (mut samples, amplitude) = ([0.0; HOP], V::splat(tone.amplitude as f32));
        let mut wave = Wave::<V>::at(tone.step as f32, tone.phase as f32);
        for samples in samples.as_chunks_mut::<LANES>().0 {
            (amplitude * wave.cos).store(samples);
            wave.go_on();
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::front_end::MOST as READY;

    const SILENCE: f32 = 1e-6;

    /// What is left of filtered samples, heard in parts of up to so many sub-blocks.
    fn left_of(sound: &[f32], hops: usize, simd: Simd) -> Vec<f32> {
        let mut steady = SteadyTones::new(SILENCE);
        let mut samples = vec![0.0; LOOK_BACK];
        for part in sound.chunks(hops * HOP) {
            let first = samples.len() - LOOK_BACK;
            let before = samples.clone();
            let short_energy = |back: usize| {
                let end = before.len() - back * HOP;
                before[end - SHORT_SAMPLES..end].iter().map(|x| x * x).sum()
            };
            samples.extend(part);
            steady.hear(&mut samples, part.len(), first as u64, short_energy, simd);
        }
        samples.split_off(LOOK_BACK)
    }

    fn tone(hz: f64, n: usize) -> f32 {
        (TAU * hz * n as f64 / 4000.0 + 0.3).cos() as f32
    }

    fn level(samples: &[f32]) -> f32 {
        (2.0 * samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
    }

    /// So many ms in filtered samples.
    fn ms(ms: usize) -> usize {
        4 * ms
    }

    #[test]
    fn a_tone_that_goes_on_is_40_db_down_after_256_ms_and_gone_soon_after_it_ends() {
        for hz in [480.0, 620.0, 1000.0, 1100.0, 1400.0, 1800.0, 1900.0] {
            for late in [0, 5, 16, 30] {
                let (begin, end) = (ms(100 + late), ms(1200 + late));
                let sound: Vec<f32> =
                    (0..ms(1500)).map(|n| if (begin..end).contains(&n) { 0.1 * tone(hz, n) } else { 0.0 }).collect();
                let left = left_of(&sound, READY / HOP, Simd::detect());
                let known = level(&left[begin + ms(260)..end - HOP]);
                assert!(known < 1e-3, "{hz} Hz, {late} ms late: {known}");
                assert_eq!(left[end + ms(20)..], sound[end + ms(20)..], "{hz} Hz, {late} ms late");
            }
        }
    }

    #[test]
    fn a_keypads_tones_are_never_taken_out() {
        for hz in (0..8).map(tone_hz).flat_map(|hz| [0.965 * hz, 0.982 * hz, hz, 1.018 * hz, 1.035 * hz]) {
            let sound: Vec<f32> = (0..ms(1000)).map(|n| 0.1 * tone(hz, n)).collect();
            assert_eq!(left_of(&sound, READY / HOP, Simd::detect()), sound, "{hz} Hz");
        }
    }

    #[test]
    fn a_tone_that_glides_among_a_keypads_is_taken_out_no_more() {
        let glide = |n: usize| {
            let time = n as f64 / 4000.0;
            0.1 * (TAU * (984.0 - 0.5 * time) * time).cos() as f32
        };
        // By 1 Hz a second: at 978.64 Hz, where those of a keypad end, after 5.4 s.
        let sound: Vec<f32> = (0..ms(7000)).map(glide).collect();
        let left = left_of(&sound, READY / HOP, Simd::detect());
        assert!(level(&left[ms(4500)..ms(5000)]) < 0.03, "{}", level(&left[ms(4500)..ms(5000)]));
        assert_eq!(left[ms(6000)..], sound[ms(6000)..]);
    }

    #[test]
    fn what_is_not_steady_is_left_alone() {
        let mut rng = fastrand::Rng::with_seed(12);
        let noise = |_| 0.1 * (rng.f32() - 0.5);
        let glide = |n: usize| 0.1 * (TAU * (1000.0 + 0.01 * n as f64) * n as f64 / 4000.0).cos() as f32;
        let decay = |n: usize| 0.1 * tone(1000.0, n) * (-(n as f32) / 800.0).exp();
        let (noise, glide, decay): (Vec<_>, Vec<_>, Vec<_>) = (
            (0..ms(2000)).map(noise).collect(),
            (0..ms(1000)).map(glide).collect(),
            (0..ms(1000)).map(decay).collect(),
        );
        for (what, sound) in [("noise", noise), ("a glide of 80 Hz a second", glide), ("a note of a bell", decay)] {
            assert_eq!(left_of(&sound, READY / HOP, Simd::detect()), sound, "{what}");
        }
    }

    #[test]
    fn a_tone_stays_known_while_its_level_wanders_and_others_come_and_go() {
        let swells = |n: usize| 1.0 + 0.1 * (TAU * n as f64 / 4000.0).sin() as f32;
        let sound: Vec<f32> = (0..ms(4000))
            .map(|n| {
                let key = if n > ms(500) && n % ms(100) < ms(50) { tone(770.0, n) + tone(1336.0, n) } else { 0.0 };
                0.1 * swells(n) * tone(1000.0, n) + 0.05 * key
            })
            .collect();
        let left = left_of(&sound, READY / HOP, Simd::detect());
        let pauses = (6..40).map(|at| level(&left[ms(100 * at + 55)..ms(100 * at + 95)]));
        assert!(pauses.clone().all(|level| level < 0.02), "{:?}", pauses.collect::<Vec<_>>());
    }

    #[test]
    fn neither_parts_nor_registers_matter_and_no_number_spoils_what_comes_after() {
        let mut rng = fastrand::Rng::with_seed(13);
        let mut sound: Vec<f32> = (0..ms(3000))
            .map(|n| 0.01 * (rng.f32() - 0.5) + if n % ms(700) < ms(500) { 0.1 * tone(620.0, n) } else { 0.0 })
            .collect();
        sound[ms(1600)] = f32::NAN;
        let whole = left_of(&sound, READY / HOP, Simd::detect());
        let bits = |samples: &[f32]| samples.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        for simd in Simd::available() {
            for hops in [1, 3, 5, READY / HOP] {
                assert_eq!(bits(&left_of(&sound, hops, simd)), bits(&whole), "{hops} sub-blocks, {simd:?}");
            }
        }
        let again = &whole[ms(2100 + 260)..ms(2600)];
        assert!(level(again) < 0.01, "{}", level(again));
    }
}
