//! `tonopago run` with an AudioSocket and a stand-in for Asterisk: two callers pay at once, one with keys in the sound and one
//! with keys told beside it; a third finds no line; garbage costs nothing; a caller hangs up, and so does the box.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tonopago::demo::CARD;

use crate::asterisk::Channel;
use crate::harness::{Folder, tonopago};
use crate::running_box::{RunningBox, issue};

pub(crate) const CONFIG: &str = "version: 1
lines: { pbx: { audio_socket: { listen: \"127.0.0.1:0\", calls: 2 } } }
menus: { m: m.yaml }
services: { demo: demo }
status: { listen: \"127.0.0.1:0\" }
recording: { folder: calls }
timing: { stop_within: 0s }
";
/// A payment with few words. Its last state waits for a key.
pub(crate) const MENU: &str = "{version: 1, name: m, languages: [es-MX], start: clave, give_up: fin, states: {
    clave: {say: [pide_clave_breve], collect: {field: payment_key, end_key: '#'}, on: {done: autorizar}},
    autorizar: {say: [un_momento], authorize: {}, on: {authorized: confirmar, refused: fin, unavailable: fin,
        already_paid: fin, blocked: fin, pending: fin}},
    confirmar: {say: [$amount, confirma_breve], confirm: {yes: '1', no: '2'}, on: {yes: tarjeta, no: fin}},
    tarjeta: {say: [pide_tarjeta_breve], collect: {field: card_number, end_key: '#'}, on: {done: vencimiento}},
    vencimiento: {say: [pide_vencimiento_breve], collect: {field: expiry, end_key: none}, on: {done: codigo}},
    codigo: {say: [pide_cvv], collect: {field: cvv, end_key: none}, on: {done: cobrar}},
    cobrar: {say: [procesando], charge: {}, on: {approved: pagado, already_paid: fin, declined: fin, unknown: duda,
        no_answer: sin_respuesta, unavailable: fin, wrong_number: tarjeta}},
    pagado: {say: [pago_aprobado, $reference], next: otra},
    otra: {say: [otra_vez_referencia], choose: {'*': otra, '#': fin}},
    duda: {say: [en_verificacion, $reference], hang_up: true},
    sin_respuesta: {say: [sin_respuesta], hang_up: true},
    fin: {say: [despedida], hang_up: true}}}";

/// Whether the line's call is in this state, and its prompt is being said.
pub(crate) fn says(line: &serde_json::Value, state: &str) -> bool {
    let timeline = line["call"]["timeline"].as_array().cloned().unwrap_or_default();
    let last = timeline.iter().rev().find_map(|entry| entry["text"].as_str()?.strip_prefix("state").map(str::trim));
    last == Some(state)
}

/// Waits until a line's call is in a state, while both callers listen.
fn until_in(running: &RunningBox, index: usize, state: &str, callers: &mut [&mut Channel]) {
    let since = std::time::Instant::now();
    while !says(&running.line(index), state) {
        assert!(since.elapsed() < crate::running_box::PATIENCE, "{state}: {:#}", running.line(index));
        callers.iter_mut().for_each(|caller| caller.go_on());
    }
}

#[test]
fn two_callers_pay_at_once_and_what_is_no_call_disturbs_nobody() {
    let folder = Folder::new();
    fs::write(folder.path("m.yaml"), MENU).unwrap();
    let running = RunningBox::start(&folder, CONFIG);
    let address = running.audio_socket.clone().expect("it listens");

    let mut one = Channel::dial(&address, 0xa1);
    one.until(|caller| !caller.said.is_empty());
    let mut other = Channel::dial(&address, 0xb2);
    running.wait_for(0, "a call", |line| line["phase"] == "call");
    running.wait_for(1, "another call", |line| line["phase"] == "call");
    let lines = [running.line(0), running.line(1)];
    // Whichever line took the first call.
    let first = usize::from(lines[0]["call"]["reference"] != "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1");
    let second = 1 - first;
    assert_eq!(lines[second]["call"]["reference"], "b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2");

    let mut third = Channel::dial(&address, 0xc3);
    third.until(|caller| caller.hung_up && caller.closed);
    assert!(third.said.is_empty());
    let mut garbage = TcpStream::connect(&address).unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = garbage.read(&mut [0; 16]); // closed or reset
    running.wait_for(0, "both counted", |line| {
        line["counts"]["calls_refused"] == 1 && line["counts"]["connections_refused"] == 1
    });

    let keys = [issue(&folder, 1), issue(&folder, 2)].map(|key| format!("{key}#"));
    let card = format!("{}#", CARD.number);
    for (state, keys) in [
        ("clave", [&*keys[0], &*keys[1]]),
        ("confirmar", ["1"; 2]),
        ("tarjeta", [&*card; 2]),
        ("vencimiento", [CARD.expiry; 2]),
        ("codigo", [CARD.cvv; 2]),
    ] {
        until_in(&running, first, state, &mut [&mut one, &mut other]);
        one.keys(keys[0]);
        until_in(&running, second, state, &mut [&mut one, &mut other]);
        other.told_keys(keys[1]);
    }
    for index in [first, second] {
        until_in(&running, index, "otra", &mut [&mut one, &mut other]);
    }

    // One goes by itself, the other asks for the end, hears the goodbye and is hung up.
    drop(one);
    running.wait_for(first, "the caller's end", |line| line["call"]["over"] == true && line["phase"] == "idle");
    other.keys("#");
    other.until(|caller| caller.hung_up && caller.closed);
    assert!(other.said.iter().any(|sample| sample.unsigned_abs() > 1000), "it was spoken to");
    running.wait_for(second, "its end", |line| line["call"]["over"] == true && line["phase"] == "idle");

    // A line that is free again takes the next, and a stop hangs up.
    let mut last = Channel::dial(&address, 0xd4);
    last.until(|caller| !caller.said.is_empty());
    let counts: Vec<u64> = (0..2)
        .flat_map(|index| ["calls", "approved", "keys"].map(|name| (index, name)))
        .map(|(index, name)| running.line(index)["counts"][name].as_u64().unwrap())
        .collect();
    let pressed = keys[0].len() + 1 + card.len() + CARD.expiry.len() + CARD.cvv.len();
    assert_eq!((counts[0] + counts[3], counts[1] + counts[4]), (3, 2), "calls, approved: {counts:?}");
    assert_eq!(counts[2] + counts[5], 2 * pressed as u64 + 1, "each key once: {counts:?}");
    let stopping = std::thread::spawn(move || running.stop());
    last.until(|caller| caller.hung_up && caller.closed);
    assert_eq!(stopping.join().unwrap(), Some(0));

    let ledger = folder.path("demo/ledger.sqlite");
    let list = tonopago(["payments", "list", "--ledger", ledger.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(list.out.matches("approved").count(), 2, "{list:?}");
    let log = fs::read_to_string(folder.path("box-log/log")).unwrap();
    assert!(log.contains("b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2"), "the call is named in the log");
    for written in ["demo", "calls", "box-log"] {
        let (searched, leaks) = tonopago::demo::search_for_card_data(&folder.path(written), &[CARD]).unwrap();
        assert!(searched > 0 && leaks.is_empty(), "{leaks:?} in {searched} files");
    }
}
