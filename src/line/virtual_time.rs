//! Drives a call as fast as the machine goes: a recorded or simulated caller, and services that answer at once but seem
//! to take a fixed media time. Everything but the services' answers is determined by the audio.

use crate::audio::AudioError;
use crate::call::{Call, Effect, Frame};
use crate::media::MediaTime;
use crate::menu::{Answers, Event};
use crate::service::{Reply, Request, RequestId};

use super::party::Party;

/// Samples exchanged with the party at once: 10 ms.
const BLOCK: usize = 80;

/// The longest a call may be driven, a bound far above any menu's own limit: a driver never hangs.
const MOST_MEDIA_TIME: MediaTime = MediaTime::from_ms(4 * 3_600_000);

/// Performs service requests, blocking until the answer is there.
pub trait Services {
    /// The answer to a request.
    fn perform(&mut self, request: Request) -> Reply;
}

impl<F: FnMut(Request) -> Reply> Services for F {
    fn perform(&mut self, request: Request) -> Reply {
        self(request)
    }
}

/// How long services seem to take, in media time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// The authorizer.
    pub authorize: MediaTime,
    /// The payment gateway.
    pub charge: MediaTime,
}

impl Default for Latencies {
    /// What callers of the real services wait: 0.8 s and 3.5 s.
    fn default() -> Self {
        Self { authorize: MediaTime::from_ms(800), charge: MediaTime::from_ms(3500) }
    }
}

/// What came of a call driven in virtual time.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The call's trace.
    pub events: Vec<Event>,
    /// The recording (caller left, box right), if the call was set to record; card data silent.
    pub recording: Vec<Frame>,
    /// The answers the call was to keep, in order.
    pub answers: Vec<Answers>,
    /// All the call heard, card data included: for making samples from simulated cards, never for real calls.
    pub heard: Option<Vec<f32>>,
}

/// Drives a call to its end.
///
/// `transcript.heard` is filled if it is `Some`. `watch` sees each event as it happens.
///
/// # Errors
/// If the party's audio cannot be read on; the caller then counts as gone, and the transcript holds the call so far.
pub fn run(
    call: &mut Call,
    party: &mut dyn Party,
    services: &mut dyn Services,
    latencies: Latencies,
    transcript: &mut Transcript,
    watch: &mut dyn FnMut(&Event),
) -> Result<(), AudioError> {
    let mut drive = Drive { call, services, latencies, due: Vec::new(), answers: Vec::new() };
    let mut said = [0.0; BLOCK];
    let mut heard = [0.0; BLOCK];
    let mut events = Vec::new();
    let mut ended = Ok(());
    while !drive.call.is_over() && drive.call.now() < MOST_MEDIA_TIME {
        let far = said;
        let count = party.next(&far, &mut heard).unwrap_or_else(|error| {
            ended = Err(error);
            0
        });
        if let Some(all) = &mut transcript.heard {
            all.extend_from_slice(&heard[..count]);
        }
        drive.feed(&heard[..count], &mut said, &mut events);
        if count < BLOCK {
            drive.call.hang_up();
            drive.perform_effects(&mut events);
        }
        for event in events.drain(..) {
            party.notice(&event);
            watch(&event);
            transcript.events.push(event);
        }
        transcript.answers.append(&mut drive.answers);
        drive.call.take_recording(&mut transcript.recording);
    }
    ended
}

struct Drive<'a> {
    call: &'a mut Call,
    services: &'a mut dyn Services,
    latencies: Latencies,
    /// Answers on their way. There may be several: a call that gave up on one service may ask another.
    due: Vec<(MediaTime, RequestId, Reply)>,
    answers: Vec<Answers>,
}

impl Drive<'_> {
    /// Feeds a block, stopping at each effect and at the time an answer is due.
    fn feed(&mut self, heard: &[f32], said: &mut [f32], events: &mut Vec<Event>) {
        let mut done = 0;
        self.perform_effects(events);
        self.deliver(events);
        while done < heard.len() {
            let until = self.until_due(heard.len() - done);
            done += self.call.step(&heard[done..done + until], &mut said[done..done + until]);
            self.perform_effects(events);
            self.deliver(events);
        }
    }

    /// Samples that may be fed before an answer is due, at least one and at most `wanted`.
    fn until_due(&self, wanted: usize) -> usize {
        let Some(due) = self.due.iter().map(|(due, ..)| *due).min() else { return wanted };
        usize::try_from(due.since(self.call.now()).0).unwrap_or(usize::MAX).clamp(1, wanted)
    }

    fn deliver(&mut self, events: &mut Vec<Event>) {
        while let Some(index) = self.due.iter().position(|(due, ..)| *due <= self.call.now()) {
            let (_, id, reply) = self.due.remove(index);
            self.call.reply(id, reply);
            self.perform_effects(events);
        }
    }

    fn perform_effects(&mut self, events: &mut Vec<Event>) {
        while let Some(effect) = self.call.poll_effect() {
            match effect {
                Effect::Event(event) => events.push(event),
                Effect::Save(answers) => self.answers.push(answers),
                Effect::Transfer { .. } | Effect::HangUp => {}
                Effect::Request { id, request } => {
                    let takes = match &*request {
                        Request::Authorize { .. } => self.latencies.authorize,
                        Request::Charge { .. } => self.latencies.charge,
                    };
                    let reply = self.services.perform(*request);
                    self.due.push((self.call.now() + takes, id, reply));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Recording;
    use crate::call::CallConfig;
    use crate::line::SimulatedCaller;
    use crate::menu::{EventKind, Menu, Party as Who};
    use crate::service::{AuthorizeReply, Refusal};
    use crate::simulator::line::LineBuilder;
    use crate::simulator::{Caller, Script};
    use crate::speech::Clips;

    /// Asks for a key again when the authorizer takes more than a second.
    const IMPATIENT: &str = "{version: 1, name: i, languages: [es-MX], start: clave, give_up: fin, states: {
        clave: {say: [pide_clave_breve], collect: {field: payment_key}, on: {done: autorizar}},
        autorizar: {authorize: {}, wait_limit: 1s, on: {authorized: fin, refused: fin, unavailable: clave}},
        fin: {say: [despedida], hang_up: true}}}";

    fn call() -> Call {
        let clips = Clips::embedded();
        let menu = Menu::parse("impatient.yaml", IMPATIENT, &*clips).unwrap();
        Call::new(menu, clips, &CallConfig { record: true, ..CallConfig::default() })
    }

    fn drive(call: &mut Call, party: &mut dyn Party, authorize: MediaTime) -> (Transcript, Result<(), AudioError>) {
        let mut services = |_| Reply::Authorize(AuthorizeReply::Refused(Refusal::Unknown));
        let latencies = Latencies { authorize, ..Latencies::default() };
        let mut transcript = Transcript { heard: Some(Vec::new()), ..Transcript::default() };
        let ended = run(call, party, &mut services, latencies, &mut transcript, &mut |_| {});
        (transcript, ended)
    }

    fn keys(script: Script) -> SimulatedCaller {
        SimulatedCaller::new(Caller::new(script, 3), LineBuilder::new(3).build(8000))
    }

    fn times(transcript: &Transcript, wanted: impl Fn(&EventKind) -> bool) -> Vec<MediaTime> {
        transcript.events.iter().filter(|event| wanted(&event.kind)).map(|event| event.at).collect()
    }

    /// What went wrong: the second request of a call took the place of the first one's answer, which never came.
    #[test]
    fn an_answer_to_a_request_given_up_comes_late_and_is_not_lost() {
        let mut party = keys(Script::new().keys("clave", "111111#").keys("clave", "222222#"));
        let (transcript, ended) = drive(&mut call(), &mut party, MediaTime::from_ms(9000));
        assert!(ended.is_ok());
        let asked = times(&transcript, |kind| matches!(kind, EventKind::Request { .. }));
        let late = times(&transcript, |kind| matches!(kind, EventKind::Reply { late: true, .. }));
        assert_eq!(asked.len(), 2);
        assert!(asked[1] < asked[0] + MediaTime::from_ms(9000), "asked again before the first answer");
        assert_eq!(late[0], asked[0] + MediaTime::from_ms(9000));
    }

    #[test]
    fn a_service_without_latency_answers_at_the_very_sample() {
        let mut party = keys(Script::new().keys("clave", "111111#"));
        let (transcript, _) = drive(&mut call(), &mut party, MediaTime::ZERO);
        let asked = times(&transcript, |kind| matches!(kind, EventKind::Request { .. }));
        let answered = times(&transcript, |kind| matches!(kind, EventKind::Reply { .. }));
        assert_eq!((asked.len(), asked), (1, answered));
    }

    /// Silent for some samples, then gone; or, with no samples left, broken.
    struct Silent {
        left: usize,
        breaks: bool,
    }

    impl Party for Silent {
        fn next(&mut self, _said: &[f32], heard: &mut [f32]) -> Result<usize, AudioError> {
            if self.left == 0 && self.breaks {
                return Err(Recording::open(std::path::Path::new("no such file")).expect_err("there is none"));
            }
            let count = heard.len().min(self.left);
            heard[..count].fill(0.0);
            self.left -= count;
            Ok(count)
        }

        fn notice(&mut self, _event: &Event) {}
    }

    #[test]
    fn the_end_of_the_partys_audio_is_a_hang_up_at_that_sample() {
        for left in [0, 1, 12_345, 16_000] {
            let mut call = call();
            let (transcript, ended) = drive(&mut call, &mut Silent { left, breaks: false }, MediaTime::ZERO);
            assert!(ended.is_ok() && call.is_over());
            let gone = times(&transcript, |kind| *kind == EventKind::HangUp { by: Who::Caller });
            assert_eq!(gone, [MediaTime(left as u64)]);
            assert_eq!((transcript.recording.len(), transcript.heard.unwrap().len()), (left, left));
        }
    }

    #[test]
    fn audio_that_breaks_off_is_an_error_and_a_hang_up() {
        let (transcript, ended) = drive(&mut call(), &mut Silent { left: 8000, breaks: true }, MediaTime::ZERO);
        assert!(ended.is_err());
        assert!(matches!(transcript.events.last().unwrap().kind, EventKind::HangUp { by: Who::Caller }));
        assert_eq!(transcript.recording.len(), 8000, "the call so far is kept");
    }

    #[test]
    fn a_call_of_silence_ends_by_itself() {
        let mut call = call();
        let (transcript, _) = drive(&mut call, &mut Silent { left: usize::MAX, breaks: false }, MediaTime::ZERO);
        assert!(matches!(transcript.events.last().unwrap().kind, EventKind::HangUp { by: Who::Box }));
        assert!(call.now() < MOST_MEDIA_TIME);
    }
}
