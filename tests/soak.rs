//! A line's life, call after call, in virtual time: every caller is served, nobody else begins a call, every line is freed,
//! and memory stays flat. `make soak-month` runs thirty days of it (`TONOPAGO_SOAK_DAYS`).
#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tonopago::call::{Call, CallConfig};
use tonopago::dtmf::Profile;
use tonopago::line::attendant::{Attendant, AttendantConfig, Begins, Effect, Phase, STEP, Signals};
use tonopago::media::MediaTime;
use tonopago::menu::{Event, EventKind, Menu};
use tonopago::money::Money;
use tonopago::service::{Authorization, AuthorizeReply, ChargeReply, Reply, Request};
use tonopago::simulator::line::{Line, LineBuilder};
use tonopago::simulator::{Act, Caller, Patience, Script};
use tonopago::speech::Clips;

/// Counts the bytes that are allocated at present.
struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);

fn bytes(layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's allocator unchanged; the count is an atomic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(bytes(layout), Ordering::Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(bytes(layout), Ordering::Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Three quarters of an hour between two callers.
const PAUSE: MediaTime = MediaTime::from_ms(45 * 60_000);
/// What memory may grow by after the first calls: a longer name here, a fuller buffer there.
const MOST_GROWTH: i64 = 64 * 1024;
const SEED: u64 = 20_261_123;

/// What a caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pays,
    /// Hangs up in the middle of the card number; the exchange plays a busy tone.
    HangsUp,
    /// Says something and nothing more; the menu gives up.
    SaysNothing,
}

struct Soak {
    attendant: Attendant,
    line: Line,
    rng: fastrand::Rng,
    now: MediaTime,
    caller: Option<Caller>,
    kind: Kind,
    age: MediaTime,
    said: [f32; STEP],
    /// What a line without a caller sounds like.
    quiet: [f32; STEP],
    /// When the caller put the receiver down: the exchange plays its tone from then on, for half a minute.
    gone_at: Option<MediaTime>,
    slowest: MediaTime,
    counts: BTreeMap<&'static str, u64>,
    callers: BTreeMap<Kind, u64>,
}

impl Soak {
    fn new() -> Self {
        let clips = Clips::embedded();
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml")).unwrap();
        let menu = Menu::parse("pago.yaml", &text, &*clips).unwrap();
        let mut line = LineBuilder::new(SEED).noise_dbm0(-52.0).echo(28.0, 14.0).build(8000);
        let quiet = line.carry(&[0.0; STEP]).try_into().unwrap();
        let make = Box::new(move || Call::new(Arc::clone(&menu), Arc::clone(&clips), &CallConfig::default()));
        let config = AttendantConfig {
            begins: Begins::WithSound,
            sound_dbm0: -38.0,
            profile: Profile::default(),
            hand_over: None,
        };
        Self {
            attendant: Attendant::new(config, make),
            line,
            rng: fastrand::Rng::with_seed(SEED),
            now: MediaTime::ZERO,
            caller: None,
            kind: Kind::Pays,
            age: MediaTime::ZERO,
            said: [0.0; STEP],
            quiet,
            gone_at: None,
            slowest: MediaTime::ZERO,
            counts: BTreeMap::new(),
            callers: BTreeMap::new(),
        }
    }

    fn dial(&mut self) {
        self.kind = [Kind::Pays, Kind::Pays, Kind::HangsUp, Kind::SaysNothing][self.rng.usize(..4)];
        *self.callers.entry(self.kind).or_default() += 1;
        let half = Act::KeysThenHangUp("411111".to_owned());
        let began = Script::new().keys("bienvenida", "1").keys("clave", "257139#").keys("confirmar", "1");
        let script = match self.kind {
            Kind::Pays => began.keys("tarjeta", "4111111111111111#").keys("vencimiento", "0845").keys("codigo", "737"),
            Kind::HangsUp => began.act("tarjeta", Patience::CutsIn(MediaTime::from_ms(2500)), half),
            Kind::SaysNothing => Script::new(),
        };
        let clips = Clips::embedded();
        let hello = clips.caller_speech()[0].samples();
        let caller = Caller::new(script, self.rng.u64(..)).saying(MediaTime::from_ms(400), &hello[..6000]);
        (self.caller, self.age) = (Some(caller), MediaTime::ZERO);
    }

    fn step(&mut self) {
        let (mut spoken, mut heard) = ([0.0; STEP], [0.0; STEP]);
        if let Some(caller) = &mut self.caller {
            caller.speak(&mut spoken);
            self.age.0 += STEP as u64;
            if caller.has_hung_up() {
                self.caller = None;
                self.gone_at = Some(self.now);
            }
        } else if let Some(gone_at) = self.gone_at {
            busy_tone(self.now.0 - gone_at.0, &mut spoken);
            if self.now - gone_at > MediaTime::from_ms(30_000) {
                self.gone_at = None;
            }
        }
        if self.caller.is_none() && self.gone_at.is_none() && self.attendant.phase() == Phase::Idle {
            heard = self.quiet; // most of a line's life, and the same every time
        } else {
            let said = self.said;
            self.line.process(&spoken, &said, &mut heard);
        }
        self.attendant.step(Signals::default(), &heard, &mut self.said);
        self.now.0 += STEP as u64;
        while let Some(effect) = self.attendant.poll_effect() {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let mut count = |what| *self.counts.entry(what).or_default() += 1;
        match effect {
            Effect::Began(_) => count("calls"),
            Effect::Request { call, id, request } => {
                let reply = match *request {
                    Request::Authorize { .. } => Reply::Authorize(AuthorizeReply::Authorized(Authorization {
                        amount: Money::mxn(20_000),
                        order_id: "o".to_owned(),
                        description: "d".to_owned(),
                        customer: None,
                        values: Vec::new(),
                    })),
                    Request::Charge { .. } => {
                        count("charges");
                        Reply::Charge(ChargeReply::Approved { reference: "801585".to_owned() })
                    }
                };
                self.attendant.reply(call, id, reply);
            }
            Effect::Event(event) => self.notice(&event),
            Effect::Ended(_, tone) => {
                if let (Some(_), Some(gone_at)) = (tone, self.gone_at) {
                    count("tones");
                    self.slowest = self.slowest.max(self.now - gone_at);
                }
                self.caller = None;
            }
            Effect::LeaveLine
            | Effect::TakeLine
            | Effect::Ring(_)
            | Effect::GaveUp
            | Effect::Save(_)
            | Effect::HandsOver(_)
            | Effect::CannotHandOver(_) => {}
        }
    }

    fn notice(&mut self, event: &Event) {
        if let Some(caller) = &mut self.caller
            && !matches!(event.kind, EventKind::HangUp { .. })
        {
            caller.notice(&Event { at: self.age, kind: event.kind.clone() });
        }
    }
}

/// Mexico's: 425 Hz, 250 ms on and off, here at -20 dBm0.
fn busy_tone(from: u64, out: &mut [f32]) {
    for (n, sample) in (from..).zip(out) {
        *sample = if (n / 2000).is_multiple_of(2) {
            0.07 * (TAU * 425.0 * (n % 8000) as f64 / 8000.0).sin() as f32
        } else {
            0.0
        };
    }
}

#[test]
fn call_after_call_every_caller_is_served_and_memory_stays_flat() {
    let days: f64 = std::env::var("TONOPAGO_SOAK_DAYS").map_or(0.3, |days| days.parse().unwrap());
    let end = MediaTime::from_ms((days * 86_400_000.0) as u64);
    let mut soak = Soak::new();
    let (mut next, mut settled, mut most) = (MediaTime::from_ms(5000), None, 0);
    while soak.now < end {
        soak.step();
        if soak.now >= next && soak.attendant.phase() == Phase::Idle && soak.gone_at.is_none() {
            // Between two calls memory is compared: after four calls everything has its size.
            let live = LIVE.load(Ordering::Relaxed);
            if soak.callers.values().sum::<u64>() == 4 {
                settled = Some(live);
            }
            most = most.max(live - settled.unwrap_or(live));
            soak.dial();
            next = soak.now + PAUSE;
        }
    }
    let callers: u64 = soak.callers.values().sum();
    let count = |what: &str| soak.counts.get(what).copied().unwrap_or(0);
    println!(
        "{days} days: {:?}, {:?}, slowest hang-up {}, memory +{most} bytes",
        soak.callers, soak.counts, soak.slowest
    );
    assert_eq!(count("calls"), callers, "every caller began one call, and nothing else did");
    assert_eq!(count("charges"), soak.callers[&Kind::Pays]);
    assert_eq!(count("tones"), soak.callers[&Kind::HangsUp]);
    assert!(soak.slowest < MediaTime::from_ms(6000), "{}", soak.slowest);
    assert!(settled.is_some() && most < MOST_GROWTH, "{most} bytes");
}
