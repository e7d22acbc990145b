//! Steady tones beside those of a keypad: a busy tone, a fax that calls, a beep, a test tone. Once such a tone has sounded long
//! enough to be known, what it will be in the next samples is taken out of them, as long as it goes on: digits under it are
//! heard as without it.

mod search;

use super::front_end::{HOP, WORKING_RATE};
use super::kernel::tone_hz;
use super::simd::{Kernel, LANES, Simd, Vector};
use super::waves::Wave;
use search::{Evenness, Phasors, search};
use std::f64::consts::TAU;

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
/// A tone of which this part of its amplitude is wrong over a block has ended, or become another.
const WRONG: f64 = 0.5;
/// Sub-blocks over which it shows whether tones have ended: 16 ms.
const SEEN: usize = 4;

/// A tone that goes on.
#[derive(Clone, Copy, Debug)]
struct Tone {
    /// Radians a filtered sample.
    step: f64,
    /// Radians at the next filtered sample.
    phase: f64,
    /// Peak amplitude, as filtered.
    amplitude: f64,
}

impl Tone {
    fn hz(&self) -> f64 {
        self.step * f64::from(WORKING_RATE) / TAU
    }

    fn go_on(&mut self, samples: usize) {
        self.phase = (self.phase + samples as f64 * self.step) % TAU;
    }

    /// Puts right what was left of it in the last block, unless that is too much.
    fn put_right(&mut self, rest: &[f32], simd: Simd) -> bool {
        let [[re, im]] = simd.run(Phasors::<1> { samples: rest, step: self.step as f32 });
        // As seen from the tone itself.
        let (sin, cos) = (self.phase - TO_NEXT * self.step).sin_cos();
        let (re, im) = (f64::from(re), f64::from(im));
        let [ahead, across] = [re * cos + im * sin, im * cos - re * sin].map(|part| part / self.amplitude);
        self.amplitude *= 1.0 + PUT_RIGHT * ahead;
        self.phase += PUT_RIGHT * across;
        self.step += PUT_RIGHT_STEP * across / BLOCK as f64;
        ahead.hypot(across) < WRONG
    }
}

/// The steady tones of a stream that are known.
pub(crate) struct SteadyTones {
    tones: Vec<Tone>,
    /// Energy of the last sub-blocks with and without the tones.
    energies: [[f32; 2]; SEEN],
    /// Energy of two short windows that means nothing if there is less.
    silence: f32,
    /// The filtered sample from which on all were heard.
    since: u64,
}

impl SteadyTones {
    /// Nothing is looked for where two short windows have less energy than `silence`.
    pub(crate) fn new(silence: f32) -> Self {
        Self { tones: Vec::with_capacity(MOST), energies: [[0.0; 2]; SEEN], silence, since: 0 }
    }

    /// Begins anew with a filtered sample: those before it were passed over.
    pub(crate) fn begin_at(&mut self, first: u64) {
        self.tones.clear();
        self.since = first;
    }

    /// Takes known tones out of the last filtered samples, which are whole sub-blocks from `first` on; [`LOOK_BACK`] before them are
    /// there, too.
    #[inline]
    pub(crate) fn hear(&mut self, samples: &mut [f32], new: usize, first: u64, simd: Simd) {
        // Samples up to the end of a block.
        let ahead = BLOCK - first as usize % BLOCK;
        if ahead <= new || !self.tones.is_empty() {
            self.hear_parts(samples, new, first, simd);
        }
    }

    fn hear_parts(&mut self, samples: &mut [f32], new: usize, first: u64, simd: Simd) {
        let (mut begin, mut heard) = (samples.len() - new, first);
        while begin < samples.len() {
            let end = samples.len().min(begin + BLOCK - heard as usize % BLOCK);
            heard += (end - begin) as u64;
            self.take_out(&mut samples[begin..end], simd);
            if heard.is_multiple_of(BLOCK as u64) && heard >= self.since + LOOK_BACK as u64 {
                self.look(&samples[end - LOOK_BACK..end], simd);
            }
            begin = end;
        }
    }

    /// Takes known tones out of samples behind those heard, which will be heard again.
    #[inline]
    pub(crate) fn peek(&self, samples: &mut [f32], simd: Simd) {
        for tone in &self.tones {
            simd.run(TakeOut { samples, tone });
        }
    }

    /// Takes the tones out of sub-blocks. If more is left of the last ones than there was, they are over.
    fn take_out(&mut self, samples: &mut [f32], simd: Simd) {
        for sub_block in samples.as_chunks_mut::<HOP>().0 {
            if self.tones.is_empty() {
                return;
            }
            let heard = *sub_block;
            self.peek(sub_block, simd);
            self.tones.iter_mut().for_each(|tone| tone.go_on(HOP));
            self.energies.rotate_left(1);
            self.energies[SEEN - 1] = [energy(&heard), energy(sub_block)];
            let [with, without] = [0, 1].map(|at| self.energies.iter().map(|energies| energies[at]).sum::<f32>());
            if without.is_nan() || without > with {
                self.tones.clear();
                *sub_block = heard;
            }
        }
    }

    /// Looks at what was left of the tones in the last block, and for others.
    fn look(&mut self, samples: &[f32], simd: Simd) {
        self.tones.retain_mut(|tone| tone.put_right(&samples[LOOK_BACK - BLOCK..], simd));
        if let Some(energy) = simd.run(Evenness { samples, silence: self.silence }) {
            search(samples, energy, simd).for_each(|tone| self.add(tone));
        }
    }

    fn add(&mut self, tone: Tone) {
        let is_another = |known: &Tone| (known.hz() - tone.hz()).abs() > SAME_HZ;
        if self.tones.len() < MOST && !may_be_a_keypads(tone.hz()) && self.tones.iter().all(is_another) {
            self.tones.push(tone);
            // Nothing is known yet of how it goes on.
            self.energies = [[0.0; 2]; SEEN];
        }
    }
}

fn energy(samples: &[f32; HOP]) -> f32 {
    samples.iter().map(|x| x * x).sum()
}

fn may_be_a_keypads(hz: f64) -> bool {
    (0..8).any(|tone| (hz - tone_hz(tone)).abs() < KEYPADS * tone_hz(tone))
}

/// Takes a tone out of samples, up to a sub-block of them.
struct TakeOut<'a> {
    samples: &'a mut [f32],
    tone: &'a Tone,
}

impl Kernel for TakeOut<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { samples, tone } = self;
        let mut wave = Wave::<V>::at(tone.step as f32, tone.phase as f32);
        for samples in samples.chunks_mut(LANES) {
            let mut cos = [0.0; LANES];
            wave.cos.store(&mut cos);
            for (sample, cos) in samples.iter_mut().zip(cos) {
                *sample -= tone.amplitude as f32 * cos;
            }
            wave.go_on();
        }
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
            samples.extend(part);
            steady.hear(&mut samples, part.len(), first as u64, simd);
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
