//! The call engine: line audio in, line audio and effects out, with no clock, thread, socket or file inside.
//!
//! # Contract
//! - [`Call::step`] takes samples of line audio at 8 kHz and writes as many samples for the line. It may take fewer than
//!   it was given: it stops after the sample at which new effects arose, so that they are performed at their exact time
//!   whatever the block size. With effects polled after each step, the same audio in blocks of any size gives the same
//!   trace, and a service answered at once is answered at the same sample.
//! - Time is the count of samples taken. Nothing else moves it. What time of day it is the driver tells once, when the call
//!   begins ([`CallConfig::began`]).
//! - The driver performs every [`Effect`]: it asks services and gives their answers to [`Call::reply`], keeps or prints
//!   events, and ends the line's call on [`Effect::HangUp`].
//! - The box's own voice is taken out of what the line gives before anything listens to it
//!   ([`EchoCanceller`]). A tone by which the network tells that the caller has gone
//!   ([`progress`](crate::progress)) ends the call like [`Call::hang_up`]; [`Call::tone`] tells which it was.
//! - [`Call::hang_up`] tells that the caller is gone. A service request outstanding then is still performed by the
//!   driver to its end; only nobody hears about it.
//! - After the call is over `step` still takes samples and gives silence.
//! - `step` does not allocate unless something happens (a key, a prompt, a state).
//!
//! ```
//! use std::sync::Arc;
//! use tonopago::call::{Call, CallConfig, Effect};
//! use tonopago::menu::Menu;
//! use tonopago::speech::Clips;
//!
//! let clips = Clips::embedded();
//! let text = "{version: 1, name: hola, languages: [es-MX], start: adios, give_up: adios,
//!              states: {adios: {say: [despedida], hang_up: true}}}";
//! let menu = Menu::parse("hola.yaml", text, &*clips)?;
//! let mut call = Call::new(menu, clips, &CallConfig::default());
//!
//! let line_in = [0.0; 160]; // 20 ms of silence from the line, again and again
//! let mut line_out = [0.0; 160];
//! let mut hung_up = false;
//! while !hung_up {
//!     let mut done = 0;
//!     while done < line_in.len() {
//!         done += call.step(&line_in[done..], &mut line_out[done..]);
//!         while let Some(effect) = call.poll_effect() {
//!             match effect {
//!                 Effect::Event(event) => println!("{event}"),
//!                 Effect::Request { .. } => unreachable!("this menu asks no service"),
//!                 Effect::Save(answers) => println!("{answers}"),
//!                 Effect::Transfer { to } => println!("to be handed over to {to}"),
//!                 Effect::HangUp => hung_up = true,
//!             }
//!         }
//!     }
//!     // ... write line_out to the line ...
//! }
//! assert!(call.is_over());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod recorder;
mod told;
pub(crate) mod voice;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::audio::EchoCanceller;
use crate::dtmf::{self, Detector, Digit, Profile};
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Action, Answers, Event, Menu, Runtime, View};
use crate::progress::{Country, Heard, Progress};
use crate::service::{Reply, Request, RequestId};
use crate::speech::Clips;

pub use recorder::Frame;
use recorder::{LOOK_BACK, Recorder};
use told::TwiceTold;
use voice::Voice;

/// Samples per engine tick: 10 ms. Keys, timers and prompts are looked at once per tick.
const TICK: usize = SAMPLE_RATE as usize / 100;

/// 2026-01-01T00:00:00Z, a date before which no card has expired.
const LONG_AGO: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// How a call is run.
#[derive(Debug, Clone)]
pub struct CallConfig {
    /// The detector's profile.
    pub profile: Profile,
    /// Whether to keep a recording for [`Call::take_recording`]. Card data is silent in it.
    pub record: bool,
    /// When the call began, as clocks on the wall show it: by this the menu's hours are judged, and card expiries. It
    /// stays the same for the whole call.
    pub began: Zoned,
    /// The tones by which the network tells that the caller has gone.
    pub tones: &'static Country,
}

impl Default for CallConfig {
    /// The default detector, no recording, a date before which no card has expired, and Mexico's tones.
    fn default() -> Self {
        let began = LONG_AGO.to_zoned(TimeZone::UTC);
        Self { profile: Profile::default(), record: false, began, tones: Country::mexico() }
    }
}

/// Something for the driver to do.
pub enum Effect {
    /// Perform a service request and give the answer to [`Call::reply`].
    Request {
        /// To be given back with the answer.
        id: RequestId,
        /// What to ask.
        request: Box<Request>,
    },
    /// An entry of the call's trace, masked.
    Event(Event),
    /// Keep the caller's answers, with the wall-clock time.
    Save(Answers),
    /// Hand the line's call over to this number. [`Effect::HangUp`] follows, for lines that can't.
    Transfer {
        /// Digits, `*` and `#`, perhaps after a `+`.
        to: String,
    },
    /// End the line's call.
    HangUp,
}

/// One call.
pub struct Call {
    runtime: Runtime,
    canceller: EchoCanceller,
    detector: Detector,
    progress: Progress,
    tone: Option<Heard>,
    key_sounds: bool,
    told: TwiceTold,
    voice: Voice,
    recorder: Option<Recorder>,
    heard: [f32; TICK],
    said: [f32; TICK],
    /// What was heard without the echo of what was said.
    clean: [f32; TICK],
    filled: usize,
    now: MediaTime,
    effects: VecDeque<Effect>,
}

impl Call {
    /// Answers a call: the menu's start state is entered at media time 0.
    ///
    /// # Panics
    /// If the profile asks for what the detector can't keep; see [`Profile`].
    pub fn new(menu: Arc<Menu>, clips: Arc<Clips>, config: &CallConfig) -> Self {
        let detector = Detector::new(SAMPLE_RATE, &config.profile).expect("the detector takes 8 kHz and the profile");
        let mut call = Self {
            runtime: Runtime::new(menu, &config.began),
            canceller: EchoCanceller::new(),
            detector,
            progress: Progress::new(config.tones),
            tone: None,
            key_sounds: false,
            told: TwiceTold::new(),
            voice: Voice::new(clips),
            recorder: config.record.then(Recorder::new),
            heard: [0.0; TICK],
            said: [0.0; TICK],
            clean: [0.0; TICK],
            filled: 0,
            now: MediaTime::ZERO,
            effects: VecDeque::new(),
        };
        call.act();
        call.speak();
        call
    }

    /// Takes samples of line audio and writes as many for the line; returns how many. Fewer than given only if new
    /// effects arose; at least one if any was given. A sample that is not a finite number counts as silence.
    ///
    /// # Panics
    /// If `line_out` is shorter than `line_in`.
    pub fn step(&mut self, line_in: &[f32], line_out: &mut [f32]) -> usize {
        assert!(line_out.len() >= line_in.len(), "the line takes as many samples as it gives");
        let mut taken = 0;
        let effects_before = self.effects.len();
        while taken < line_in.len() && self.effects.len() == effects_before {
            let count = (TICK - self.filled).min(line_in.len() - taken);
            let tick = self.filled..self.filled + count;
            for (heard, sample) in self.heard[tick.clone()].iter_mut().zip(&line_in[taken..taken + count]) {
                *heard = if sample.is_finite() { *sample } else { 0.0 };
            }
            line_out[taken..taken + count].copy_from_slice(&self.said[tick.clone()]);
            self.record(tick);
            taken += count;
            self.filled += count;
            self.now = MediaTime(self.now.0 + count as u64);
            if self.filled == TICK {
                self.tick();
            }
        }
        taken
    }

    /// The next effect, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// A key went down that a keyboard tells of: it has no sound that could reach [`Self::step`] as well.
    pub fn key_down(&mut self, key: Digit) {
        let used = self.runtime.key_down(self.now, key);
        if let Some(recorder) = &mut self.recorder {
            recorder.key_began(used, self.now);
        }
        self.act();
    }

    /// The keyboard's key went up.
    pub fn key_up(&mut self) {
        self.runtime.key_up(self.now);
        if let Some(recorder) = &mut self.recorder {
            recorder.key_ended(self.now);
        }
        self.act();
    }

    /// A key was pressed that the line tells of beside the sound, at its end (RTP events, AudioSocket). Its sound may reach
    /// [`Self::step`] as well, before or after: it counts once.
    pub fn key_told(&mut self, key: Digit) {
        if self.told.was_heard(key, self.now) {
            return;
        }
        let used = self.runtime.key_down(self.now, key);
        self.runtime.key_up(self.now);
        self.told.is_told(key, used, self.now);
        if let Some(recorder) = &mut self.recorder {
            // It may have sounded for as long as can still be silenced.
            recorder.key_began(used, self.now - LOOK_BACK);
            recorder.key_ended(self.now);
        }
        self.act();
    }

    /// What the call is doing, for who shows it; secrets are masked.
    pub fn view(&self) -> View {
        self.runtime.view()
    }

    /// Gives a service's answer.
    pub fn reply(&mut self, id: RequestId, reply: Reply) {
        self.runtime.reply(self.now, id, reply);
        self.act();
    }

    /// Tells that the caller has hung up.
    pub fn hang_up(&mut self) {
        self.runtime.hang_up(self.now);
        self.act();
    }

    /// The network's tone that told that the caller has gone, where one did. The call has been hung up by it.
    pub const fn tone(&self) -> Option<Heard> {
        self.tone
    }

    /// How much of the box's own voice is being taken out of the line, in dB; 0 before any was found in it.
    pub fn echo_taken_out_db(&self) -> f64 {
        self.canceller.enhancement_db()
    }

    /// Whether the call has ended, by either party.
    pub const fn is_over(&self) -> bool {
        self.runtime.is_over()
    }

    /// Samples taken so far.
    pub const fn now(&self) -> MediaTime {
        self.now
    }

    /// Moves the frames recorded so far to the end of `out`: all but the last quarter of a second, in which a key may
    /// still have to be silenced, and all of them once the call is over.
    pub fn take_recording(&mut self, out: &mut Vec<Frame>) {
        if let Some(recorder) = &mut self.recorder {
            if self.runtime.is_over() {
                recorder.finish();
            }
            recorder.drain_into(out);
        }
    }

    /// Nothing but silence is kept of card data, and of a line whose call is over.
    fn record(&mut self, tick: Range<usize>) {
        if let Some(recorder) = &mut self.recorder {
            let silent = self.runtime.is_secret() || self.runtime.is_over();
            recorder.push(&self.heard[tick.clone()], &self.said[tick], silent);
            if !self.runtime.is_doubtful() {
                recorder.release();
            }
        }
    }

    fn tick(&mut self) {
        self.filled = 0;
        self.runtime.pass_time(self.now);
        self.told.pass_time(self.now);
        self.act();
        self.clean = self.heard;
        // Tones would lead it astray.
        self.canceller.hold(self.key_sounds || self.progress.hears_tone());
        self.canceller.process(&self.said, &mut self.clean);
        self.hear();
        self.act();
        self.listen_for_tones();
        self.speak();
    }

    /// A caller who has gone can't say so; the network does.
    fn listen_for_tones(&mut self) {
        let heard = self.progress.process(&self.clean).filter(|heard| heard.kind.means_gone());
        if heard.is_some() && !self.runtime.is_over() {
            self.tone = heard;
            self.hang_up();
        }
    }

    fn speak(&mut self) {
        if self.voice.fill(&mut self.said) {
            self.runtime.prompt_ended(self.now);
            self.act();
        }
    }

    fn hear(&mut self) {
        let Self { key_sounds, told, detector, runtime, recorder, now, clean, .. } = self;
        detector.process(clean, &mut |event| match event {
            dtmf::Event::Begin(begin) => {
                *key_sounds = true;
                let used = told.was_told(begin.digit, *now).unwrap_or_else(|| {
                    let used = runtime.key_down(*now, begin.digit);
                    told.hears(begin.digit, used);
                    used
                });
                if let Some(recorder) = recorder {
                    recorder.key_began(used, MediaTime(begin.start));
                }
            }
            dtmf::Event::End(digit) => {
                *key_sounds = false;
                told.sound_ends(*now);
                runtime.key_up(*now);
                if let Some(recorder) = recorder {
                    recorder.key_ended(MediaTime(digit.end));
                }
            }
            dtmf::Event::Rejected(_) => {}
        });
    }

    /// Carries out what the runtime wants of the engine and passes on the rest.
    fn act(&mut self) {
        while let Some(action) = self.runtime.poll_action() {
            match action {
                Action::Play(utterances) => self.voice.say(&utterances),
                Action::StopPlaying => self.voice.stop(),
                Action::Request { id, request } => self.effects.push_back(Effect::Request { id, request }),
                Action::Event(event) => self.effects.push_back(Effect::Event(event)),
                Action::Save(answers) => self.effects.push_back(Effect::Save(answers)),
                Action::Transfer { to } => self.effects.push_back(Effect::Transfer { to }),
                Action::ForgetDoubtful => {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.silence_doubtful();
                    }
                }
                Action::HangUp => self.effects.push_back(Effect::HangUp),
            }
        }
    }
}
