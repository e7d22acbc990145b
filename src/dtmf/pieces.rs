//! Digits in pieces: a pair whose tones are pure and of one level, but with a jump of phase, a lost packet or a burst of
//! something else in between (a sound card's slips, spliced audio, a packet network).

use super::Digit;
use super::fit::{Fit, FittedTone, MAX_WINDOW, fit};
use super::front_end::WORKING_RATE;
use super::history::History;
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};
use super::piece::{PIECE, Piece, STEP};
use super::simd::{Kernel, LANES, Simd, Vector};
use super::waves::{angle, turned_by};
use std::f32::consts::TAU;
use std::ops::Range;

/// Steps of 1 ms in a sub-block, and those a piece spans.
const STEPS: usize = HOP / STEP;
const SPAN: usize = PIECE / STEP;
/// Steps looked back: 84 ms.
const BACK: usize = 84;
/// Longest hole in the tones, in steps: a lost packet of 20 ms with its edges.
const HOLE: usize = 24;
/// The same where the tones go on after it as if nothing had been lost: two packets.
const LONG_HOLE: usize = 44;
/// How far the phase of each tone after a long hole may be from where that before it leads, in radians: two presses of one key
/// pass for one by chance once in forty times.
const GOES_ON: f32 = 0.5;
/// Tone needed in all, in steps: a hole raises the need above the shortest accepted tone.
const NEEDED: usize = 27;
/// The same where the tone has no hole.
const NEEDED_WHOLE: usize = 30;
/// How far the tones may be off against each other, as a part of their frequencies: half the difference of what each is
/// off. A splice leaves them as exact as they were; a note and its overtones stand anywhere.
const APART: f32 = 0.008;
/// Shortest run of tone that counts, in steps.
const SHORTEST_RUN: usize = 7;

/// A digit found in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieced {
    /// The longest run's fit.
    pub(crate) fit: Fit,
    /// Filtered samples since the first piece began.
    pub(crate) age: usize,
}

/// Looks for a pair in pieces that lasts until now, or lasted until a moment ago; its last one, or more of it, is so old, in
/// filtered samples, if that is known.
pub(crate) fn find(history: &History, digit: Digit, age: Option<f32>) -> Option<Pieced> {
    // What is too young alone needs a piece before it.
    let alone = age.map(|age| (age / STEP as f32).ceil() as usize).filter(|age| *age < NEEDED);
    let hole = longest_hole(history, digit, alone)?;
    let (end, last) = last_piece(history, digit)?;
    let level = level_pieces(history.window(LOOKED_AT, end * STEP), hole, history.simd())?;
    let mut tone = [false; BACK + SPAN];
    let mut reached = 0;
    for back in 0..=BACK {
        if back > reached + hole {
            break;
        }
        if level >> back & 1 == 0 {
            continue;
        }
        let piece = Piece::at(history, digit, end + back);
        if piece.is_pure() && piece.matches(&last) {
            tone[back..back + SPAN].fill(true);
            reached = back + SPAN;
        }
    }
    let runs =
        Runs::of(&tone, |later, earlier| goes_on(history, digit, [later, earlier].map(|run| run.map(|at| end + at))));
    let needed = if runs.count == 1 { NEEDED_WHOLE } else { NEEDED };
    if runs.total < needed || !rises(history, &last, end + runs.end) {
        return None;
    }
    let fit = purest_fit(history, digit, runs.longest.map(|back| end + back));
    let [low, high] = digit.nominal_hz();
    let apart = 0.5 * (fit.low.hz / low - fit.high.hz / high).abs();
    (fit.snr_db() > 12.0 && apart < APART).then_some(Pieced { fit, age: (end + runs.end) * STEP })
}

/// The last pure piece and the steps since its end: now, or where the pair ends less than a sub-block ago, then.
fn last_piece(history: &History, digit: Digit) -> Option<(usize, Piece)> {
    let newest = Piece::at(history, digit, 0);
    if newest.is_pure() {
        return Some((0, newest));
    }
    let is_ending = newest.energy < ENDING * history.band_energy::<PIECE>(HOP);
    let mut earlier = (1..STEPS).map(|back| (back, Piece::at(history, digit, back)));
    if is_ending { earlier.find(|(_, piece)| piece.is_pure()) } else { None }
}

/// Energy of the newest piece, as a part of that of the one a sub-block before, where the tones may be ending.
const ENDING: f32 = 0.9;

/// Ages of short windows, in sub-blocks, one of which holds a piece of any tone that is long enough: less of that than is needed is
/// in the last 24 ms, and so some of it follows before a hole too long, 51 ms ago at most.
const REACHED: Range<usize> = 4..14;
const _: () = assert!(REACHED.end - REACHED.start == 3 * SHORT + 1);
const _: () = assert!(NEEDED > 24 && NEEDED + HOLE < 13 * STEPS && 4 * STEPS + SPAN <= 24 && STEPS + SPAN <= 12);
/// Ages, in sub-blocks, of short windows: one of them lies in the hole, clear of its edges, of any digit with a hole longer than
/// [`HOLE`].
const IN_LONG_HOLE: [usize; 3] = [4, 5, 7];
/// The same of pairs of short windows: one of them holds the tones before such a hole.
const BEFORE_LONG_HOLE: [usize; 3] = [8, 12, 16];
const _: () = assert!(SPAN + HOLE + SPAN > 8 * STEPS && NEEDED + LONG_HOLE + SPAN < (16 + 2 * SHORT) * STEPS);

/// The longest hole the tone may have, or none where there can't be enough of it: the pair must have been there, and about as loud,
/// long enough ago; where the newest piece is known to be so many steps old alone, before that. It costs less than the rest.
fn longest_hole(history: &History, digit: Digit, alone: Option<usize>) -> Option<usize> {
    let newest = history.band_energy::<PIECE>(0);
    if alone.is_some() && may_have_long_hole(history, digit, newest) {
        return Some(LONG_HOLE);
    }
    let from = alone.map_or(0, |age| age.div_ceil(STEPS));
    let (mut ages, tones) = (from.max(REACHED.start)..REACHED.end, digit.tones());
    let was_there = |age: usize| {
        let energy = history.short_energy(age);
        BEAT * energy > newest && history.have_more(age, tones, FAINT * energy)
    };
    // Both together imply this, which is seen at less cost.
    let least = FAINT / BEAT * newest;
    let is_there = |age: usize| history.have_more(age, tones, least) && was_there(age);
    // These windows, one behind the other, hold all others. Before most digits there is not as much in all of them.
    let all: f32 = REACHED.step_by(SHORT).map(|age| history.short_energy(age)).sum();
    (BEAT * all > newest && ages.any(is_there)).then_some(HOLE)
}

/// Whether there may be a long hole, and the pair before it: a window far quieter than the newest piece, and an earlier one as loud as
/// it in which nothing is stronger than the pair.
fn may_have_long_hole(history: &History, digit: Digit, newest: f32) -> bool {
    let is_in_hole = |age: usize| history.short_energy(age) < QUIET * newest;
    let is_loud = |age: usize| BEAT * (history.short_energy(age) + history.short_energy(age + SHORT)) > newest;
    IN_LONG_HOLE.into_iter().any(is_in_hole)
        && BEFORE_LONG_HOLE.into_iter().any(|age| is_loud(age) && history.was_strongest(age, digit))
}

/// Power of a tone in a short window with a piece of it, at least, over the energy of the window: a twelfth of what a tone alone
/// has. A jump of phase in the window takes some of it, and what another digit shows in its place is less.
const FAINT: f32 = 0.08 * 0.5 * SHORT_SAMPLES as f32;

/// How much louder or quieter a piece of the same pair may be for the beat of its tones, as a power ratio: 4 dB.
const BEAT: f32 = 2.5;
/// Part of the newest piece's energy that is quiet before it.
const QUIET: f32 = 0.1;
/// Pieces looked at, by the steps since their end.
const PIECES: usize = BACK + SPAN + 1;
const ROUND_PIECES: usize = PIECES.next_multiple_of(LANES);
const _: () = assert!(ROUND_PIECES <= u128::BITS as usize);
/// Steps looked at, more than in all pieces, and their filtered samples.
const ROUND_STEPS: usize = (ROUND_PIECES + SPAN).next_multiple_of(LANES);
const LOOKED_AT: usize = ROUND_STEPS * STEP;

/// The pieces as loud as the newest, a bit for the steps since the end of each, if the energies of the last filtered samples
/// leave room for a digit in pieces: tone enough at one level, with no hole in it longer than so many steps, and quiet before it.
fn level_pieces(samples: &[f32], hole: usize, simd: Simd) -> Option<u128> {
    let Pieces { level, quiet } = simd.run(Compare { samples });
    let level = level & low_bits(BACK + 1);
    let tone = (0..SPAN).fold(0, |tone, later| tone | level << later);
    let holes = run_starts(!tone, hole + 1);
    let tone = tone & low_bits(holes.trailing_zeros() as usize);
    let last = (u128::BITS - tone.leading_zeros()) as usize;
    let is_long = tone.count_ones() as usize >= NEEDED;
    (is_long && quiet & low_bits(last + SPAN) & !low_bits(NEEDED) != 0).then_some(level)
}

fn low_bits(count: usize) -> u128 {
    if count >= u128::BITS as usize { u128::MAX } else { (1 << count) - 1 }
}

/// Where `length` or more set bits begin.
fn run_starts(bits: u128, length: usize) -> u128 {
    let (mut starts, mut known) = (bits, 1);
    while known < length {
        let step = known.min(length - known);
        starts &= starts >> step;
        known += step;
    }
    starts
}

/// Pieces that end so many steps ago, a bit each.
#[derive(Default)]
struct Pieces {
    /// As loud as the newest.
    level: u128,
    /// Far below it.
    quiet: u128,
}

struct Compare<'a> {
    /// [`LOOKED_AT`] of them.
    samples: &'a [f32],
}

impl Kernel for Compare<'_> {
    type Output = Pieces;

    #[inline(always)]
    fn run<V: Vector>(self) -> Pieces {
        let mut all = [[0f32; LANES]; ROUND_STEPS / LANES];
        for (energies, samples) in all.iter_mut().zip(self.samples.as_chunks::<{ LANES * STEP }>().0) {
            let mut squares = [V::splat(0.0); STEP];
            for (square, samples) in squares.iter_mut().zip(samples.as_chunks::<LANES>().0) {
                let samples = V::load(samples);
                *square = samples * samples;
            }
            V::sums_of_fours(squares).store(energies);
        }
        let energies = all.as_flattened();
        let newest: f32 = energies[ROUND_STEPS - SPAN..].iter().sum();
        let [least, greatest, quiet] = [newest / BEAT, newest * BEAT, newest * QUIET].map(V::splat);
        let (mut level, mut is_quiet) = ([0u8; 16], [0u8; 16]);
        // Oldest first, as the energies are: the bits are turned round at the end.
        let Some(energies) = energies.last_chunk::<{ ROUND_PIECES + SPAN - 1 }>() else {
            return Pieces::default();
        };
        for at in 0..ROUND_PIECES / LANES {
            let mut sums = V::splat(0.0);
            for place in 0..SPAN {
                if let Some(lanes) = energies[at * LANES + place..].first_chunk() {
                    sums = sums + V::load(lanes);
                }
            }
            level[at] = least.less(sums) & sums.less(greatest);
            is_quiet[at] = sums.less(quiet);
        }
        let turned = |bits: [u8; 16]| u128::from_le_bytes(bits).reverse_bits() >> (u128::BITS as usize - ROUND_PIECES);
        Pieces { level: turned(level), quiet: turned(is_quiet) }
    }
}

/// The fit of a run, the steps since its end and its beginning, or of so much of it as can be fitted.
fn fit_run(history: &History, digit: Digit, [from, to]: [usize; 2]) -> (Fit, usize) {
    let window = ((to - from) * STEP).min(MAX_WINDOW) & !7;
    (fit(history.window(window, from * STEP), digit.nominal_hz(), None, history.simd()), window)
}

/// Whether two runs of tone, the later first, are of the same two tones, which went on in between unheard: whether the phases of the
/// later are those the earlier leads to.
fn goes_on(history: &History, digit: Digit, runs: [[usize; 2]; 2]) -> bool {
    // Their ends ring in the filter.
    let runs = runs.map(|[from, to]| [from + 1, to - 1]);
    let [(later, later_window), (earlier, earlier_window)] = runs.map(|run| fit_run(history, digit, run));
    // From the middle of one to that of the other.
    let apart = ((runs[1][0] - runs[0][0]) * STEP) as f32 + 0.5 * (earlier_window as f32 - later_window as f32);
    let is_led_to = |later: FittedTone, earlier: FittedTone| {
        let turned = TAU * 0.5 * (later.hz + earlier.hz) / WORKING_RATE as f32 * apart;
        let [re, im] = turned_by(turned_by(later.phasor, earlier.phasor), [turned.cos(), turned.sin()]);
        angle(re, im).abs() < GOES_ON
    };
    is_led_to(later.low, earlier.low) && is_led_to(later.high, earlier.high)
}

/// The best fit of the whole run and of its halves: a small jump of phase inside it leaves one half clean.
fn purest_fit(history: &History, digit: Digit, [from, to]: [usize; 2]) -> Fit {
    let middle = (from + to) / 2;
    let [whole, halves @ ..] = [[from, to], [from, middle], [middle, to]].map(|run| fit_run(history, digit, run).0);
    halves.into_iter().fold(whole, |best, half| if half.snr_db() > best.snr_db() { half } else { best })
}

/// Whether the band was at least 10 dB quieter before the first piece, and the low band is below the pair.
fn rises(history: &History, now: &Piece, end: usize) -> bool {
    let before = history.band_energy::<PIECE>((end + 2) * STEP);
    let low = history.low_energy(PIECE);
    before < 0.1 * now.energy && low < 0.2 * now.energy
}

/// Runs of tone, counted back from now in steps.
#[derive(Debug, PartialEq)]
struct Runs {
    count: usize,
    total: usize,
    longest: [usize; 2],
    end: usize,
}

impl Runs {
    /// Back to the first hole longer than [`HOLE`] whose two sides are not of one key, as `goes_on` says of the run after it and the
    /// run before it.
    fn of(tone: &[bool], goes_on: impl Fn([usize; 2], [usize; 2]) -> bool) -> Self {
        let mut runs = Self { count: 0, total: 0, longest: [0, 0], end: 0 };
        let (mut at, mut last, mut tone_end) = (0, None, 0);
        while at < tone.len() {
            let length = tone[at..].iter().take_while(|tone| **tone).count();
            if length >= SHORTEST_RUN {
                let run = [at, at + length];
                if at > tone_end + HOLE && !last.is_some_and(|last| goes_on(last, run)) {
                    break;
                }
                last = Some(run);
                runs.count += 1;
                runs.total += length;
                runs.end = at + length;
                if length > runs.longest[1] - runs.longest[0] {
                    runs.longest = [at, at + length];
                }
            }
            tone_end = if length > 0 { at + length } else { tone_end };
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
        // Steps of tone and of quiet in turns, back from now.
        let sound = |turns: &[usize]| {
            let mut samples = Vec::new();
            for (turn, length) in turns.iter().enumerate() {
                samples.extend(std::iter::repeat_n(if turn % 2 == 0 { 1.0 } else { 1e-2 }, *length * STEP));
            }
            samples.resize(LOOKED_AT, if turns.len().is_multiple_of(2) { 1.0 } else { 1e-2 });
            samples.reverse();
            level_pieces(&samples, HOLE, Simd::detect()).is_some()
        };
        assert!(sound(&[30]));
        assert!(!sound(&[20]), "too short");
        assert!(!sound(&[]) && !sound(&[192]), "no quiet before");
        assert!(sound(&[15, 20, 20]), "a hole of 20 ms");
        assert!(!sound(&[15, 40, 40]), "a pause of 40 ms");
    }

    #[test]
    fn where_nothing_reaches_back_there_is_not_tone_enough() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut enough = [0; 2];
        for _ in 0..400 {
            let mut samples = vec![0.0; 1600];
            for turn in 0..rng.usize(1..6) {
                let (level, length) = (0.1 + 0.05 * rng.f32(), rng.usize(24..300));
                let tone = |n: usize| level * ((n as f32 * 0.605).cos() + (n as f32 * 1.049).cos());
                samples.extend((0..length).map(|n| if turn % 2 == 0 { tone(n) } else { 0.0 }));
            }
            let history = History::of(&samples);
            let holds = |hole: usize| level_pieces(history.window(LOOKED_AT, 0), hole, history.simd()).is_some();
            for (at, (hole, alone)) in [(HOLE, None), (LONG_HOLE, Some(0))].into_iter().enumerate() {
                if holds(hole) {
                    enough[at] += 1;
                    let longest = longest_hole(&history, Digit::at(1, 1), alone);
                    assert!(longest.is_some_and(|longest| longest == hole || holds(longest)), "a hole of {hole} ms");
                }
            }
        }
        assert!(enough[0] > 40 && enough[1] > enough[0] + 10 && enough[1] < 360, "{enough:?} of 400");
    }

    #[test]
    fn runs_are_counted_back_from_now_and_short_ones_do_not_count() {
        let mut tone = [false; 60];
        tone[..10].fill(true);
        tone[14..17].fill(true);
        tone[22..40].fill(true);
        assert_eq!(Runs::of(&tone, |_, _| false), Runs { count: 2, total: 28, longest: [22, 40], end: 40 });
    }
}
