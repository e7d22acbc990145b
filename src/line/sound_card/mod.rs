//! Sound cards, through cpal: the only module that names it.
//!
//! The card's callbacks run on threads that must not wait, so they only move [`Block`]s through bounded channels: no
//! allocation, no lock of ours, no waiting; what finds no room is dropped and counted in [`Stats`]. Everything else happens
//! on the thread that owns the [`DuplexStream`]:
//!
//! ```no_run
//! use std::time::Duration;
//! use tonopago::line::sound_card::{Request, SoundCard};
//!
//! let card = SoundCard::open(&Request { device: "alsa:hw:CARD=Device,DEV=0".into(), ..Request::default() })?;
//! loop {
//!     let heard = card.next_block(Duration::from_secs(2))?;
//!     // The call's step goes here; what it answers has the same length.
//!     let said = heard;
//!     card.send(said);
//! }
//! # #[expect(unreachable_code, reason = "the loop ends by error")]
//! # Ok::<(), tonopago::line::sound_card::CardError>(())
//! ```
//!
//! Input and output of one card may run from different clocks, and sound comes in bursts. The output evens that out with
//! a buffer that adapts, and counts what it left out and what it missed.

mod blocks;
mod devices;
mod error;
mod plan;
mod playback;
mod stream;

pub use blocks::{BLOCK_SAMPLES, Block, Capture};
pub use devices::{Card, Form, cards};
pub use error::CardError;
pub use playback::Playback;
pub use stream::{DuplexStream, InputStream, OutputStream, SoundCard};

use std::sync::atomic::{AtomicU64, Ordering};

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A card's id, a part of its id or name that only it has, or `default`.
    pub device: String,
    /// The card that plays, where it is not the one that listens (PulseAudio names the two directions apart).
    pub output: Option<String>,
    /// Hz; without it the rate the card works at by itself.
    pub rate: Option<u32>,
    /// The input channel that is the line, from 0.
    pub channel: u16,
    /// The output channel that is the line, from 0; without it all of them, for a card that has no other line.
    pub output_channel: Option<u16>,
    /// Length of the card's own buffer to ask for, in ms. Less is faster, more survives a busy machine.
    pub period_ms: u32,
}

impl Request {
    /// The card that plays.
    pub fn player(&self) -> &str {
        self.output.as_deref().unwrap_or(&self.device)
    }
}

impl Default for Request {
    /// The default card at its own rate, left channel, played on all channels, 20 ms.
    fn default() -> Self {
        let device = "default".to_owned();
        Self { device, output: None, rate: None, channel: 0, output_channel: None, period_ms: 20 }
    }
}

/// What a stream has counted since it was opened. All counters only grow.
#[derive(Debug, Default)]
pub struct Stats {
    heard: AtomicU64,
    heard_dropped: AtomicU64,
    played: AtomicU64,
    starved: AtomicU64,
    skipped: AtomicU64,
    xruns: AtomicU64,
}

impl Stats {
    /// Samples the card delivered.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Samples lost because nobody took the blocks in time.
    pub fn heard_dropped(&self) -> u64 {
        self.heard_dropped.load(Ordering::Relaxed)
    }

    /// Samples of ours the card played.
    pub fn played(&self) -> u64 {
        self.played.load(Ordering::Relaxed)
    }

    /// Silent samples played because none of ours had come in time, not counting the time before the first.
    pub fn starved(&self) -> u64 {
        self.starved.load(Ordering::Relaxed)
    }

    /// Samples of ours left out because too many were waiting: the output's clock is slower than the input's, or the card
    /// has stopped.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Times the card told that its own buffer ran over or empty.
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
