//! The filter that shapes the excitation as the throat does: eight reflection coefficients, which go over into those of the next
//! frame within its first 40 samples (GSM 06.10, 5.3.3 to 5.3.5).

use super::{FRAME, times};

const ORDER: usize = 8;
/// Table 3.1 and 5.1: of each logarithmic area ratio the offset, the least code and the inverse of the scale.
const RATIOS: [(i16, i16, i16); ORDER] = [
    (0, -32, 13_107),
    (0, -32, 13_107),
    (2048, -16, 13_107),
    (-2560, -16, 13_107),
    (94, -8, 19_223),
    (-1792, -8, 17_476),
    (-341, -4, 31_454),
    (-1144, -4, 29_708),
];
/// Where the four mixtures of the last frame's ratios and this one's begin and end.
const MIXTURES: [(usize, usize); 4] = [(0, 13), (13, 27), (27, 40), (40, FRAME)];

/// The filter's memory.
#[derive(Default)]
pub(super) struct Predictor {
    last: [i16; ORDER],
    state: [i16; ORDER + 1],
}

impl Predictor {
    /// Turns a frame's excitation into sound, by its coded ratios.
    pub(super) fn synthesize(&mut self, coded: [i16; ORDER], samples: &mut [i16; FRAME]) {
        let mut now = [0; ORDER];
        for ((now, coded), (offset, least, scale)) in now.iter_mut().zip(coded).zip(RATIOS) {
            let ratio = times(scale, ((coded + least) << 10).saturating_sub(offset << 1));
            *now = ratio.saturating_add(ratio);
        }
        for (mixture, (from, to)) in MIXTURES.into_iter().enumerate() {
            let mut reflections = [0; ORDER];
            for ((reflection, &last), &now) in reflections.iter_mut().zip(&self.last).zip(&now) {
                *reflection = reflection_of(mix(mixture, last, now));
            }
            samples[from..to].iter_mut().for_each(|sample| *sample = self.filter(&reflections, *sample));
        }
        self.last = now;
    }

    fn filter(&mut self, reflections: &[i16; ORDER], excitation: i16) -> i16 {
        let mut sample = excitation;
        for (n, &reflection) in reflections.iter().enumerate().rev() {
            sample = sample.saturating_sub(times(reflection, self.state[n]));
            self.state[n + 1] = self.state[n].saturating_add(times(reflection, sample));
        }
        self.state[0] = sample;
        sample
    }
}

fn mix(mixture: usize, last: i16, now: i16) -> i16 {
    match mixture {
        0 => (last >> 2).saturating_add(now >> 2).saturating_add(last >> 1),
        1 => (last >> 1).saturating_add(now >> 1),
        2 => (last >> 2).saturating_add(now >> 2).saturating_add(now >> 1),
        _ => now,
    }
}

/// A reflection coefficient of its logarithmic area ratio.
fn reflection_of(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let size = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -size } else { size }
}
