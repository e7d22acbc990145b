//! The bench for whole calls: a scripted caller's sound through the real engine and `menus/pago.yaml`, with services
//! answered by the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tonopago::call::{Call, CallConfig};
use tonopago::line::{Latencies, SimulatedCaller, Transcript, run};
use tonopago::menu::{Event, EventKind, Menu};
use tonopago::money::Money;
use tonopago::service::{Authorization, AuthorizeReply, ChargeReply, Refusal, Reply, Request};
use tonopago::simulator::line::LineBuilder;
use tonopago::simulator::{Caller, Script};
use tonopago::speech::Clips;

pub const KEY: &str = "257139";
pub const PAN: &str = "4111111111111111";
pub const EXPIRY: &str = "0830";
pub const CVV: &str = "737";
pub const REFERENCE: &str = "801585";

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The payment menu that ships.
pub fn pago() -> Arc<Menu> {
    let path = repository("menus/pago.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    Menu::parse("menus/pago.yaml", &text, &*Clips::embedded()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The permission the tests' authorizer gives for [`KEY`].
pub fn authorization() -> Authorization {
    Authorization {
        amount: Money::mxn(20_050),
        order_id: "ord-234".into(),
        description: "Cargo IVR".into(),
        customer: None,
        values: Vec::new(),
    }
}

/// Services that know one key and approve every card, and note what they were asked.
#[derive(Default)]
pub struct Approving {
    pub asked: Vec<String>,
}

impl Approving {
    pub fn perform(&mut self, request: Request) -> Reply {
        match request {
            Request::Authorize { key, .. } => {
                self.asked.push(format!("authorize {}", key.expose()));
                let known = key.expose() == KEY;
                Reply::Authorize(if known {
                    AuthorizeReply::Authorized(authorization())
                } else {
                    AuthorizeReply::Refused(Refusal::Unknown)
                })
            }
            Request::Charge { authorization, card, .. } => {
                let (pan, expiry, cvv) = (card.pan.expose(), &card.expiry, card.cvv.expose());
                let card = format!("{pan} {}{} {cvv}", expiry.month2(), expiry.year2());
                self.asked.push(format!("charge {} {card}", authorization.amount));
                Reply::Charge(ChargeReply::Approved { reference: REFERENCE.into() })
            }
        }
    }
}

/// The script of a caller who does everything right.
pub fn good_caller() -> Script {
    Script::new()
        .keys("bienvenida", "1")
        .keys("clave", &format!("{KEY}#"))
        .keys("confirmar", "1")
        .keys("tarjeta", &format!("{PAN}#"))
        .keys("vencimiento", EXPIRY)
        .keys("codigo", CVV)
}

/// The same caller, who first presses other keys in a state.
pub fn good_caller_from(state: &str, keys: &str) -> Script {
    let first = Script::new().keys("bienvenida", "1").keys(state, keys);
    first
        .keys("clave", &format!("{KEY}#"))
        .keys("confirmar", "1")
        .keys("tarjeta", &format!("{PAN}#"))
        .keys("vencimiento", EXPIRY)
        .keys("codigo", CVV)
}

/// Runs a call with a simulated caller on a noisy line with echo.
pub fn call(script: Script, seed: u64, services: &mut dyn FnMut(Request) -> Reply) -> Transcript {
    println!("seed {seed}");
    let line = LineBuilder::new(seed).noise_dbm0(-45.0).echo(24.0, 16.0).build(8000);
    let mut party = SimulatedCaller::new(Caller::new(script, seed), line);
    let config = CallConfig { record: true, ..CallConfig::default() };
    let mut call = Call::new(pago(), Clips::embedded(), &config);
    let mut transcript = Transcript { heard: Some(Vec::new()), ..Transcript::default() };
    let mut watch = |event: &Event| println!("{event}");
    let mut services = services;
    run(&mut call, &mut party, &mut services, Latencies::default(), &mut transcript, &mut watch).unwrap();
    transcript
}

/// The states a call went through, in order, separated by spaces.
pub fn states(transcript: &Transcript) -> String {
    let names = transcript.events.iter().filter_map(|event| match &event.kind {
        EventKind::State { name } => Some(name.as_str()),
        _ => None,
    });
    names.collect::<Vec<_>>().join(" ")
}
