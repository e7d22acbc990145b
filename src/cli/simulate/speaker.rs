//! The sound card on which the author hears the prompts.

use std::thread;
use std::time::{Duration, Instant};

use tonopago::audio::Resampler;
use tonopago::line::sound_card::{BLOCK_SAMPLES, Block, CardError, OutputStream, Request, SoundCard};
use tonopago::media::SAMPLE_RATE;

use crate::cli::Failure;

/// Longest wait for a card to begin; some take two seconds.
const BEGINNING: Duration = Duration::from_secs(4);
/// Time between two looks at whether it has.
const LOOK: Duration = Duration::from_millis(5);
/// Part of a second that must have been played by then, and that waits at most meanwhile.
const BEGUN: u64 = 10;

/// A card that plays what the box says.
pub(super) struct Speaker {
    stream: OutputStream,
    to_card: Resampler,
    ready: Vec<f32>,
}

impl Speaker {
    /// Opens a card by its id or a part of it.
    pub(super) fn open(card: &str) -> Result<Self, Failure> {
        let request = Request { device: card.to_owned(), ..Request::default() };
        let stream = SoundCard::play(&request).map_err(Failure::failed)?;
        let speaker = Self { to_card: Resampler::new(SAMPLE_RATE, stream.rate), ready: Vec::new(), stream };
        if speaker.begins() { Ok(speaker) } else { Err(Failure::failed(format!("{} plays nothing", speaker.card()))) }
    }

    /// Plays silence until the card takes it at its pace, if it does: what the box says would wait, and be heard late ever
    /// after.
    fn begins(&self) -> bool {
        let (stats, enough) = (&self.stream.stats, u64::from(self.stream.rate) / BEGUN);
        let silence = Block::new(&[0.0; BLOCK_SAMPLES]);
        let (since, mut sent) = (Instant::now(), 0);
        while stats.played() < enough && since.elapsed() < BEGINNING {
            while sent < stats.played() + enough {
                self.stream.send(silence);
                sent += BLOCK_SAMPLES as u64;
            }
            thread::sleep(LOOK);
        }
        stats.played() >= enough
    }

    /// The card's id.
    pub(super) fn card(&self) -> &str {
        self.stream.card()
    }

    /// Plays what the box said, behind what it said before.
    ///
    /// # Errors
    /// If the card is lost.
    pub(super) fn play(&mut self, said: &[f32]) -> Result<(), CardError> {
        self.to_card.process(said, &mut self.ready);
        self.stream.send_all(&self.ready);
        self.ready.clear();
        self.stream.check()
    }
}
