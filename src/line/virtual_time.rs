//! Drives a call as fast as the machine goes: a recorded or simulated caller, and services that answer at once but seem
//! to take a fixed media time. Everything but the services' answers is determined by the audio.

use crate::audio::AudioError;
use crate::call::{Call, Effect, Frame};
use crate::media::MediaTime;
use crate::menu::Event;
use crate::service::{Reply, Request, RequestId};

use super::party::Party;

/// Samples exchanged with the party at once: 10 ms.
const BLOCK: usize = 80;

/// The longest a call may be driven, a bound far above any menu's own limit: a driver never hangs.
pub const MOST_MEDIA_TIME: MediaTime = MediaTime::from_ms(4 * 3_600_000);

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
    let mut drive = Drive { call, services, latencies, due: None };
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
        drive.call.take_recording(&mut transcript.recording);
    }
    ended
}

struct Drive<'a> {
    call: &'a mut Call,
    services: &'a mut dyn Services,
    latencies: Latencies,
    due: Option<(MediaTime, RequestId, Reply)>,
}

impl Drive<'_> {
    /// Feeds a block, stopping at each effect and at the time an answer is due.
    fn feed(&mut self, heard: &[f32], said: &mut [f32], events: &mut Vec<Event>) {
        let mut done = 0;
        self.perform_effects(events);
        while done < heard.len() {
            let until = self.until_due(heard.len() - done);
            done += self.call.step(&heard[done..done + until], &mut said[done..done + until]);
            self.perform_effects(events);
            self.deliver(events);
        }
    }

    /// Samples that may be fed before an answer is due, at least one and at most `wanted`.
    fn until_due(&self, wanted: usize) -> usize {
        let Some((due, ..)) = &self.due else { return wanted };
        usize::try_from(due.since(self.call.now()).0).unwrap_or(usize::MAX).clamp(1, wanted)
    }

    fn deliver(&mut self, events: &mut Vec<Event>) {
        if let Some((_, id, reply)) = self.due.take_if(|(due, ..)| *due <= self.call.now()) {
            self.call.reply(id, reply);
            self.perform_effects(events);
        }
    }

    fn perform_effects(&mut self, events: &mut Vec<Event>) {
        while let Some(effect) = self.call.poll_effect() {
            match effect {
                Effect::Event(event) => events.push(event),
                Effect::HangUp => {}
                Effect::Request { id, request } => {
                    let takes = match &*request {
                        Request::Authorize { .. } => self.latencies.authorize,
                        Request::Charge { .. } => self.latencies.charge,
                    };
                    let reply = self.services.perform(*request);
                    self.due = Some((self.call.now() + takes, id, reply));
                }
            }
        }
    }
}
