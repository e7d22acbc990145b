//! A call on a menu that ships, with its sound: the trace, the sound said and the recording are the same whatever the blocks, the
//! call ends, and a card is told nowhere, whoever keys it whenever.

#![no_main]

use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tonopago::call::{Call, CallConfig, Effect, Frame};
use tonopago::dtmf::{Digit, GeneratorConfig, generate};
use tonopago::menu::{Event, Menu};
use tonopago::service::RequestId;
use tonopago::speech::Clips;
use tonopago_fuzz::caller::{Key, Meant, check_shown, reply};
use tonopago_fuzz::canary;
use tonopago_fuzz::pieces::Lengths;

/// Most that is done in one call, and most samples of it; more take too long to be heard over and over.
const MOST_DEEDS: usize = 40;
const MOST_SAMPLES: usize = 8000 * 30;

/// What a caller, the line or a service does.
#[derive(Debug, Clone, Arbitrary)]
enum Deed {
    /// A key's tones, so long in ms, with as long a pause.
    Sound(Key, u8),
    /// A key that the line tells of.
    Told(Key),
    /// Both, as some lines do.
    Both(Key),
    /// What payments are keyed with, in tones.
    Meant(Meant),
    Silence(u16),
    Line(Vec<i16>),
    /// What the last request is answered with.
    Answer(u8),
    HangUp,
}

static CLIPS: LazyLock<Arc<Clips>> = LazyLock::new(Clips::embedded);
static MENUS: LazyLock<Vec<Arc<Menu>>> = LazyLock::new(|| {
    let texts = [include_str!("../../menus/pago.yaml"), include_str!("../../menus/pago-msi.yaml")];
    texts.map(|text| Menu::parse("menu.yaml", text, &**CLIPS).unwrap_or_else(|problems| panic!("{problems}"))).into()
});

fuzz_target!(init: canary::keep_logs(), |input: (u8, Vec<Deed>)| {
    let (number, deeds) = input;
    let menu = &MENUS[usize::from(number) % MENUS.len()];
    let whole = Lived::of(menu, &deeds, |rest| rest);
    let mut lengths = Lengths::of(&[number, u8::try_from(deeds.len()).unwrap_or(u8::MAX)]);
    let cut = Lived::of(menu, &deeds, |rest| rest.min(lengths.next()));
    assert_eq!(whole.events, cut.events);
    assert!(whole.said == cut.said && whole.recorded == cut.recorded, "{:#?}", whole.events);
    check_shown(&whole.events);
    let logged = canary::take_logs();
    assert!(!canary::tells(&logged), "{logged}");
});

/// A call and all that came of it.
struct Lived {
    call: Call,
    events: Vec<Event>,
    said: Vec<u32>,
    recorded: Vec<Frame>,
    request: Option<RequestId>,
}

impl Lived {
    /// Does all that and hangs up. `cut` says how many samples of those that are left the engine is given.
    fn of(menu: &Arc<Menu>, deeds: &[Deed], mut cut: impl FnMut(usize) -> usize) -> Self {
        let config = CallConfig { record: true, ..CallConfig::default() };
        let call = Call::new(Arc::clone(menu), Arc::clone(&CLIPS), &config);
        let mut lived = Self { call, events: Vec::new(), said: Vec::new(), recorded: Vec::new(), request: None };
        lived.perform();
        for deed in deeds.iter().take(MOST_DEEDS) {
            if lived.said.len() < MOST_SAMPLES {
                lived.act(deed, &mut cut);
            }
        }
        lived.call.hang_up();
        lived.perform();
        assert!(lived.call.is_over());
        lived
    }

    fn act(&mut self, deed: &Deed, cut: &mut impl FnMut(usize) -> usize) {
        match deed {
            Deed::Sound(Key(key), ms) => self.hear(&tones(&[*key], *ms), cut),
            Deed::Told(Key(key)) => self.told(*key),
            Deed::Both(Key(key)) => {
                self.hear(&tones(&[*key], 80), cut);
                self.told(*key);
            }
            Deed::Meant(meant) => self.hear(&tones(&meant.keys().collect::<Vec<_>>(), 60), cut),
            Deed::Silence(ms) => self.hear(&vec![0.0; 8 * usize::from(*ms % 8000)], cut),
            Deed::Line(samples) => {
                self.hear(&samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect::<Vec<_>>(), cut);
            }
            Deed::Answer(number) => {
                if let Some(id) = self.request {
                    self.call.reply(id, reply(*number));
                    self.perform();
                }
            }
            Deed::HangUp => {
                self.call.hang_up();
                self.perform();
            }
        }
    }

    fn told(&mut self, key: Digit) {
        self.call.key_told(key);
        self.perform();
    }

    fn hear(&mut self, samples: &[f32], cut: &mut impl FnMut(usize) -> usize) {
        let mut rest = samples;
        while !rest.is_empty() {
            let block = &rest[..cut(rest.len())];
            let mut out = vec![0.0; block.len()];
            let taken = self.call.step(block, &mut out);
            assert!(taken >= 1 && out.iter().all(|sample| sample.is_finite()));
            self.said.extend(out[..taken].iter().map(|sample| sample.to_bits()));
            rest = &rest[taken..];
            self.perform();
        }
    }

    fn perform(&mut self) {
        while let Some(effect) = self.call.poll_effect() {
            match effect {
                Effect::Event(event) => self.events.push(event),
                Effect::Request { id, .. } => self.request = Some(id),
                Effect::Save(_) | Effect::Transfer { .. } | Effect::HangUp => {}
            }
        }
        self.call.take_recording(&mut self.recorded);
    }
}

fn tones(keys: &[Digit], ms: u8) -> Vec<f32> {
    let ms = f64::from(ms.clamp(20, 200));
    let config = GeneratorConfig { tone_ms: ms, pause_ms: ms, ..GeneratorConfig::default() };
    generate(keys, &config).expect("20 to 200 ms can be made")
}
