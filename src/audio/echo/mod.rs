//! The echo canceller: what the box says comes back from the line's hybrid, and is taken out of what the line gives
//! before anyone listens for keys.
//!
//! Two filters (K. Ochiai, T. Araseki and T. Ogihara, "Echo canceler with two echo path models", IEEE Trans. Commun.
//! COM-25, 1977): the *probe* learns the echo path all the time by NLMS; the *filter in use* takes the probe's place only
//! after the probe has taken clearly more out of the line for a while. A caller's key or voice leads the probe astray but
//! not the filter in use: that makes the canceller safe under double talk without deciding who speaks. Before anything was
//! learned, and wherever the box is silent, samples pass unchanged, to the bit.
//!
//! The filters span 64 ms. A sound card adds its buffers to the path, up to half a second: where the echo is found by
//! [`delay`] to lie elsewhere, the span is moved there.

mod delay;
mod nlms;
#[cfg(test)]
mod tests;

use std::fmt;

use delay::{DelayFinder, MOST_DELAY};
use nlms::{Nlms, TAPS};

/// Most samples processed at once: 10 ms.
pub const MOST_SAMPLES: usize = 80;
/// What was said, kept for both filters: the longest delay, a span and a block.
const HISTORY: usize = MOST_DELAY + TAPS + MOST_SAMPLES;
/// The first samples of the span lie before the echo found, so that a path is seen whole: 8 ms.
const LEAD: usize = 64;
/// How fast powers are averaged: over 8 blocks of 10 ms.
const FORGET: f64 = 1.0 / 8.0;
/// The probe is taken into use when it leaves this part of the line's power or less...
const GOOD: f64 = 0.5;
/// ...and this part of what the filter in use leaves...
const BETTER: f64 = 0.5;
/// ...for so many blocks: longer than any key that has not been told yet.
const BLOCKS: u32 = 8;
/// Or when it left less, by a little, in so many more blocks than it left more: better in the long run.
const SLIGHTLY: f64 = 0.8;
const WINS: i32 = 30;
/// The probe starts again from the filter in use when it leaves this many times as much for as long.
const ASTRAY: f64 = 1.6;
/// The filter in use is dropped when it adds this much instead of taking out: the path has changed. A key can seem to do
/// the same for as long as it sounds.
const HARMFUL: f64 = 1.3;
const HARMFUL_BLOCKS: u32 = 30;
/// See [`whitened`].
const WHITENING: f32 = 0.85;
/// Power below which what is said is nothing: -63 dBm0, under a clip's own noise.
const SILENT: f64 = 1e-7;

/// Takes the box's own voice out of the line, at 8 kHz. Allocates only when it is made.
pub struct EchoCanceller {
    /// What was said, the oldest first; the newest block ends it.
    said: Box<[f32; HISTORY]>,
    /// The same, whitened.
    white: Box<[f32; HISTORY]>,
    /// Samples since the box last said anything.
    silent_for: usize,
    used: Filter,
    probe: Filter,
    finder: DelayFinder,
    powers: Powers,
    better: u32,
    wins: i32,
    worse: u32,
    harmful: u32,
    /// Last sample of the line and of what the filter in use left.
    last: [f32; 2],
    held: bool,
}

struct Filter {
    nlms: Nlms,
    /// The delay at which its span begins, in samples.
    delay: usize,
}

#[derive(Default)]
struct Powers {
    line: f64,
    used: f64,
    probe: f64,
}

impl Default for EchoCanceller {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the sound, and what was learned of the line.
impl fmt::Debug for EchoCanceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoCanceller").field("held", &self.held).finish_non_exhaustive()
    }
}

impl EchoCanceller {
    /// A canceller that has learned nothing yet.
    pub fn new() -> Self {
        let filter = || Filter { nlms: Nlms::new(), delay: 0 };
        Self {
            said: Box::new([0.0; HISTORY]),
            white: Box::new([0.0; HISTORY]),
            silent_for: usize::MAX,
            used: filter(),
            probe: filter(),
            finder: DelayFinder::new(),
            powers: Powers::default(),
            better: 0,
            wins: 0,
            worse: 0,
            harmful: 0,
            last: [0.0; 2],
            held: false,
        }
    }

    /// Whether to stop learning for now: a key is down, and tones lead astray more than speech.
    pub const fn hold(&mut self, held: bool) {
        if held != self.held {
            self.held = held;
            self.probe.nlms.pass_over();
        }
    }

    /// How much is taken out of the line at present, in dB; 0 before anything was learned.
    pub fn enhancement_db(&self) -> f64 {
        if self.powers.used > 0.0 && self.powers.line > 0.0 {
            10.0 * (self.powers.line / self.powers.used).log10()
        } else {
            0.0
        }
    }

    /// Takes the echo of what was said before out of `line`. `said` is what goes to the line at the same time.
    ///
    /// # Panics
    /// If there are more than [`MOST_SAMPLES`], or not as many of one as of the other.
    pub fn process(&mut self, said: &[f32], line: &mut [f32]) {
        assert!(said.len() == line.len() && line.len() <= MOST_SAMPLES, "the line takes as many samples as it gives");
        self.remember(said);
        self.finder.listen(said, line);
        let reach = self.used.delay.max(self.probe.delay) + TAPS + MOST_SAMPLES;
        if self.silent_for > reach.max(MOST_DELAY) {
            self.probe.nlms.pass_over();
            return;
        }
        if let Some(delay) = self.finder.take() {
            self.look_at(delay.saturating_sub(LEAD));
        }
        self.cancel(line);
    }

    fn remember(&mut self, said: &[f32]) {
        self.said.copy_within(said.len().., 0);
        self.white.copy_within(said.len().., 0);
        let newest = HISTORY - said.len();
        self.said[newest..].copy_from_slice(said);
        for index in newest..HISTORY {
            self.white[index] = whitened(self.said[index], self.said[index - 1]);
        }
        let power = said.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
        let silent = power <= SILENT * said.len() as f64;
        self.silent_for = if silent { self.silent_for.saturating_add(said.len()) } else { 0 };
    }

    /// Moves the probe's span, if what was found there is not in it anyway.
    fn look_at(&mut self, delay: usize) {
        if delay.abs_diff(self.probe.delay) > LEAD {
            self.probe.delay = delay;
            self.probe.nlms.clear();
            (self.better, self.wins) = (0, 0);
        }
    }

    fn cancel(&mut self, line: &mut [f32]) {
        let (mut powers, count) = (Powers::default(), line.len());
        for (index, sample) in line.iter_mut().enumerate() {
            // The newest sample of the span is the one said `delay` samples ago.
            let newest = HISTORY - count + index;
            let heard = *sample;
            let used = heard - self.used.nlms.echo(&self.said[span(newest, self.used.delay)]);
            let [line_white, used_white] = [whitened(heard, self.last[0]), whitened(used, self.last[1])];
            self.last = [heard, used];
            let span = &self.white[span(newest, self.probe.delay)];
            let probe_white = line_white - self.probe.nlms.echo(span);
            if !self.held {
                self.probe.nlms.learn(span, probe_white);
            }
            powers.line += f64::from(line_white).powi(2);
            powers.used += f64::from(used_white).powi(2);
            powers.probe += f64::from(probe_white).powi(2);
            *sample = used;
        }
        self.powers.average(&powers, FORGET * count as f64 / MOST_SAMPLES as f64);
        if !self.held {
            self.count(&powers);
            self.compare();
        }
    }

    /// Each block is a trial of both filters, however loud it is.
    fn count(&mut self, block: &Powers) {
        if block.probe <= SLIGHTLY * block.used && block.probe <= GOOD * block.line {
            self.wins += 1;
        } else if block.probe > block.used {
            self.wins = (self.wins - 2).max(0);
        }
    }

    fn compare(&mut self) {
        let Powers { line, used, probe } = self.powers;
        if !probe.is_finite() {
            // Learning from overload can run away; it starts again.
            self.probe.nlms.clear();
            self.powers.probe = line;
            return;
        }
        let better = probe <= GOOD * line && probe <= BETTER * used;
        self.better = if better { self.better + 1 } else { 0 };
        let worse = probe >= ASTRAY * used && !self.used.nlms.is_blank();
        self.worse = if worse { self.worse + 1 } else { 0 };
        if self.better >= BLOCKS || self.wins >= WINS {
            self.used.nlms.become_like(&self.probe.nlms);
            self.used.delay = self.probe.delay;
            (self.powers.used, self.better, self.wins) = (probe, 0, 0);
        } else if self.worse >= BLOCKS && self.used.delay == self.probe.delay {
            self.probe.nlms.become_like(&self.used.nlms);
            (self.powers.probe, self.worse) = (used, 0);
        }
        self.harmful = if used > HARMFUL * line { self.harmful + 1 } else { 0 };
        if self.harmful >= HARMFUL_BLOCKS {
            self.used.nlms.clear();
            (self.powers.used, self.harmful) = (line, 0);
        }
    }
}

impl Powers {
    fn average(&mut self, now: &Self, weight: f64) {
        for (mean, now) in [(&mut self.line, now.line), (&mut self.used, now.used), (&mut self.probe, now.probe)] {
            *mean += weight * (now - *mean);
        }
    }
}

/// What was said in a filter's span, the newest sample being the one `delay` before `newest`.
fn span(newest: usize, delay: usize) -> std::ops::Range<usize> {
    newest + 1 - delay - TAPS..newest + 1 - delay
}

/// Speech has most of its power in a few low frequencies, which makes learning slow at all others: it is done, and judged,
/// with each sample reduced by most of the one before.
fn whitened(sample: f32, before: f32) -> f32 {
    sample - WHITENING * before
}
