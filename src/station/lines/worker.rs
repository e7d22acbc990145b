//! One line's thread: sound in, sound out, effects performed, troubles survived.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::super::board::{Count, LineBoard, LiveCall};
use super::super::call_id;
use super::super::config::{Config, LineConfig};
use super::super::recording::CallRecording;
use super::hook::LineHook;
use super::port::{self, Port, PortError};
use super::upkeep::Upkeep;
use super::{Control, Shared, UnderWay};
use crate::audio::level::Meter;
use crate::call::{Call, CallConfig, Frame};
use crate::clock::{Clock, SystemClock};
use crate::line::attendant::{Attendant, AttendantConfig, CallNumber, Effect, MakeCall, Phase, STEP};
use crate::media::SAMPLE_RATE;
use crate::menu::{Answers, Event, EventKind, Outcome};
use crate::progress::Heard;
use crate::service::{Reply, Request, RequestId};

/// A call waits so long for a card that was lost to come back; then it is ended.
const CARD_MAY_RETURN: Duration = Duration::from_secs(6);
/// Answers on their way to this line at once; more than a call can ask for.
const ANSWERS: usize = 64;
/// The board's levels are brought up to date this often, in steps of 10 ms.
const LEVELS_EVERY: u32 = 10;
/// Frames of a recording handed over at once: half a second.
const RECORDED_AT_ONCE: usize = SAMPLE_RATE as usize / 2;

type Answer = (CallNumber, RequestId, Reply);

/// A line's thread, inside.
pub(super) struct Worker {
    config: Arc<Config>,
    index: usize,
    shared: Shared,
    control: Arc<Control>,
    attendant: Attendant,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
    hook: LineHook,
    sound: Upkeep,
    /// When sound last stopped that had run.
    lost_at: Option<Instant>,
    call_id: String,
    recording: Option<CallRecording>,
    recorded: Vec<Frame>,
    meters: [Meter; 2],
    steps: u32,
}

impl Worker {
    pub(super) fn new(config: Arc<Config>, index: usize, shared: Shared, control: Arc<Control>) -> Self {
        let line = &config.lines[index];
        let settings = AttendantConfig {
            begins: line.begins(),
            sound_dbm0: line.sound_dbm0,
            profile: line.profile,
            hand_over: line.hand_over.clone(),
        };
        let attendant = Attendant::new(settings, make_call(line, &shared, &control));
        let (answer, answers) = bounded(ANSWERS);
        let hook = LineHook::new(line.hook.clone(), Arc::clone(&shared.board), index);
        Self {
            config,
            index,
            shared,
            control,
            attendant,
            answers,
            answer,
            hook,
            sound: Upkeep::default(),
            lost_at: None,
            call_id: String::new(),
            recording: None,
            recorded: Vec::with_capacity(2 * RECORDED_AT_ONCE),
            meters: [Meter::new(SAMPLE_RATE), Meter::new(SAMPLE_RATE)],
            steps: 0,
        }
    }

    /// Until stopped: opens the card, and opens it again whenever it was lost.
    pub(super) fn run(mut self) {
        while !self.is_stopped() {
            let shop = Arc::clone(&self.shared.shop);
            match port::open(self.line(), &self.shared.exchanges, Box::new(move || shop.demo_key())) {
                Ok(mut port) => {
                    let error = self.serve(&mut *port);
                    if self.is_stopped() {
                        self.attendant.hang_up();
                        self.perform(Some(&mut *port));
                    }
                    port.count(self.board());
                    if let Err(error) = error {
                        self.sound_stopped(&error);
                    }
                }
                Err(error) => {
                    let news = self.sound.is_absent(Instant::now(), &error.0);
                    self.tell_of_sound(news, &error);
                }
            }
            self.wait_for_card();
        }
        self.attendant.hang_up();
        self.perform(None);
        self.hook.close(Instant::now());
    }

    /// Steps until the sound stops, or the thread is to.
    fn serve(&mut self, port: &mut dyn Port) -> Result<(), PortError> {
        let (mut heard, mut said) = (Vec::with_capacity(SAMPLE_RATE as usize), [0.0; STEP]);
        let mut silence_owed = 0;
        while !self.is_stopped() {
            port.hear(&mut heard)?;
            self.sound_runs();
            let mut taken = 0;
            while let Some(block) = heard.get(taken..taken + STEP).and_then(|block| block.try_into().ok()) {
                taken += STEP;
                self.step(block, &mut said, port);
            }
            heard.drain(..taken);
            silence_owed += taken;
            if silence_owed >= SAMPLE_RATE as usize {
                silence_owed = 0;
                port.count(self.board());
                self.tell_of_lost_callers();
            }
        }
        Ok(())
    }

    fn step(&mut self, heard: &[f32; STEP], said: &mut [f32; STEP], port: &mut dyn Port) {
        if self.control.closing.load(Ordering::Relaxed) {
            port.close();
        }
        self.obey(Some(port));
        while let Ok((call, id, reply)) = self.answers.try_recv() {
            self.attendant.reply(call, id, reply);
            self.perform(Some(port));
        }
        let signals = port.signals().unwrap_or_else(|| self.hook.signals(Instant::now()));
        self.attendant.step(signals, heard, said);
        port.say(said);
        self.perform(Some(port));
        self.record(false);
        self.show(heard, said);
    }

    fn line(&self) -> &LineConfig {
        &self.config.lines[self.index]
    }

    fn board(&self) -> &LineBoard {
        &self.shared.board.lines[self.index]
    }

    fn is_stopped(&self) -> bool {
        self.board().beat.fetch_add(1, Ordering::Relaxed);
        self.control.stop.load(Ordering::Relaxed)
    }

    fn obey(&mut self, port: Option<&mut dyn Port>) {
        if self.control.closing.load(Ordering::Relaxed) {
            self.attendant.close();
        }
        if self.control.hang_up.swap(false, Ordering::Relaxed) {
            self.attendant.hang_up();
            self.perform(port);
        }
    }

    /// A card that opens and stays silent has not begun to work.
    fn sound_runs(&mut self) {
        if !self.sound.has_worked() {
            tracing::info!(line = self.line().name, source = self.board().source, "sound runs");
        }
        if self.sound.works(Instant::now()) {
            self.board().state().sound_trouble = None;
        }
    }

    fn sound_stopped(&mut self, error: &PortError) {
        let now = Instant::now();
        if self.sound.has_worked() {
            self.board().add(Count::CardLosses, 1);
            self.lost_at = Some(now);
        }
        let news = self.sound.failed(now, &error.0);
        self.tell_of_sound(news, error);
    }

    fn tell_of_sound(&self, news: bool, error: &PortError) {
        if news {
            self.trouble(&error.0);
        } else {
            tracing::debug!(line = self.line().name, %error, "still no sound");
        }
        self.board().state().sound_trouble = self.sound.trouble().map(str::to_owned);
    }

    fn trouble(&self, text: &str) {
        self.shared.board.trouble(&format!("{}: {text}", self.line().name));
    }

    /// Between two attempts to open the card. A call under way waits for it, but not for ever.
    fn wait_for_card(&mut self) {
        while !self.sound.is_due(Instant::now()) && !self.is_stopped() {
            thread::sleep(Duration::from_millis(20));
            self.obey(None);
            if self.lost_at.is_some_and(|lost| lost.elapsed() >= CARD_MAY_RETURN) {
                self.attendant.hang_up();
            }
            self.perform(None);
            if self.control.closing.load(Ordering::Relaxed) && self.attendant.phase() != Phase::InCall {
                self.board().state().phase = Phase::Closed;
            }
        }
    }

    /// Performs what the attendant wants. A line without sound has nobody to tell events to.
    fn perform(&mut self, mut port: Option<&mut dyn Port>) {
        while let Some(effect) = self.attendant.poll_effect() {
            match effect {
                Effect::Ring(count) => {
                    self.board().add(Count::Rings, 1);
                    tracing::info!(line = self.line().name, count, "ring");
                }
                Effect::GaveUp => tracing::info!(line = self.line().name, "the caller gave up"),
                Effect::TakeLine => self.hook.set_off_hook(true, Instant::now()),
                Effect::LeaveLine => {
                    self.hook.set_off_hook(false, Instant::now());
                    if let Some(port) = &mut port {
                        port.leave();
                    }
                }
                Effect::Began(_) => self.began(port.as_ref().and_then(|port| port.reference())),
                Effect::Request { call, id, request } => self.ask(call, id, *request),
                Effect::Event(event) => {
                    if let Some(port) = &mut port {
                        port.notice(&event);
                    }
                    self.note(&event);
                }
                Effect::Save(answers) => self.save(answers),
                Effect::HandsOver(to) => self.hand_over(&to, port.as_ref().and_then(|port| port.reference())),
                Effect::CannotHandOver(to) => {
                    self.trouble(&format!("cannot hand a caller over to {to}"));
                }
                Effect::Ended(_, tone) => self.ended(tone),
            }
        }
        let phase = self.attendant.phase();
        self.board().state().phase = phase;
    }

    fn began(&mut self, reference: Option<String>) {
        let clock = SystemClock;
        let now = clock.local();
        self.call_id = call_id::of(&self.line().name, &now);
        self.board().add(Count::Calls, 1);
        tracing::info!(call = self.call_id, line = self.line().name, reference, "call begins");
        reference.iter().for_each(|reference| self.shared.board.handovers.begin(reference));
        self.board().state().call = Some(LiveCall::new(&self.call_id, reference, now.timestamp()));
        self.recording = self.shared.recorder.as_ref().and_then(|recorder| recorder.begin(&self.call_id));
    }

    /// A caller goes to a person: by flash, or by a dial plan, which knows the call by its reference.
    fn hand_over(&self, to: &str, reference: Option<String>) {
        tracing::info!(call = self.call_id, to, "caller handed over");
        if let Some(reference) = reference {
            self.shared.board.handovers.keep(&reference, to, Instant::now());
        }
    }

    /// Callers who heard that they would be connected, and were not; of whatever line.
    fn tell_of_lost_callers(&self) {
        for number in self.shared.board.handovers.forget_old(Instant::now()) {
            self.shared.board.trouble(&format!(
                "a caller was to be handed over to {number}, and no dial plan asked for the number: see README.md"
            ));
        }
    }

    fn note(&self, event: &Event) {
        tracing::debug!(call = self.call_id, at = %event.at, "{}", event.kind);
        match event.kind {
            EventKind::Key { .. } => self.board().add(Count::Keys, 1),
            EventKind::Outcome(Outcome::GiveUp) => tracing::info!(call = self.call_id, "no more attempts"),
            _ => {}
        }
        if let Some(call) = &mut self.board().state().call {
            call.note(event.at, event.kind.to_string());
        }
    }

    fn ended(&mut self, tone: Option<Heard>) {
        if tone.is_some() {
            self.board().add(Count::GoneTones, 1);
        }
        let seconds = self.attendant.call().map_or(0, |call| call.now().as_ms() / 1000);
        let tone = tone.map(|tone| tone.kind.name());
        tracing::info!(call = self.call_id, seconds, tone, "call ends");
        self.record(true);
        self.recording = None;
        if let Some(call) = &mut self.board().state().call {
            if let Some(tone) = tone {
                call.note(self.attendant.call().map_or_else(Default::default, Call::now), format!("         ({tone})"));
            }
            call.over = true;
        }
    }

    /// Asks a service on a thread of its own, which ends by itself even if the call and the line do before.
    fn ask(&self, call: CallNumber, id: RequestId, request: Request) {
        let (shop, under_way) = (Arc::clone(&self.shared.shop), UnderWay::new(&self.shared.requests));
        let (answer, board) = (self.answer.clone(), Arc::clone(&self.shared.board));
        let (index, call_id, unavailable) = (self.index, self.call_id.clone(), request.unavailable());
        let work = move || {
            let span = tracing::info_span!("request", call = call_id, service = request.name());
            let reply = span.in_scope(|| shop.perform(request));
            if let Some(count) = Count::of(&reply) {
                board.lines[index].add(count, 1);
            }
            // The line may have gone; what was done is in the ledger.
            let _ = answer.try_send((call, id, reply));
            drop(under_way);
        };
        if let Err(error) = thread::Builder::new().name("request".to_owned()).spawn(work) {
            self.trouble(&format!("no thread for a service request: {error}"));
            let _ = self.answer.try_send((call, id, unavailable));
        }
    }

    /// Keeps a caller's answers, on a thread of its own: a disk may take its time, and the line can't wait.
    fn save(&self, answers: Answers) {
        let Some(file) = self.shared.answers.clone() else {
            return self.shared.board.trouble(&format!("no file for answers: {answers} are lost"));
        };
        let (board, under_way) = (Arc::clone(&self.shared.board), UnderWay::new(&self.shared.requests));
        let work = move || {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.add(&answers, SystemClock.now()) {
                board.trouble(&format!("answers not kept: {error}; they were {answers}"));
            }
            drop(under_way);
        };
        if let Err(error) = thread::Builder::new().name("answers".to_owned()).spawn(work) {
            self.trouble(&format!("no thread to keep answers: {error}"));
        }
    }

    /// Hands the recording over in pieces, and the rest at the end.
    fn record(&mut self, rest: bool) {
        if self.shared.recorder.is_none() {
            return;
        }
        self.attendant.take_recording(&mut self.recorded);
        let Some(recording) = &mut self.recording else { return self.recorded.clear() };
        if self.recorded.len() >= RECORDED_AT_ONCE || (rest && !self.recorded.is_empty()) {
            recording.frames(std::mem::replace(&mut self.recorded, Vec::with_capacity(2 * RECORDED_AT_ONCE)));
        }
    }

    fn show(&mut self, heard: &[f32], said: &[f32]) {
        self.meters[0].process(heard);
        self.meters[1].process(said);
        self.steps += 1;
        if self.steps.is_multiple_of(LEVELS_EVERY) {
            let mut state = self.shared.board.lines[self.index].state();
            state.heard_dbm0 = self.meters[0].level_dbm0();
            state.peak_dbm0 = self.meters[0].peak_dbm0();
            state.said_dbm0 = self.meters[1].level_dbm0();
            let in_call = state.phase == Phase::InCall;
            state.echo_db = self.attendant.call().filter(|_| in_call).map_or(0.0, Call::echo_taken_out_db);
        }
    }
}

/// Calls speak what the line speaks at their beginning, and go by that time: for hours, and for cards.
fn make_call(line: &LineConfig, shared: &Shared, control: &Arc<Control>) -> MakeCall {
    let (profile, tones, record) = (line.profile, line.tones, shared.recorder.is_some());
    let control = Arc::clone(control);
    Box::new(move || {
        let spoken = control.spoken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let config = CallConfig { profile, record, began: SystemClock.local(), tones };
        Call::new(spoken.menu, spoken.clips, &config)
    })
}
