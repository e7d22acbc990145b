//! One line, call after call: pure, like the calls it takes.
//!
//! # Contract
//! - [`Attendant::step`] takes 10 ms of the line's sound and its signals, and gives 10 ms for the line. Time is the count of
//!   samples; there is no clock, thread, socket or file inside.
//! - The driver performs every [`Effect`] in order: it works the hook, asks services and gives their answers to
//!   [`Attendant::reply`], keeps events.
//! - A line with ring signals begins a call after as many rings as asked for. A line without (an adapter that answers by
//!   itself) begins one with a key or a quarter second of sound, and only after two seconds of quiet: the tones a line gives
//!   after a call begin none. A line that tells of callers begins one with the caller's first sample.
//! - A caller who is to be handed over is dialled on by hook flash, and the line is left then; or the line is left at once, and the
//!   driver has been told the number by then.
//! - A call ends by its menu, by the caller (a signal, or the network's tone), or by [`Attendant::hang_up`]. After
//!   [`Attendant::close`] no call begins any more; the one under way goes on.

use std::collections::VecDeque;

use crate::audio::level::dbm0_of_power;
use crate::call::{self, Call, Frame};
use crate::dtmf::{self, Detector, Profile};
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Answers, Event};
use crate::progress::Heard;
use crate::service::{Reply, Request, RequestId};

use super::handover::{Handover, HandoverConfig, HookMove};
use super::ring::{Rang, RingCounter};

pub use super::signals::{Begins, Signals};
pub use phase::Phase;

mod phase;

/// Samples of a step: 10 ms.
pub const STEP: usize = SAMPLE_RATE as usize / 100;
pub(super) const STEP_TIME: MediaTime = MediaTime(STEP as u64);
/// Sound that begins a call on a line without signals, and the pauses it may have.
const SOUND: MediaTime = MediaTime::from_ms(250);
/// Quiet after which a line without signals may begin a call.
const QUIET: MediaTime = MediaTime::from_ms(2000);
/// After hanging up a line with signals: the exchange needs it to notice.
const HANGING_UP: MediaTime = MediaTime::from_ms(1500);
/// From taking the line to the first word: relays bounce, and exchanges click.
const SETTLING: MediaTime = MediaTime::from_ms(300);

/// How a line takes calls.
#[derive(Debug, Clone, PartialEq)]
pub struct AttendantConfig {
    /// How a call begins.
    pub begins: Begins,
    /// Level from which sound is sound, in dBm0.
    pub sound_dbm0: f64,
    /// The detector's profile for keys that begin a call.
    pub profile: Profile,
    /// How callers are handed over to a person; without it the line can't. A flash takes a hook.
    pub hand_over: Option<HandoverConfig>,
}

/// Number of a call on its line, from 1.
pub type CallNumber = u64;

/// Something for the driver to do.
pub enum Effect {
    /// A ring began; how many with it.
    Ring(u32),
    /// The caller gave up before the line was taken.
    GaveUp,
    /// Take the line.
    TakeLine,
    /// A call began.
    Began(CallNumber),
    /// Perform a service request of a call and give the answer to [`Attendant::reply`]. It is to be finished even if the
    /// call ends before.
    Request {
        /// The call.
        call: CallNumber,
        /// To be given back with the answer.
        id: RequestId,
        /// What to ask.
        request: Box<Request>,
    },
    /// An entry of the call's trace, masked.
    Event(Event),
    /// The caller's answers, to be kept.
    Save(Answers),
    /// The call is over, and its caller is handed over to this number.
    HandsOver(String),
    /// The caller was to be handed over to this number, and the line cannot do it: it lets go.
    CannotHandOver(String),
    /// The call is over; the network's tone that ended it, if one did. What remains of its recording can be taken.
    Ended(CallNumber, Option<Heard>),
    /// Let go of the line.
    LeaveLine,
}

/// Makes the next call: with the menu of the moment, and today's date.
pub type MakeCall = Box<dyn FnMut() -> Call + Send>;

/// Takes the calls of one line.
pub struct Attendant {
    config: AttendantConfig,
    make_call: MakeCall,
    phase: Phase,
    rings: RingCounter,
    keys: Detector,
    /// Time spent in the phase, and continuous quiet and sound.
    since: MediaTime,
    quiet: MediaTime,
    sound: MediaTime,
    /// The call under way, or the last one until the next begins: its recording is taken after its end.
    call: Option<Call>,
    number: CallNumber,
    /// Where the call's caller is to go once it has ended.
    hand_over_to: Option<String>,
    handover: Option<Handover>,
    closing: bool,
    effects: VecDeque<Effect>,
}

impl Attendant {
    /// A line that waits for quiet, or for a ring.
    ///
    /// # Panics
    /// If the profile asks for what the detector can't keep.
    pub fn new(config: AttendantConfig, make_call: MakeCall) -> Self {
        let keys = Detector::new(SAMPLE_RATE, &config.profile).expect("the detector takes 8 kHz and the profile");
        let rings = RingCounter::new(if let Begins::AfterRings(rings) = config.begins { rings } else { 1 });
        let phase = if config.begins == Begins::WithSound { Phase::Clearing } else { Phase::Idle };
        Self {
            config,
            make_call,
            phase,
            rings,
            keys,
            since: MediaTime::ZERO,
            quiet: MediaTime::ZERO,
            sound: MediaTime::ZERO,
            call: None,
            number: 0,
            hand_over_to: None,
            handover: None,
            closing: false,
            effects: VecDeque::new(),
        }
    }

    /// What the line is doing.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The call under way, or the last one.
    pub const fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }

    /// Takes 10 ms of sound and the signals, and gives 10 ms for the line. Allocates only when something happens.
    pub fn step(&mut self, signals: Signals, heard: &[f32; STEP], said: &mut [f32; STEP]) {
        said.fill(0.0);
        self.since = self.since + STEP_TIME;
        self.measure(heard);
        match self.phase {
            Phase::Idle | Phase::Ringing => self.wait(signals, heard, said),
            Phase::Settling if self.since >= SETTLING => self.begin(),
            Phase::InCall => self.talk(signals, heard, said),
            Phase::HandingOver => self.hand_over(signals, said),
            Phase::Clearing => self.clear(),
            Phase::Settling | Phase::Closed => {}
        }
        if self.closing && matches!(self.phase, Phase::Idle | Phase::Ringing | Phase::Clearing) {
            self.enter(Phase::Closed);
        }
    }

    /// The next effect, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Gives a service's answer. One that comes after its call's end is for nobody.
    pub fn reply(&mut self, call: CallNumber, id: RequestId, reply: Reply) {
        if call == self.number
            && let Some(present) = &mut self.call
        {
            present.reply(id, reply);
            self.pass_on();
        }
    }

    /// Ends the call under way as if the caller had gone: the line is lost, or the box must stop.
    pub fn hang_up(&mut self) {
        if self.phase == Phase::HandingOver {
            self.leave();
        }
        if self.phase == Phase::InCall
            && let Some(call) = &mut self.call
        {
            call.hang_up();
            self.pass_on();
        }
    }

    /// No call begins any more.
    pub const fn close(&mut self) {
        self.closing = true;
    }

    /// Calls may begin again.
    pub fn open(&mut self) {
        self.closing = false;
        if self.phase == Phase::Closed {
            self.enter(Phase::Clearing);
        }
    }

    /// Moves the frames recorded so far to the end of `out`, see [`Call::take_recording`].
    pub fn take_recording(&mut self, out: &mut Vec<Frame>) {
        if let Some(call) = &mut self.call {
            call.take_recording(out);
        }
    }

    fn measure(&mut self, heard: &[f32; STEP]) {
        let power = heard.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / STEP as f64;
        if dbm0_of_power(power) >= self.config.sound_dbm0 {
            (self.quiet, self.sound) = (MediaTime::ZERO, self.sound + STEP_TIME);
        } else {
            // A pause between two words takes away as much as a word gave.
            (self.quiet, self.sound) = (self.quiet + STEP_TIME, self.sound - STEP_TIME);
        }
    }

    fn wait(&mut self, signals: Signals, heard: &[f32; STEP], said: &mut [f32; STEP]) {
        match self.config.begins {
            Begins::WithSound => {
                let is_sound = self.quiet < QUIET;
                if is_sound && (self.sound >= SOUND || self.hears_key(heard)) {
                    self.begin();
                }
            }
            Begins::AfterRings(_) => self.count_rings(signals),
            Begins::WithCaller if signals.caller => {
                self.begin();
                self.talk(signals, heard, said);
            }
            Begins::WithCaller => {}
        }
    }

    fn count_rings(&mut self, signals: Signals) {
        match self.rings.pass(STEP_TIME, signals.ringing) {
            None => {}
            Some(Rang::Ring(count)) => {
                self.enter(Phase::Ringing);
                self.effects.push_back(Effect::Ring(count));
            }
            Some(Rang::GaveUp) => {
                self.enter(Phase::Idle);
                self.effects.push_back(Effect::GaveUp);
            }
            Some(Rang::Answer) => {
                self.enter(Phase::Settling);
                self.effects.push_back(Effect::TakeLine);
            }
        }
    }

    fn hears_key(&mut self, heard: &[f32; STEP]) -> bool {
        let mut key = false;
        self.keys.process(heard, &mut |event| key |= matches!(event, dtmf::Event::Begin(_)));
        key
    }

    fn begin(&mut self) {
        self.call = Some((self.make_call)());
        self.number += 1;
        self.enter(Phase::InCall);
        self.effects.push_back(Effect::Began(self.number));
        self.pass_on();
    }

    fn talk(&mut self, signals: Signals, heard: &[f32; STEP], said: &mut [f32; STEP]) {
        if signals.gone {
            return self.hang_up();
        }
        if let (Some(key), Some(call)) = (signals.key, &mut self.call) {
            call.key_told(key);
            self.pass_on();
        }
        let mut done = 0;
        while done < STEP
            && self.phase == Phase::InCall
            && let Some(call) = &mut self.call
        {
            done += call.step(&heard[done..], &mut said[done..]);
            self.pass_on();
        }
    }

    /// Passes on the call's effects, and notices its end.
    fn pass_on(&mut self) {
        let Some(call) = &mut self.call else { return };
        while let Some(effect) = call.poll_effect() {
            match effect {
                call::Effect::Event(event) => self.effects.push_back(Effect::Event(event)),
                call::Effect::Request { id, request } => {
                    self.effects.push_back(Effect::Request { call: self.number, id, request });
                }
                call::Effect::Save(answers) => self.effects.push_back(Effect::Save(answers)),
                call::Effect::Transfer { to } => self.hand_over_to = Some(to),
                call::Effect::HangUp => {} // the call is over then
            }
        }
        if call.is_over() && self.phase == Phase::InCall {
            let tone = call.tone();
            self.effects.push_back(Effect::Ended(self.number, tone));
            match self.hand_over_to.take() {
                Some(to) => self.begin_handover(to),
                None => self.leave(),
            }
        }
    }

    fn begin_handover(&mut self, to: String) {
        let times = match &self.config.hand_over {
            Some(HandoverConfig::Flash(times)) => times,
            Some(HandoverConfig::Asked) => {
                self.effects.push_back(Effect::HandsOver(to));
                return self.leave();
            }
            None => {
                self.effects.push_back(Effect::CannotHandOver(to));
                return self.leave();
            }
        };
        self.handover = Some(Handover::to(&to, times));
        self.effects.push_back(Effect::HandsOver(to));
        self.effects.push_back(Effect::LeaveLine); // the flash
        self.enter(Phase::HandingOver);
    }

    fn hand_over(&mut self, signals: Signals, said: &mut [f32; STEP]) {
        let Some(handover) = &mut self.handover else { return self.leave() };
        let has_gone = signals.gone && !handover.is_flashing();
        match if has_gone { Some(HookMove::Leave) } else { handover.step(said) } {
            None => {}
            Some(HookMove::Take) => self.effects.push_back(Effect::TakeLine),
            Some(HookMove::Leave) => self.leave(),
        }
    }

    /// Lets go of the line for good.
    fn leave(&mut self) {
        self.handover = None;
        self.effects.push_back(Effect::LeaveLine);
        self.enter(Phase::Clearing);
    }

    fn clear(&mut self) {
        let ready = match self.config.begins {
            Begins::WithSound => self.quiet >= QUIET,
            Begins::AfterRings(_) => self.since >= HANGING_UP,
            Begins::WithCaller => true, // the caller is no more, and nothing echoes
        };
        if ready {
            self.rings.reset();
            self.enter(Phase::Idle);
        }
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since, self.sound) = (phase, MediaTime::ZERO, MediaTime::ZERO);
    }
}

#[cfg(test)]
mod tests;
