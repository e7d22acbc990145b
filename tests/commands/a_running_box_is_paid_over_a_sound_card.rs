//! `tonopago run` on a virtual telephone line: two paced null sinks, one for each direction, real cpal streams at both
//! ends. A caller's sound is played at the box, which does everything else: hears, speaks, authorizes, charges.
//! `TONOPAGO_CALLS=20` makes as many calls in a row. Where PulseAudio is not installed these tests say so and pass.

use std::fs;
use std::path::PathBuf;

use tonopago::call::{Call, CallConfig};
use tonopago::demo::CARD;
use tonopago::line::{Latencies, SimulatedCaller, Transcript, run as drive};
use tonopago::media::MediaTime;
use tonopago::menu::Menu;
use tonopago::money::Money;
use tonopago::service::{Authorization, AuthorizeReply, ChargeReply, Reply, Request};
use tonopago::simulator::line::LineBuilder;
use tonopago::simulator::{Caller, Script};
use tonopago::speech::Clips;

use crate::harness::tonopago;
use crate::running_box::{RunningBox, issue};
use crate::virtual_card::VirtualCard;

const CONFIG: &str = "version: 1
lines: { l1: { card: \"pulseaudio:to_box.monitor\", output: \"pulseaudio:to_caller\" } }
services: { demo: demo }
status: { listen: \"127.0.0.1:0\" }
recording: { folder: calls }
";

/// The sound of a caller who pays with this key, keying over every prompt.
fn caller_sound(card: &VirtualCard, key: &str) -> PathBuf {
    let script = Script::new()
        .keys("bienvenida", "1")
        .keys("clave", &format!("{key}#"))
        .keys("confirmar", "1")
        .keys("tarjeta", &format!("{}#", CARD.number))
        .keys("vencimiento", CARD.expiry)
        .keys("codigo", CARD.cvv)
        .hurried(MediaTime::from_ms(1700));
    let clips = Clips::embedded();
    let hello = clips.caller_speech()[0].samples();
    let caller = Caller::new(script, 5).saying(MediaTime::from_ms(100), &hello[..6000]);
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml")).unwrap();
    let menu = Menu::parse("pago.yaml", &text, &*clips).unwrap();
    let mut call = Call::new(menu, clips, &CallConfig::default());
    let mut services = |request| match request {
        Request::Authorize { .. } => Reply::Authorize(AuthorizeReply::Authorized(Authorization {
            amount: Money::mxn(100),
            order_id: "o".into(),
            description: "d".into(),
            customer: None,
            values: Vec::new(),
        })),
        Request::Charge { .. } => Reply::Charge(ChargeReply::Approved { reference: "100001".into() }),
    };
    let latencies = Latencies { authorize: MediaTime::from_ms(500), charge: MediaTime::from_ms(500) };
    let mut transcript = Transcript { heard: Some(Vec::new()), ..Transcript::default() };
    let mut party = SimulatedCaller::new(caller, LineBuilder::new(2).noise_dbm0(-55.0).build(8000));
    drive(&mut call, &mut party, &mut services, latencies, &mut transcript, &mut |_| {}).unwrap();
    let mut heard = transcript.heard.unwrap();
    // The keys are all pressed within half a minute; the caller need not hear the goodbye.
    heard.truncate(8000 * 34);
    let frames: Vec<[f32; 2]> = heard.into_iter().map(|sample| [sample, 0.0]).collect();
    let path = card.folder.path("caller.wav");
    tonopago::demo::write_recording(&path, &frames).unwrap();
    path
}

fn dial(card: &VirtualCard, sound: &std::path::Path) {
    let play = sound.to_str().unwrap();
    let heard = card.tonopago(&[
        "listen",
        "--device",
        "pulseaudio:to_caller.monitor",
        "--output",
        "pulseaudio:to_box",
        "--play",
        play,
        "--format",
        "jsonl",
    ]);
    assert_eq!((heard.code, heard.out.as_str()), (0, ""), "the caller hears speech and no digit: {heard:?}");
}

#[test]
fn callers_pay_and_a_card_that_comes_back_is_used_again() {
    let Some(mut card) = VirtualCard::start(&["to_box", "to_caller"]) else { return };
    let running = RunningBox::start(&card.folder, CONFIG);
    running.wait_for(0, "an idle line", |line| line["phase"] == "idle");

    // The plug is pulled between two calls.
    card.take_away();
    running.wait_for(0, "the loss", |line| line["trouble"].is_string());
    card.give_back();
    running.wait_for(0, "the line", |line| line["trouble"].is_null() && line["phase"] == "idle");

    let calls = std::env::var("TONOPAGO_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut attempts = 0;
    for number in 1..=calls {
        // On a busy machine a virtual card has gaps that a real one has not: up to three attempts at a call.
        let paid = (0..3).any(|_| {
            attempts += 1;
            running.wait_for(0, "an idle line", |line| line["phase"] == "idle");
            dial(&card, &caller_sound(&card, &issue(&card.folder, attempts)));
            let line = running.wait_for(0, "the call's end", |line| {
                line["counts"]["approved"] == number || (line["phase"] != "call" && line["counts"]["calls"] == attempts)
            });
            line["counts"]["approved"] == number
        });
        let line = running.line(0);
        println!("call {number} paid {paid}, attempt {attempts}: {}", line["counts"]);
        assert!(paid, "not once in three attempts: {line:#}");
    }

    // The plug is pulled in a call, and put in again: the same call goes on.
    let line = running.line(0);
    if line["phase"] == "call" {
        let id = line["call"]["id"].clone();
        card.take_away();
        running.wait_for(0, "the loss", |line| line["counts"]["card_losses"] == 2);
        card.give_back();
        let line = running.wait_for(0, "the line", |line| line["trouble"].is_null());
        assert_eq!((&line["phase"], &line["call"]["id"]), (&"call".into(), &id));
    }
    let line = running.line(0);
    let text = line["call"]["timeline"].to_string();
    assert!(!text.contains(CARD.number) && text.contains("•"), "{text}");
    println!("{}", line["counts"]);
    assert_eq!(running.stop(), Some(0));

    let ledger = card.folder.path("demo/ledger.sqlite");
    let list = tonopago(["payments", "list", "--ledger", ledger.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(list.out.matches("approved").count(), calls, "{list:?}");
    for written in ["demo", "calls", "box-log"] {
        let (searched, leaks) = tonopago::demo::search_for_card_data(&card.folder.path(written), &[CARD]).unwrap();
        assert!(searched > 0 && leaks.is_empty(), "{leaks:?} in {searched} files");
    }
    let recordings = fs::read_dir(card.folder.path("calls")).unwrap().count();
    assert_eq!(recordings, line["counts"]["calls"].as_u64().unwrap() as usize);
}
