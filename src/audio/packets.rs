//! Recordings in other containers than WAV (mp3, ogg, flac, aiff, m4a, aac, webm), decoded by symphonia, and Opus by ropus.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::block::{BLOCK_FRAMES, Block};
use super::pcm::finite;
use super::problem::{Problem, Warning};
use super::stream::{Counted, Failure};
use flac::{Joined, Next};
use ogg::{Loss, Losses};
use source::Source;
use track::Track;

mod clock;
mod flac;
mod forms;
mod matroska;
mod mp3;
mod mp4;
mod ogg;
mod opus;
mod source;
mod track;

/// Longest sound held back until it is known what was lost before it, in seconds; a page of an ogg is shorter.
const LONGEST_HELD_S: usize = 120;
/// Packets that may fail before the first good one; more, and the bytes are no recording.
const BAD_PACKETS_AT_START: u32 = 16;
/// Packets in a row in another form from which on an mp3 is taken to go on in that; fewer are damaged headers.
const FOREIGN_PACKETS: u32 = 8;
/// What goes on in a form that can't be followed.
const OTHER_FORM: &str = "it goes on with another sample rate or number of channels";

/// Decodes one recording's first sound track, packet by packet.
pub(super) struct PacketReader {
    format: Box<dyn FormatReader>,
    track: Track,
    sample_rate: u32,
    channels: usize,
    /// Frames of silence to hand out before `decoded`.
    silence: u64,
    /// The packet being handed out, and how much of it has been.
    decoded: Block,
    given: usize,
    damaged: u32,
    /// Packets of an mp3 in a row that are in another form than the first.
    foreign: u32,
    /// Why the last damaged packet was.
    fault: Option<String>,
    end: Option<End>,
    failure: Failure,
    losses: Losses,
    joined: Joined,
    /// Sound behind a loss whose length only what follows tells.
    held: Option<(Loss, Block)>,
}

/// Why a packet stream is over.
enum End {
    /// Its own end.
    Complete,
    /// The bytes ran out.
    Cut,
    /// It goes on in a form that can't be followed.
    Broken(String),
}

impl PacketReader {
    /// Opens a file from its start.
    pub(super) fn open_file(file: Counted<File>) -> Result<Self, Problem> {
        let failure = file.failure.clone();
        let (source, fallback) = source::of_file(file)?;
        match (Self::open(source, &failure), fallback) {
            // What ends before its header says is refused where it can be seen, and read from a pipe.
            (Err(refused @ (Problem::Undecodable { .. } | Problem::NoBeginning)), Some(fallback)) => {
                Self::open(fallback.source()?, &failure).map_err(|_| refused)
            }
            (opened, _) => opened,
        }
    }

    /// Opens a stream of which `record` has been read.
    pub(super) fn open_stream(
        record: Vec<u8>,
        rest: Counted<impl Read + Send + Sync + 'static>,
    ) -> Result<Self, Problem> {
        let failure = rest.failure.clone();
        let source = source::of_stream(record, rest)?;
        Self::open(source, &failure)
    }

    fn open(mut source: Source, failure: &Failure) -> Result<Self, Problem> {
        let known = source.known.take();
        let opened = guarded(|| Self::probe(source, failure.clone()));
        let opened = opened.map_err(|why| Problem::Undecodable { why }).flatten();
        opened.map_err(|problem| match (failure.error(), problem, known) {
            (Some(source), ..) => Problem::Read { at_s: 0.0, source },
            (None, Problem::Undecodable { .. } | Problem::NoBeginning, Some(known)) => known,
            (None, problem, _) => problem,
        })
    }

    fn probe(source: Source, failure: Failure) -> Result<Self, Problem> {
        let format = format(source.bytes)?;
        let track = Track::of(&*format, &source.index)?;
        let mut reader = Self {
            format,
            track,
            sample_rate: 0,
            channels: 0,
            silence: 0,
            decoded: Block::new(),
            given: 0,
            damaged: 0,
            foreign: 0,
            fault: None,
            end: None,
            failure,
            losses: source.losses,
            joined: source.joined,
            held: None,
        };
        reader.first_packet().map_err(|why| Problem::Undecodable { why })?;
        Ok(reader)
    }

    /// The rate and the channels are known for certain only from decoded sound.
    fn first_packet(&mut self) -> Result<(), String> {
        while self.sample_rate == 0 && self.damaged <= BAD_PACKETS_AT_START && self.end.is_none() {
            self.advance();
        }
        match (self.sample_rate, &self.end, &self.fault) {
            (0, Some(End::Broken(why)), _) => Err(why.clone()),
            (0, _, Some(why)) => Err(format!("none of its sound can be decoded: {why}")),
            (0, _, None) => Err("none of its sound can be decoded".to_owned()),
            _ => Ok(()),
        }
    }

    const fn form(&self) -> (u32, usize) {
        (self.sample_rate, self.channels)
    }

    /// Hz, as decoded.
    pub(super) const fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    pub(super) const fn channels(&self) -> usize {
        self.channels
    }

    /// What was wrong with a recording of which `frames` were given, once [`next_block`](Self::next_block) gave an empty
    /// block.
    pub(super) fn warning(&self, frames: u64) -> Option<Warning> {
        let seconds = |frames: u64| frames as f64 / f64::from(self.sample_rate);
        let at_s = seconds(frames);
        let given = frames.saturating_add(self.track.dropped);
        let declared = self.track.declared.map(|ticks| self.track.clock.frames(ticks, self.sample_rate));
        let missing = declared.map(|all| all.saturating_sub(given));
        // A count may be wrong by the packet it stands in; where the bytes ran out, it is right.
        let tolerated =
            if matches!(self.end, Some(End::Cut)) { 0 } else { self.track.clock.longest_packet(self.sample_rate) };
        match (&self.end, missing) {
            (Some(End::Broken(why)), _) => Some(Warning::Abandoned { at_s, why: why.clone() }),
            // An mp3's packets carry no times: what its damage takes shows only here.
            (_, Some(missing)) if missing > tolerated && self.track.is_mp3() => {
                Some(Warning::Missing { at_s, missing_s: seconds(missing) })
            }
            (_, Some(missing)) if missing > tolerated => Some(Warning::Truncated { at_s, missing_s: seconds(missing) }),
            (Some(End::Cut), None) => Some(Warning::Torn { at_s }),
            _ if self.damaged > 0 => Some(Warning::Damaged { packets: self.damaged }),
            _ => None,
        }
    }

    /// Fills `block` with up to [`BLOCK_FRAMES`]; an empty block is the end.
    ///
    /// # Errors
    /// If the device failed, once everything before is given.
    pub(super) fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        block.reset(self.channels);
        while self.silence == 0 && self.given == self.decoded.frames() && self.end.is_none() {
            if let Err(panic) = guarded(|| self.advance()) {
                self.end = Some(End::Broken(panic));
                self.decoded.reset(self.channels);
                self.given = 0;
            }
        }
        if self.silence > 0 {
            let frames = self.silence.min(BLOCK_FRAMES as u64);
            self.silence -= frames;
            block.planes_mut().iter_mut().for_each(|plane| plane.resize(frames as usize, 0.0));
            return Ok(());
        }
        self.given += block.append(&self.decoded, self.given, BLOCK_FRAMES);
        match self.failure.error() {
            Some(error) if block.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Decodes the next packet into `decoded`, behind the `silence` that keeps its time right, or sets `end`.
    fn advance(&mut self) {
        self.given = 0;
        self.decoded.reset(self.channels);
        let next = self.format.next_packet();
        let joined = matches!(next, Err(Error::ResetRequired));
        match next {
            Ok(Some(packet)) if packet.track_id == self.track.id => self.packet(&self.track.timed(packet)),
            Ok(Some(_)) => {}
            Ok(None) => self.end = Some(End::Complete),
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.end = Some(if self.track.may_end_anywhere() { End::Complete } else { End::Cut });
            }
            Err(Error::ResetRequired) => {}
            Err(error) => self.end = Some(End::Broken(text(error))),
        }
        if let Some((loss, held)) = self.held.take_if(|_| joined || self.end.is_some()) {
            self.damaged = self.damaged.saturating_add(self.track.clock.end_at(loss.after));
            self.decoded = held;
        }
        // What is missing before the first sound is known in frames only once the rate is.
        if self.sample_rate > 0 {
            self.silence += self.track.clock.settle(self.sample_rate);
            self.drop_delay();
        }
        let goes_on = match self.over().then(|| self.joined.take()).flatten() {
            Some(next) => self.open_next(next),
            None if joined => self.track.follow(&*self.format),
            None => Ok(()),
        };
        if let Err(problem) = goes_on {
            self.end = Some(End::Broken(format!("the recording joined to it {problem}")));
        }
    }

    const fn over(&self) -> bool {
        matches!(self.end, Some(End::Complete | End::Cut))
    }

    /// Goes on with a flac that stands behind the one that is over. What that one lacks at its end becomes silence.
    fn open_next(&mut self, next: Next) -> Result<(), Problem> {
        let is_cut = matches!(self.end, Some(End::Cut));
        let length = self.track.length.and_then(|length| i64::try_from(length).ok());
        let lost = length.map_or(u32::from(is_cut), |length| self.track.clock.end_at(length));
        self.damaged = self.damaged.saturating_add(lost);
        let source = source::of_joined(next);
        (self.format, self.joined) = (format(source.bytes)?, source.joined);
        self.end = None;
        self.track.follow(&*self.format)
    }

    /// Decodes a packet, and holds it back behind a loss until what is lost is known.
    fn packet(&mut self, packet: &Packet) {
        let begins = packet.pts.get();
        if !self.track.clock.has_begun() {
            // The first sound may have any time, unless there are bytes before it that are damaged.
            let loss = self.losses.before(packet.track_id, begins).filter(|loss| loss.damaged);
            loss.into_iter().for_each(|loss| self.track.clock.begin_at(loss.before));
        }
        let missing = self.track.clock.packet(packet);
        self.damaged = self.damaged.saturating_add(missing);
        let most = LONGEST_HELD_S * self.sample_rate as usize;
        let known = |held: &Block, loss: &Loss| missing > 0 || begins >= loss.after || held.frames() > most;
        let released = self.held.take_if(|(loss, held)| known(held, loss)).map(|(_, held)| held);
        if self.held.is_none() {
            let loss = self.losses.before(packet.track_id, begins);
            self.held = loss.map(|loss| (loss, Block::new()));
        }
        self.decode(packet);
        if let Some((_, held)) = &mut self.held {
            move_to(held, &mut self.decoded, &mut self.given);
        }
        if let Some(mut released) = released {
            move_to(&mut released, &mut self.decoded, &mut self.given);
            self.decoded = released;
        }
    }

    fn drop_delay(&mut self) {
        let delay = self.track.delay(self.sample_rate).saturating_sub(self.track.dropped);
        let silence = delay.min(self.silence);
        let decoded = (delay - silence).min((self.decoded.frames() - self.given) as u64);
        self.silence -= silence;
        self.given += decoded as usize;
        self.track.dropped += silence + decoded;
    }

    fn decode(&mut self, packet: &Packet) {
        match self.track.decoder.decode(packet) {
            Ok(sound) => {
                let (rate, channels) = (sound.spec().rate(), sound.num_planes());
                if self.sample_rate == 0 {
                    (self.sample_rate, self.channels) = (rate, channels);
                }
                if (rate, channels) != (self.sample_rate, self.channels) {
                    self.end = Some(End::Broken(OTHER_FORM.to_owned()));
                    return;
                }
                sound.copy_to_vecs_planar(self.decoded.planes_mut());
                // Floating point may hold anything.
                self.decoded.planes_mut().iter_mut().flatten().for_each(|sample| *sample = finite(*sample));
                self.foreign = 0;
                if self.track.is_mp3() {
                    // The encoder's delay, which the decoder was told to leave in.
                    self.given = usize::try_from(packet.trim_start.get()).unwrap_or(0).min(self.decoded.frames());
                }
            }
            // The packet's bytes are in memory: whatever a decoder calls what it finds there, an end of file or an unsupported
            // feature, they are damaged.
            Err(error) => {
                self.damaged = self.damaged.saturating_add(1);
                self.track.clock.damaged(packet);
                self.fault = Some(text(error));
                let foreign = self.track.is_mp3() && mp3::form(&packet.data).is_some_and(|form| form != self.form());
                self.foreign = if foreign { self.foreign + 1 } else { 0 };
                if self.foreign == FOREIGN_PACKETS {
                    self.end = Some(End::Broken(OTHER_FORM.to_owned()));
                }
            }
        }
    }
}

/// The container's reader for a recording's bytes.
fn format(bytes: Box<dyn MediaSource>) -> Result<Box<dyn FormatReader>, Problem> {
    let stream = MediaSourceStream::new(bytes, Default::default());
    let (options, metadata) = (FormatOptions::default(), MetadataOptions::default());
    // symphonia takes a hint of the file's extension and makes nothing of it.
    let format = symphonia::default::get_probe().probe(&Hint::new(), stream, options, metadata);
    format.map_err(|error| match error {
        Error::Unsupported(_) => {
            Problem::Undecodable { why: "it begins as no form does that is known here".to_owned() }
        }
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => Problem::NoBeginning,
        error => Problem::Undecodable { why: text(error) },
    })
}

/// Appends what is left of a block to another and empties it.
fn move_to(all: &mut Block, decoded: &mut Block, given: &mut usize) {
    if all.channels() == 0 {
        all.reset(decoded.channels());
    }
    all.append(decoded, std::mem::take(given), usize::MAX);
    decoded.reset(decoded.channels());
}

fn text(error: Error) -> String {
    error.to_string()
}

/// Runs code that parses hostile bytes with overflow checks on: one recording's panic is that recording's error.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "its decoder gave up on malformed data".to_owned())
}
