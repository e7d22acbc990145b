//! Digits in pieces: a pair whose tones are pure and of one level, but with a jump of phase, a lost packet or a burst of
//! something else in between (a sound card's slips, spliced audio, a packet network).

use super::Digit;
use super::fit::{Fit, MAX_WINDOW, amplitudes, fit};
use super::history::History;
use super::kernel::HOP;

/// Piece in which a pair is judged, in filtered samples: 6 ms.
const PIECE: usize = 24;
/// Sub-blocks a piece spans.
const SPAN: usize = PIECE / HOP;
/// Sub-blocks looked back: 84 ms.
const BACK: usize = 84;
/// Part of a pure piece's energy that is not the pair's, at most.
const IMPURE: f32 = 0.05;
/// Level a tone may change between pieces, as a power ratio: 1.5 dB.
const STEADY: f32 = 1.41;
/// Longest hole in the tones, in sub-blocks: a lost packet of 20 ms with its edges.
const HOLE: usize = 24;
/// Tone needed in all, in sub-blocks: a hole raises the need above the shortest accepted tone.
const NEEDED: usize = 27;
/// The same where the tone has no hole.
const NEEDED_WHOLE: usize = 30;
/// Shortest run of tone that counts, in sub-blocks.
const SHORTEST_RUN: usize = 7;

/// A digit found in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieced {
    /// The longest run's fit.
    pub(crate) fit: Fit,
    /// Filtered samples since the first piece began.
    pub(crate) age: usize,
}

/// Looks for a pair in pieces that lasts until now.
pub(crate) fn find(history: &History, digit: Digit) -> Option<Pieced> {
    // Pieces change slowly: every third sub-block is enough.
    if !(history.count() / HOP as u64).is_multiple_of(3) {
        return None;
    }
    if !may_hold_pieces(history.band_energies()) {
        return None;
    }
    let now = Piece::at(history, digit, 0).filter(Piece::is_pure)?;
    let mut tone = [false; BACK + SPAN];
    let mut last = 0;
    for back in 0..=BACK {
        if back > last + HOLE {
            break;
        }
        let piece = Piece::at(history, digit, back)?;
        if piece.is_pure() && piece.matches(&now) {
            tone[back..back + SPAN].fill(true);
            last = back + SPAN;
        }
    }
    let runs = Runs::of(&tone);
    let needed = if runs.count == 1 { NEEDED_WHOLE } else { NEEDED };
    if runs.total < needed || !rises(history, &now, runs.end) {
        return None;
    }
    let fit = purest_fit(history, digit, runs.longest);
    (fit.snr_db() > 12.0).then_some(Pieced { fit, age: runs.end * HOP })
}

/// How much louder or quieter a piece of the same pair may be for the beat of its tones, as a power ratio: 4 dB.
const BEAT: f32 = 2.5;

/// Whether the energies of sub-blocks, the newest last, leave room for a digit in pieces: tone enough at one level, with
/// no hole too long in it, and quiet before it.
fn may_hold_pieces(energies: &[f32]) -> bool {
    let pieces = sums_of_pieces(energies);
    let newest = pieces[0];
    let is_level = |energy: f32| energy < BEAT * newest && newest < BEAT * energy;
    let (mut total, mut last) = (0, 0);
    for (back, energy) in pieces[..=BACK].iter().enumerate() {
        if back > last + HOLE {
            break;
        }
        if is_level(*energy) {
            total += SPAN.min(back + SPAN - last);
            last = back + SPAN;
        }
    }
    total >= NEEDED && pieces[NEEDED..last + SPAN].iter().any(|energy| *energy < 0.1 * newest)
}

/// Energies of the pieces that end so many sub-blocks ago.
fn sums_of_pieces(energies: &[f32]) -> [f32; BACK + 2 * SPAN] {
    let mut backwards = [0f32; BACK + 3 * SPAN];
    for (backwards, energy) in backwards.iter_mut().zip(energies.iter().rev()) {
        *backwards = *energy;
    }
    let mut sums = [0f32; BACK + 2 * SPAN];
    for age in 0..SPAN {
        for (sum, energy) in sums.iter_mut().zip(&backwards[age..]) {
            *sum += energy;
        }
    }
    sums
}

/// The best fit of the whole run and of its halves: a small jump of phase inside it leaves one half clean.
fn purest_fit(history: &History, digit: Digit, (from, to): (usize, usize)) -> Fit {
    let middle = (from + to) / 2;
    let fit_run = |from: usize, to: usize| {
        let window = ((to - from) * HOP).min(MAX_WINDOW) & !7;
        fit(history.window(window, from * HOP), nominal_hz(digit), None, history.simd())
    };
    let halves = [fit_run(from, middle), fit_run(middle, to)];
    halves.into_iter().fold(fit_run(from, to), |best, half| if half.snr_db() > best.snr_db() { half } else { best })
}

fn nominal_hz(digit: Digit) -> [f32; 2] {
    [digit.low_hz() as f32, digit.high_hz() as f32]
}

/// Whether the band was at least 10 dB quieter before the first piece, and the low band is below the pair.
fn rises(history: &History, now: &Piece, end: usize) -> bool {
    let before = history.band_energy(end + 2, SPAN);
    let low = history.low_energy(0, SPAN);
    before < 0.1 * now.energy && low < 0.2 * now.energy
}

/// One piece: the powers of both tones in it, its energy, and what is left of it.
struct Piece {
    powers: [f32; 2],
    energy: f32,
    left: f32,
}

impl Piece {
    fn at(history: &History, digit: Digit, back: usize) -> Option<Self> {
        let samples = history.window(PIECE, back * HOP);
        let energy: f32 = samples.iter().map(|x| x * x).sum();
        let (tones, left) = amplitudes(samples, nominal_hz(digit), 0.0, history.simd());
        Some(Self { powers: tones.map(|[re, im]| re * re + im * im), energy, left })
    }

    fn is_pure(&self) -> bool {
        self.energy > 1e-8 && self.left < IMPURE * self.energy
    }

    fn matches(&self, other: &Self) -> bool {
        let near = |a: f32, b: f32| a < STEADY * b && b < STEADY * a;
        near(self.powers[0], other.powers[0]) && near(self.powers[1], other.powers[1])
    }
}

/// Runs of tone, counted back from now in sub-blocks.
#[derive(Debug, PartialEq)]
struct Runs {
    count: usize,
    total: usize,
    longest: (usize, usize),
    end: usize,
}

impl Runs {
    fn of(tone: &[bool]) -> Self {
        let mut runs = Self { count: 0, total: 0, longest: (0, 0), end: 0 };
        let mut at = 0;
        while at < tone.len() {
            let length = tone[at..].iter().take_while(|tone| **tone).count();
            if length >= SHORTEST_RUN {
                runs.count += 1;
                runs.total += length;
                runs.end = at + length;
                if length > runs.longest.1 - runs.longest.0 {
                    runs.longest = (at, at + length);
                }
            }
            at += length.max(1);
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_need_tone_enough_without_a_long_hole_and_quiet_before_it() {
        // Sub-blocks of tone and of quiet in turns, back from now.
        let sound = |turns: &[usize]| {
            let mut energies = Vec::new();
            for (turn, length) in turns.iter().enumerate() {
                energies.extend(std::iter::repeat_n(if turn % 2 == 0 { 1.0 } else { 1e-4 }, *length));
            }
            energies.resize(192, if turns.len().is_multiple_of(2) { 1.0 } else { 1e-4 });
            energies.reverse();
            may_hold_pieces(&energies)
        };
        assert!(sound(&[30]));
        assert!(!sound(&[20]), "too short");
        assert!(!sound(&[]) && !sound(&[192]), "no quiet before");
        assert!(sound(&[15, 20, 20]), "a hole of 20 ms");
        assert!(!sound(&[15, 40, 40]), "a pause of 40 ms");
    }

    #[test]
    fn runs_are_counted_back_from_now_and_short_ones_do_not_count() {
        let mut tone = [false; 60];
        tone[..10].fill(true);
        tone[14..17].fill(true);
        tone[22..40].fill(true);
        assert_eq!(Runs::of(&tone), Runs { count: 2, total: 28, longest: (22, 40), end: 40 });
    }
}
