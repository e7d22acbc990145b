//! Joins clips and pauses into the samples of the line.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Clips, Language, SAMPLE_RATE, Spoken};

/// How long a stopped clip takes to fall silent: 5 ms. An abrupt stop is a click.
const FADE: usize = SAMPLE_RATE as usize / 200;

/// A queue of clips and pauses that gives samples block by block.
///
/// Without clock or randomness: the same calls give the same samples, whatever the size of the blocks.
/// [`fill`](Self::fill) and [`stop`](Self::stop) do not allocate.
#[derive(Debug, Default)]
pub struct Player {
    queue: VecDeque<Segment>,
    fade: Option<Fade>,
}

/// A clip that is not in a language's set. The menu's check finds this before a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no clip {id:?} in {language}: add it to the voice's prompts.yaml and render it, or correct the id")]
pub struct UnknownClip {
    /// The id asked for.
    pub id: String,
    /// In which language.
    pub language: Language,
}

#[derive(Debug)]
enum Segment {
    Clip { samples: Arc<[f32]>, next: usize },
    Silence { left: usize },
}

/// What is left of a clip that was stopped, already faded.
#[derive(Debug)]
struct Fade {
    samples: [f32; FADE],
    next: usize,
}

impl Player {
    /// A silent player.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends what is to be said. Allocates only where the queue grows.
    ///
    /// # Errors
    /// [`UnknownClip`] when a clip does not exist; then nothing of `spoken` is appended.
    pub fn enqueue(&mut self, spoken: &[Spoken], clips: &Clips, language: Language) -> Result<(), UnknownClip> {
        let before = self.queue.len();
        for part in spoken {
            match segment(part, clips, language) {
                Ok(segment) => self.queue.push_back(segment),
                Err(unknown) => {
                    self.queue.truncate(before);
                    return Err(unknown);
                }
            }
        }
        Ok(())
    }

    /// Writes the next samples, silence where there is nothing to say.
    pub fn fill(&mut self, out: &mut [f32]) {
        let mut rest = &mut out[..];
        if let Some(fade) = &mut self.fade {
            let written = copy(&fade.samples, &mut fade.next, rest);
            rest = &mut rest[written..];
            if fade.next == FADE {
                self.fade = None;
            }
        }
        while let (false, Some(segment)) = (rest.is_empty(), self.queue.front_mut()) {
            let written = segment.fill(rest);
            rest = &mut rest[written..];
            if segment.is_done() {
                self.queue.pop_front();
            }
        }
        rest.fill(0.0);
    }

    /// Falls silent within 5 ms and forgets what is queued (barge-in).
    pub fn stop(&mut self) {
        if let (None, Some(Segment::Clip { samples, next })) = (&self.fade, self.queue.front()) {
            let mut faded = [0.0; FADE];
            for (index, (out, sample)) in faded.iter_mut().zip(&samples[*next..]).enumerate() {
                *out = sample * (FADE - 1 - index) as f32 / FADE as f32;
            }
            self.fade = Some(Fade { samples: faded, next: 0 });
        }
        self.queue.clear();
    }

    /// Whether everything has been said, the fade after [`stop`](Self::stop) included.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.fade.is_none()
    }
}

impl Segment {
    /// Writes as much as there is and fits; how many samples that was.
    fn fill(&mut self, out: &mut [f32]) -> usize {
        match self {
            Self::Clip { samples, next } => copy(samples, next, out),
            Self::Silence { left } => {
                let count = out.len().min(*left);
                out[..count].fill(0.0);
                *left -= count;
                count
            }
        }
    }

    fn is_done(&self) -> bool {
        self.left() == 0
    }

    /// Samples still to come.
    fn left(&self) -> usize {
        match self {
            Self::Clip { samples, next } => samples.len() - next,
            Self::Silence { left } => *left,
        }
    }
}

/// Everything that is said, as samples at [`SAMPLE_RATE`].
///
/// # Errors
/// [`UnknownClip`] when a clip does not exist.
pub fn render(spoken: &[Spoken], clips: &Clips, language: Language) -> Result<Vec<f32>, UnknownClip> {
    let mut player = Player::new();
    player.enqueue(spoken, clips, language)?;
    let mut samples = Vec::new();
    while let Some(mut segment) = player.queue.pop_front() {
        let start = samples.len();
        samples.resize(start + segment.left(), 0.0);
        segment.fill(&mut samples[start..]);
    }
    Ok(samples)
}

fn segment(part: &Spoken, clips: &Clips, language: Language) -> Result<Segment, UnknownClip> {
    match part {
        Spoken::Clip(id) => clips
            .get(language, id)
            .map(|clip| Segment::Clip { samples: clip.shared_samples(), next: 0 })
            .ok_or_else(|| UnknownClip { id: id.clone(), language }),
        Spoken::Pause(ms) => Ok(Segment::Silence { left: *ms as usize * (SAMPLE_RATE as usize / 1000) }),
    }
}

fn copy(from: &[f32], next: &mut usize, out: &mut [f32]) -> usize {
    let count = out.len().min(from.len() - *next);
    out[..count].copy_from_slice(&from[*next..*next + count]);
    *next += count;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAYS: [&str; 3] = ["un_momento", "n7", "pesos"];

    fn says() -> Vec<Spoken> {
        let mut spoken = SAYS.map(Spoken::clip).to_vec();
        spoken.insert(1, Spoken::Pause(125));
        spoken
    }

    fn playing() -> Player {
        let mut player = Player::new();
        player.enqueue(&says(), &Clips::embedded(), Language::EsMx).unwrap();
        player
    }

    fn drain(player: &mut Player, block: usize) -> Vec<f32> {
        let mut samples = Vec::new();
        while !player.is_idle() {
            let mut out = vec![9.0; block];
            player.fill(&mut out);
            samples.extend(out);
            assert!(samples.len() < 80_000, "the player never becomes idle");
        }
        samples
    }

    #[test]
    fn plays_clips_and_pauses_in_order_whatever_the_block() {
        let clips = Clips::embedded();
        let clip = |id| clips.get(Language::EsMx, id).unwrap().samples();
        let expected = [clip(SAYS[0]), &[0.0; 1000], clip(SAYS[1]), clip(SAYS[2])].concat();
        for block in [1, 7, 80, 160, 441, 4800] {
            let played = drain(&mut playing(), block);
            assert_eq!(played[..expected.len()], expected, "blocks of {block}");
            assert_eq!(render(&says(), &clips, Language::EsMx).unwrap(), expected);
            assert!(played[expected.len()..].iter().all(|sample| *sample == 0.0), "blocks of {block}");
        }
    }

    #[test]
    fn a_stop_falls_silent_within_five_milliseconds_without_a_click() {
        let mut before = vec![0.0; 3001];
        let mut player = playing();
        player.fill(&mut before);
        let unstopped = drain(&mut player, 1);
        for block in [1, 7, 80] {
            let mut player = playing();
            player.fill(&mut vec![0.0; 3001]);
            player.stop();
            player.stop();
            let after = drain(&mut player, block);
            assert!(after[FADE - 1..].iter().all(|sample| *sample == 0.0), "blocks of {block}");
            for (index, (faded, full)) in after.iter().zip(&unstopped).take(FADE).enumerate() {
                let gain = (FADE - 1 - index) as f32 / FADE as f32;
                assert!((faded - full * gain).abs() < 1e-6, "blocks of {block}, sample {index}");
            }
        }
    }

    #[test]
    fn what_is_said_after_a_stop_follows_the_fade() {
        let mut player = playing();
        player.fill(&mut [0.0; 3001]);
        player.stop();
        player.enqueue(&[Spoken::clip("n2")], &Clips::embedded(), Language::EsMx).unwrap();
        let after = drain(&mut player, 80);
        let two = Clips::embedded().get(Language::EsMx, "n2").unwrap().clone();
        assert_eq!(after[FADE..FADE + two.samples().len()], *two.samples());
    }

    #[test]
    fn an_unknown_clip_leaves_the_queue_as_it_was() {
        let mut player = Player::new();
        let spoken = [Spoken::clip("pesos"), Spoken::clip("ciento")];
        let unknown = player.enqueue(&spoken, &Clips::embedded(), Language::EnUs).unwrap_err();
        assert_eq!(unknown, UnknownClip { id: "ciento".into(), language: Language::EnUs });
        assert!(player.is_idle());
    }

    #[test]
    fn silence_while_nothing_is_said() {
        let mut out = [1.0; 5];
        let mut player = Player::new();
        player.fill(&mut out);
        player.stop();
        assert_eq!(out, [0.0; 5]);
        assert!(player.is_idle());
        player.enqueue(&[Spoken::Pause(0)], &Clips::embedded(), Language::EnUs).unwrap();
        player.fill(&mut out);
        assert!(player.is_idle());
    }
}
