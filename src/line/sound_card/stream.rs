//! Opening a card's streams and owning them.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{ErrorKind, FromSample, I24, SampleFormat, SizedSample};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::blocks::{BLOCK_SAMPLES, Block, Capture};
use super::devices::{Direction, find};
use super::plan::{Chosen, Plan};
use super::playback::Playback;
use super::{CardError, Request, Stats};

/// What the channels hold, in ms: more than any pause of a healthy machine.
const HOLD_MS: u32 = 1000;
/// Time between two looks into the input. A receiver that sleeps inside the channel would cost the callback the time of
/// waking it.
const POLL: Duration = Duration::from_millis(5);
/// Longest wait for a card to open.
const OPENING: Duration = Duration::from_secs(5);
/// Faults kept until somebody looks; the first is what counts.
const FAULTS: usize = 4;

/// Opens sound cards.
#[derive(Clone, Copy, Debug)]
pub struct SoundCard;

/// A card that listens.
#[derive(Debug)]
pub struct InputStream {
    /// What the card heard, in blocks of any length up to [`BLOCK_SAMPLES`]. Poll it, do not sleep in it:
    /// [`next_block`](Self::next_block) does so.
    pub input: Receiver<Block>,
    /// Samples per second, in Hz.
    pub rate: u32,
    /// What happened so far.
    pub stats: Arc<Stats>,
    faults: Faults,
    _stream: Stream,
}

/// A card that plays.
#[derive(Debug)]
pub struct OutputStream {
    /// Samples per second, in Hz.
    pub rate: u32,
    /// What happened so far.
    pub stats: Arc<Stats>,
    /// It is full if the card has stopped.
    blocks: Sender<Block>,
    faults: Faults,
    _stream: Stream,
}

/// A card that listens and plays.
#[derive(Debug)]
pub struct DuplexStream {
    /// What the card heard, as in [`InputStream`].
    pub input: Receiver<Block>,
    /// Samples per second in both directions, in Hz.
    pub rate: u32,
    /// What happened so far.
    pub stats: Arc<Stats>,
    listening: InputStream,
    playing: OutputStream,
}

impl SoundCard {
    /// Opens a card for listening; sound comes from now on.
    ///
    /// # Errors
    /// If there is no such card, it is in use or forbidden, or can't work as asked.
    pub fn listen(request: &Request) -> Result<InputStream, CardError> {
        let (card, device) = find(&request.device, Direction::Input)?;
        let chosen = Chosen { card: &card, device: &device, direction: Direction::Input };
        open_input(&chosen, Plan::new(&chosen, request.rate, request)?, request.channel)
    }

    /// Opens a card for playing; silence is played until something is sent.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub fn play(request: &Request) -> Result<OutputStream, CardError> {
        let (card, device) = find(request.player(), Direction::Output)?;
        let chosen = Chosen { card: &card, device: &device, direction: Direction::Output };
        open_output(&chosen, Plan::new(&chosen, request.rate, request)?, request.output_channel, Arc::default())
    }

    /// Opens a card for listening and playing; sound comes from now on, and silence is played until something is sent.
    ///
    /// # Errors
    /// As [`listen`](Self::listen), or if both directions can't work at one rate.
    pub fn open(request: &Request) -> Result<DuplexStream, CardError> {
        let (card, device) = find(&request.device, Direction::Input)?;
        let (out_card, out_device) = find(request.player(), Direction::Output)?;
        let from = Chosen { card: &card, device: &device, direction: Direction::Input };
        let to = Chosen { card: &out_card, device: &out_device, direction: Direction::Output };
        let (input_plan, output_plan) = Plan::both(&from, &to, request)?;
        let listening = open_input(&from, input_plan, request.channel)?;
        let (input, rate, stats) = (listening.input.clone(), listening.rate, Arc::clone(&listening.stats));
        let playing = open_output(&to, output_plan, request.output_channel, Arc::clone(&stats))?;
        Ok(DuplexStream { input, rate, stats, listening, playing })
    }
}

impl InputStream {
    /// The id of the card that was opened.
    pub fn card(&self) -> &str {
        &self.faults.card
    }

    /// The next block the card heard, waiting up to `patience` for it.
    ///
    /// # Errors
    /// If the card is lost, or delivered nothing in all that time.
    pub fn next_block(&self, patience: Duration) -> Result<Block, CardError> {
        let since = Instant::now();
        loop {
            if let Ok(block) = self.input.try_recv() {
                return Ok(block);
            }
            self.check()?;
            if since.elapsed() >= patience {
                return Err(CardError::Silent { card: self.faults.card.clone(), seconds: patience.as_secs() });
            }
            thread::sleep(POLL);
        }
    }

    /// Whether the card still works.
    ///
    /// # Errors
    /// [`CardError::Lost`] and its like once the card has told so. The stream is dead then: drop it and open another.
    pub fn check(&self) -> Result<(), CardError> {
        self.faults.check()
    }
}

impl OutputStream {
    /// The id of the card that was opened.
    pub fn card(&self) -> &str {
        &self.faults.card
    }

    /// Plays a block behind those sent before. If the output is full the block is dropped and counted as skipped: the card
    /// has stopped, and [`check`](Self::check) will tell why.
    pub fn send(&self, block: Block) {
        if self.blocks.try_send(block).is_err() {
            Stats::add(&self.stats.skipped, block.samples().len());
        }
    }

    /// Plays samples (full scale 1.0) behind those sent before, in as many blocks as it takes.
    pub fn send_all(&self, samples: &[f32]) {
        samples.chunks(BLOCK_SAMPLES).for_each(|part| self.send(Block::new(part)));
    }

    /// Whether the card still works.
    ///
    /// # Errors
    /// As [`InputStream::check`].
    pub fn check(&self) -> Result<(), CardError> {
        self.faults.check()
    }
}

impl DuplexStream {
    /// The id of the card that listens.
    pub fn card(&self) -> &str {
        self.listening.card()
    }

    /// The next block the card heard, waiting up to `patience` for it.
    ///
    /// # Errors
    /// If the card is lost in either direction, or delivered nothing in all that time.
    pub fn next_block(&self, patience: Duration) -> Result<Block, CardError> {
        self.playing.check()?;
        self.listening.next_block(patience)
    }

    /// Plays a block behind those sent before, as [`OutputStream::send`]: as many samples as were heard.
    pub fn send(&self, block: Block) {
        self.playing.send(block);
    }

    /// Plays samples, as [`OutputStream::send_all`]: as many as were heard.
    pub fn send_all(&self, samples: &[f32]) {
        self.playing.send_all(samples);
    }

    /// Whether the card still works in both directions.
    ///
    /// # Errors
    /// As [`InputStream::check`].
    pub fn check(&self) -> Result<(), CardError> {
        self.listening.check().and_then(|()| self.playing.check())
    }
}

/// What the error callback of one stream told.
#[derive(Debug)]
struct Faults {
    card: String,
    told: Receiver<cpal::Error>,
    /// A dead stream stays dead: what is told once is told again.
    first: OnceLock<CardError>,
}

impl Faults {
    fn check(&self) -> Result<(), CardError> {
        if let Ok(error) = self.told.try_recv() {
            self.first.get_or_init(|| CardError::of(&self.card, &error));
        }
        self.first.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

/// A running stream; it stops when it is dropped.
struct Stream(cpal::Stream);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("buffer", &self.0.buffer_size().ok()).finish()
    }
}

/// The callback for errors, which runs on an audio thread.
type OnError = Box<dyn FnMut(cpal::Error) + Send>;

fn open_input(chosen: &Chosen<'_>, plan: Plan, channel: u16) -> Result<InputStream, CardError> {
    let (stats, rate) = (Arc::new(Stats::default()), plan.config.sample_rate);
    let (blocks, input) = bounded(blocks_of(HOLD_MS, rate));
    let capture = Capture::new(blocks, usize::from(plan.config.channels), usize::from(channel), Arc::clone(&stats));
    let (stream, faults) = start(chosen, &stats, |error| input_stream(chosen, plan, capture, error))?;
    Ok(InputStream { input, rate, stats, faults, _stream: stream })
}

fn open_output(
    chosen: &Chosen<'_>,
    plan: Plan,
    channel: Option<u16>,
    stats: Arc<Stats>,
) -> Result<OutputStream, CardError> {
    let rate = plan.config.sample_rate;
    let (blocks, sent) = bounded(blocks_of(HOLD_MS, rate));
    let playback = Playback::new(sent, usize::from(plan.config.channels), rate, Arc::clone(&stats));
    let playback = playback.on_channel(channel.map(usize::from));
    let (stream, faults) = start(chosen, &stats, |error| output_stream(chosen, plan, playback, error))?;
    Ok(OutputStream { rate, stats, blocks, faults, _stream: stream })
}

/// Blocks that hold so many ms, at least one. Callbacks may deliver shorter blocks: then they hold less.
fn blocks_of(ms: u32, rate: u32) -> usize {
    let samples = u64::from(rate) * u64::from(ms) / 1000;
    usize::try_from(samples).map_or(1, |samples| samples.div_ceil(BLOCK_SAMPLES).max(1))
}

/// Builds a stream and starts it: cpal's streams begin paused.
fn start(
    chosen: &Chosen<'_>,
    stats: &Arc<Stats>,
    build: impl FnOnce(OnError) -> Result<cpal::Stream, cpal::Error>,
) -> Result<(Stream, Faults), CardError> {
    let (tell, told) = bounded(FAULTS);
    let stats = Arc::clone(stats);
    let on_error = Box::new(move |error: cpal::Error| match error.kind() {
        ErrorKind::Xrun => Stats::add(&stats.xruns, 1),
        // The stream goes on.
        ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
        _ => drop(tell.try_send(error)),
    });
    let refused = |error: cpal::Error| CardError::of(chosen.card, &error);
    let stream = build(on_error).map_err(refused)?;
    stream.play().map_err(refused)?;
    Ok((Stream(stream), Faults { card: chosen.card.to_owned(), told, first: OnceLock::new() }))
}

/// Calls a function for the type of a card's samples.
macro_rules! for_format {
    ($format:expr, $typed:ident ($($argument:expr),*)) => {
        match $format {
            SampleFormat::I8 => $typed::<i8>($($argument),*),
            SampleFormat::I16 => $typed::<i16>($($argument),*),
            SampleFormat::I24 => $typed::<I24>($($argument),*),
            SampleFormat::I32 => $typed::<i32>($($argument),*),
            SampleFormat::U8 => $typed::<u8>($($argument),*),
            SampleFormat::U16 => $typed::<u16>($($argument),*),
            SampleFormat::F64 => $typed::<f64>($($argument),*),
            // The plan allows no other.
            _ => $typed::<f32>($($argument),*),
        }
    };
}

fn input_stream(chosen: &Chosen<'_>, plan: Plan, work: Capture, error: OnError) -> Result<cpal::Stream, cpal::Error> {
    fn typed<T: SizedSample>(
        device: &cpal::Device,
        plan: Plan,
        work: Capture,
        error: OnError,
    ) -> Result<cpal::Stream, cpal::Error>
    where
        f32: FromSample<T>,
    {
        device.build_input_stream(plan.config, move |frames: &[T], _: &_| work.take(frames), error, Some(OPENING))
    }
    for_format!(plan.format, typed(chosen.device, plan, work, error))
}

fn output_stream(chosen: &Chosen<'_>, plan: Plan, work: Playback, error: OnError) -> Result<cpal::Stream, cpal::Error> {
    fn typed<T: SizedSample + FromSample<f32>>(
        device: &cpal::Device,
        plan: Plan,
        mut work: Playback,
        error: OnError,
    ) -> Result<cpal::Stream, cpal::Error> {
        device.build_output_stream(plan.config, move |frames: &mut [T], _: &_| work.fill(frames), error, Some(OPENING))
    }
    for_format!(plan.format, typed(chosen.device, plan, work, error))
}
