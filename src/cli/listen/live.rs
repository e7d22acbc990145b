//! Listening: blocks from the card through the detector to the display.

use std::process::ExitCode;
use std::time::Duration;

use tonopago::audio::{Block as Frames, Recording, Resampler};
use tonopago::dtmf::Detector;
use tonopago::line::sound_card::{Block, CardError, DuplexStream, InputStream, Request, SoundCard, Stats};

use super::super::{Failure, Outcome};
use super::Args;
use super::display::Display;

/// How long a card may deliver nothing.
const PATIENCE: Duration = Duration::from_secs(3);

pub(in super::super) fn run(args: Args) -> Outcome {
    let request = Request {
        device: args.device.clone(),
        output: args.output.clone(),
        rate: args.rate,
        channel: args.channel,
        ..Request::default()
    };
    let line = match &args.play {
        Some(path) => {
            let recording = Recording::open(path).map_err(Failure::failed)?;
            let stream = SoundCard::open(&request).map_err(Failure::failed)?;
            let player = Player::new(recording, stream.rate);
            Line::Duplex(stream, player)
        }
        None => Line::Input(SoundCard::listen(&request).map_err(Failure::failed)?),
    };
    let detector = Detector::new(line.rate(), &args.profile.profile()).map_err(Failure::failed)?;
    listen(line, detector, &args)
}

/// Until the time is over, the recording played, or the card lost.
fn listen(mut line: Line, mut detector: Detector, args: &Args) -> Outcome {
    let rate = line.rate();
    let mut display = Display::new(line.card(), rate, args);
    let most = args.seconds.map(|seconds| (seconds * f64::from(rate)).max(0.0) as u64);
    let mut fallible = Ok(());
    while most.is_none_or(|most| detector.position() < most) {
        let heard = line.next_block().inspect_err(|_| display.clear()).map_err(Failure::failed)?;
        let Some(block) = heard else { break };
        detector.process(block.samples(), &mut |event| {
            if fallible.is_ok() {
                fallible = display.event(event);
            }
        });
        std::mem::replace(&mut fallible, Ok(()))?;
        display.level(block.samples());
    }
    detector.finish(&mut |event| {
        if fallible.is_ok() {
            fallible = display.event(event);
        }
    });
    fallible?;
    display.clear();
    report(line.stats(), line.card(), rate);
    Ok(ExitCode::SUCCESS)
}

fn report(stats: &Stats, card: &str, rate: u32) {
    let seconds = |samples: u64| samples as f64 / f64::from(rate);
    say!(
        "tonopago: {card} at {rate} Hz: heard {:.3} s, lost {:.3} s, card's own buffer overrun {} times",
        seconds(stats.heard()),
        seconds(stats.heard_dropped()),
        stats.xruns()
    );
    if stats.played() > 0 {
        let (played, starved, skipped) = (stats.played(), stats.starved(), stats.skipped());
        let (played, starved, skipped) = (seconds(played), seconds(starved), seconds(skipped));
        say!("tonopago: played {played:.3} s, starved {starved:.3} s, skipped {skipped:.3} s");
    }
}

#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Line {
    Input(InputStream),
    Duplex(DuplexStream, Player),
}

impl Line {
    fn rate(&self) -> u32 {
        match self {
            Self::Input(stream) => stream.rate,
            Self::Duplex(stream, _) => stream.rate,
        }
    }

    fn stats(&self) -> &Stats {
        match self {
            Self::Input(stream) => &stream.stats,
            Self::Duplex(stream, _) => &stream.stats,
        }
    }

    fn card(&self) -> &str {
        match self {
            Self::Input(stream) => stream.card(),
            Self::Duplex(stream, _) => stream.card(),
        }
    }

    /// What was heard; `None` once everything has been played.
    fn next_block(&mut self) -> Result<Option<Block>, CardError> {
        match self {
            Self::Input(stream) => stream.next_block(PATIENCE).map(Some),
            Self::Duplex(stream, player) => {
                let heard = stream.next_block(PATIENCE)?;
                // The output runs by the input's clock: as many samples go out as came in.
                let Some(block) = player.next_block(heard.samples().len()) else { return Ok(None) };
                stream.send(block);
                Ok(Some(heard))
            }
        }
    }
}

/// Plays a recording's first channel at the card's rate, and a second of silence behind it.
struct Player {
    recording: Recording,
    resampler: Resampler,
    frames: Frames,
    ready: Vec<f32>,
    given: usize,
    ended: bool,
    silence: usize,
}

impl Player {
    fn new(recording: Recording, rate: u32) -> Self {
        let resampler = Resampler::new(recording.sample_rate(), rate);
        Self {
            recording,
            resampler,
            frames: Frames::new(),
            ready: Vec::new(),
            given: 0,
            ended: false,
            silence: rate as usize,
        }
    }

    fn next_block(&mut self, length: usize) -> Option<Block> {
        while self.ready.len() - self.given < length && !self.ended {
            self.read();
        }
        let end = self.ready.len().min(self.given + length);
        let mut samples = self.ready[self.given..end].to_vec();
        self.given = end;
        let missing = length - samples.len();
        if missing > self.silence {
            return None;
        }
        self.silence -= missing;
        samples.resize(length, 0.0);
        Some(Block::new(&samples))
    }

    fn read(&mut self) {
        self.ready.drain(..self.given);
        self.given = 0;
        match self.recording.next_block(&mut self.frames) {
            Ok(true) => self.resampler.process(self.frames.channel(0), &mut self.ready),
            Ok(false) => self.end(),
            Err(error) => {
                say!("tonopago: {error}");
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.resampler.finish(&mut self.ready);
        self.ended = true;
    }
}
