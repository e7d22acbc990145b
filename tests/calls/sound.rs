//! A call driven with sound made key by key, for tests that need to know exactly when what was heard and said.

use std::sync::Arc;

use tonopago::call::{Call, CallConfig, Effect, Frame};
use tonopago::dtmf::{self, Detector, Digit, GeneratorConfig, Profile, generate};
use tonopago::media::MediaTime;
use tonopago::menu::{Event, EventKind, Menu, Outcome};
use tonopago::service::{Reply, Request, RequestId};
use tonopago::speech::Clips;

/// Resolves a menu that must be right, with the clips that ship.
pub fn menu(text: &str) -> Arc<Menu> {
    Menu::parse("test.yaml", text, &*Clips::embedded()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A line with a finger on the keypad and an ear on what the box says.
pub struct Sound {
    pub call: Call,
    pub events: Vec<Event>,
    pub requests: Vec<(RequestId, Request)>,
    /// All that was sent to the call and all that it said; as long as each other.
    pub heard: Vec<f32>,
    pub said: Vec<f32>,
    pub recording: Vec<Frame>,
    /// Samples fed at once.
    pub block: usize,
}

impl Sound {
    pub fn new(menu: Arc<Menu>) -> Self {
        let config = CallConfig { record: true, ..CallConfig::default() };
        let call = Call::new(menu, Clips::embedded(), &config);
        let (heard, said, recording) = (Vec::new(), Vec::new(), Vec::new());
        let mut sound = Self { call, events: Vec::new(), requests: Vec::new(), heard, said, recording, block: 160 };
        sound.perform();
        sound
    }

    fn perform(&mut self) {
        while let Some(effect) = self.call.poll_effect() {
            match effect {
                Effect::Event(event) => self.events.push(event),
                Effect::Request { id, request } => self.requests.push((id, *request)),
                Effect::Save(_) | Effect::Transfer { .. } | Effect::HangUp => {}
            }
        }
    }

    /// Sends samples.
    pub fn feed(&mut self, samples: &[f32]) -> &mut Self {
        for block in samples.chunks(self.block) {
            let mut said = vec![f32::NAN; block.len()];
            let mut done = 0;
            while done < block.len() {
                done += self.call.step(&block[done..], &mut said[done..]);
                self.perform();
            }
            self.heard.extend_from_slice(block);
            self.said.extend(said);
            self.call.take_recording(&mut self.recording);
        }
        self
    }

    pub fn silence(&mut self, ms: u64) -> &mut Self {
        self.feed(&vec![0.0; MediaTime::from_ms(ms).0 as usize])
    }

    /// One key's tones, without a pause.
    pub fn tone(&mut self, key: char, ms: f64) -> &mut Self {
        let config = GeneratorConfig { edge_ms: 1.0, ..GeneratorConfig::default().timing(ms, 0.0) };
        self.feed(&generate(&[Digit::from_char(key).unwrap()], &config).unwrap())
    }

    /// Keys of 80 ms, with pauses of 120 ms.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.tone(key, 80.0).silence(120);
        }
        self
    }

    pub fn answer(&mut self, reply: Reply) -> &mut Self {
        let id = self.requests.last().expect("a request").0;
        self.call.reply(id, reply);
        self.perform();
        self
    }

    pub fn hang_up(&mut self) -> &mut Self {
        self.call.hang_up();
        self.perform();
        self.call.take_recording(&mut self.recording);
        self
    }

    /// Silence until the state's prompt has been heard out; fails after two minutes.
    pub fn until_heard(&mut self, state: &str) -> &mut Self {
        for _ in 0..12_000 {
            if self.state() == state
                && matches!(self.events.last().map(|event| &event.kind), Some(EventKind::PromptEnded))
            {
                return self;
            }
            self.silence(10);
        }
        panic!("{state} never heard out:\n{}", self.trace());
    }

    pub fn state(&self) -> &str {
        let states = self.events.iter().rev().filter_map(|event| match &event.kind {
            EventKind::State { name } => Some(name.as_str()),
            _ => None,
        });
        states.into_iter().next().expect("a call begins with a state")
    }

    pub fn now(&self) -> MediaTime {
        self.call.now()
    }

    /// The outcomes so far, with their times.
    pub fn outcomes(&self) -> Vec<(MediaTime, Outcome)> {
        let outcome = |event: &Event| match event.kind {
            EventKind::Outcome(outcome) => Some((event.at, outcome)),
            _ => None,
        };
        self.events.iter().filter_map(outcome).collect()
    }

    pub fn trace(&self) -> String {
        self.events.iter().map(|event| format!("{event}\n")).collect()
    }
}

/// The digits our detector finds, with their true begin and end.
pub fn digits_in(samples: &[f32]) -> Vec<dtmf::Detection> {
    let mut detector = Detector::new(8000, &Profile::default()).unwrap();
    let mut found = Vec::new();
    let mut on_event = |event| {
        if let dtmf::Event::End(digit) = event {
            found.push(digit);
        }
    };
    detector.process(samples, &mut on_event);
    detector.finish(&mut on_event);
    found
}

/// Their keys.
pub fn keys_in(samples: &[f32]) -> String {
    digits_in(samples).iter().map(|found| found.digit.as_char()).collect()
}
