//! The same sound in blocks of any size gives the identical trace, the identical sound and the identical recording.

use tonopago::call::{Call, CallConfig, Effect, Frame};
use tonopago::line::attendant::STEP;
use tonopago::line::audio_socket::frame::{FRAME, samples, write_audio};
use tonopago::line::audio_socket::{Ending, Session};
use tonopago::line::{Latencies, Transcript};
use tonopago::media::MediaTime;
use tonopago::menu::Event;
use tonopago::service::{Reply, Request, RequestId};
use tonopago::simulator::Script;
use tonopago::speech::Clips;

use crate::bench::{self, Approving, CVV, EXPIRY, KEY, PAN};

const BLOCKS: [usize; 6] = [1, 7, 80, 160, 441, 4800];

#[derive(PartialEq)]
struct Heard {
    events: Vec<Event>,
    said: Vec<f32>,
    recording: Vec<Frame>,
}

/// Feeds recorded sound to a new call, then hangs up. Services answer after `latency` samples.
fn replay(heard: &[f32], block: usize, latency: u64) -> Heard {
    let config = CallConfig { record: true, ..CallConfig::default() };
    let mut call = Call::new(bench::pago(), Clips::embedded(), &config);
    let mut services = Approving::default();
    let mut due: Option<(MediaTime, RequestId, Reply)> = None;
    let mut result = Heard { events: Vec::new(), said: Vec::new(), recording: Vec::new() };
    perform(&mut call, &mut services, latency, &mut due, &mut result.events);
    for chunk in heard.chunks(block) {
        let mut said = vec![0.0; chunk.len()];
        let mut done = 0;
        while done < chunk.len() {
            let until = due.as_ref().map_or(u64::MAX, |(at, ..)| at.since(call.now()).0.max(1));
            let end = chunk.len().min(done.saturating_add(usize::try_from(until).unwrap_or(usize::MAX)));
            done += call.step(&chunk[done..end], &mut said[done..end]);
            perform(&mut call, &mut services, latency, &mut due, &mut result.events);
        }
        result.said.extend(said);
        call.take_recording(&mut result.recording);
    }
    call.hang_up();
    perform(&mut call, &mut services, latency, &mut due, &mut result.events);
    call.take_recording(&mut result.recording);
    assert_eq!(result.recording.len() as u64, call.now().0, "the recording is as long as the call");
    result
}

fn perform(
    call: &mut Call,
    services: &mut Approving,
    latency: u64,
    due: &mut Option<(MediaTime, RequestId, Reply)>,
    events: &mut Vec<Event>,
) {
    loop {
        if let Some((_, id, reply)) = due.take_if(|(at, ..)| *at <= call.now()) {
            call.reply(id, reply);
        }
        match call.poll_effect() {
            Some(Effect::Event(event)) => events.push(event),
            Some(Effect::Request { id, request }) => {
                let request: Request = *request;
                *due = Some((call.now() + MediaTime(latency), id, services.perform(request)));
            }
            Some(Effect::Save(_) | Effect::Transfer { .. } | Effect::HangUp) => {}
            None if due.as_ref().is_some_and(|(at, ..)| *at <= call.now()) => {}
            None => return,
        }
    }
}

fn same_in_all_blocks(transcript: &Transcript, latency: u64) {
    let heard = transcript.heard.as_ref().unwrap();
    let reference = replay(heard, 80, latency);
    assert!(reference.events.len() > 20);
    for block in BLOCKS {
        let other = replay(heard, block, latency);
        let difference = reference.events.iter().zip(&other.events).find(|(a, b)| a != b);
        assert_eq!(difference, None, "blocks of {block}");
        assert!(reference == other, "blocks of {block}: sound or recording differ");
    }
}

fn corrected_and_hasty() -> Script {
    Script::new()
        .act("bienvenida", tonopago::simulator::Patience::CutsIn(MediaTime::from_ms(700)), keys("1"))
        .act("clave", tonopago::simulator::Patience::CutsIn(MediaTime::from_ms(150)), keys("25*"))
        .act("clave", tonopago::simulator::Patience::HearsOut, keys("999999#"))
        .keys("clave", &format!("{KEY}#"))
        .keys("confirmar", "0,,,,,,,,,1")
        .act(
            "tarjeta",
            tonopago::simulator::Patience::CutsIn(MediaTime::from_ms(90)),
            keys(&format!("{PAN}#{EXPIRY}#{CVV}#")),
        )
        .act("otra_vez", tonopago::simulator::Patience::HearsOut, keys("*"))
}

fn keys(keys: &str) -> tonopago::simulator::Act {
    tonopago::simulator::Act::Keys(keys.to_owned())
}

#[test]
fn the_trace_does_not_depend_on_the_blocks_where_services_answer_at_once() {
    for (script, seed) in [(bench::good_caller(), 31), (corrected_and_hasty(), 32)] {
        let mut services = Approving::default();
        let transcript = bench::call(script, seed, &mut |request| services.perform(request));
        same_in_all_blocks(&transcript, 0);
    }
}

#[test]
fn the_trace_does_not_depend_on_the_blocks_where_services_take_their_time() {
    for (script, seed) in [(bench::good_caller(), 33), (corrected_and_hasty(), 34)] {
        let mut services = Approving::default();
        let transcript = bench::call(script, seed, &mut |request| services.perform(request));
        same_in_all_blocks(&transcript, 6411);
        same_in_all_blocks(&transcript, 28_003);
    }
}

/// The sound as Asterisk sends it: 16 bits in frames of 20 ms, after the UUID.
fn wire(heard: &[f32]) -> Vec<u8> {
    let mut bytes = [&[1, 0, 16][..], &[0xa5; 16]].concat();
    heard.chunks(FRAME).for_each(|samples| write_audio(samples, &mut bytes));
    bytes
}

/// What an AudioSocket's session makes of bytes that come in pieces of any length, some of them in a burst.
fn through_audio_socket(bytes: &[u8], seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut session, mut rest, mut heard) = (Session::new(), bytes, Vec::new());
    let mut steps = 0;
    while session.ending().is_none() {
        // 323 bytes every other step, and up to 30 ms before they are due.
        steps += 1;
        let mut due = (steps * 323 / 2 + rng.usize(..500)).saturating_sub(bytes.len() - rest.len());
        while due > 0 && !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.usize(1..=due.min(rest.len())));
            session.receive(piece);
            due -= piece.len();
            rest = after;
        }
        if rest.is_empty() {
            session.end(Ending::Closed);
        }
        let mut block = [0.0; STEP];
        session.hear(&mut block);
        heard.extend(block);
    }
    assert_eq!((session.tally().missing, session.tally().lost), (0, 0));
    heard
}

#[test]
fn an_audio_socket_gives_the_trace_of_its_sound_however_its_bytes_come() {
    let mut services = Approving::default();
    let transcript = bench::call(bench::good_caller(), 36, &mut |request| services.perform(request));
    let bytes = wire(transcript.heard.as_ref().unwrap());
    let heard = through_audio_socket(&bytes, 1);
    let held = heard.len() - transcript.heard.as_ref().unwrap().len();
    // 16 bits, of which the engine alone gives the trace.
    let samples: Vec<f32> = bytes[19..].chunks(3 + 2 * FRAME).flat_map(|frame| samples(&frame[3..])).collect();
    assert_eq!(heard[held..], samples, "every sample, in order, after {held} of silence");
    let reference = replay(&[&vec![0.0; held][..], &samples].concat(), 80, 6411);
    assert!(reference.events.len() > 20);
    for seed in 2..12 {
        println!("seed {seed}");
        let heard = through_audio_socket(&bytes, seed);
        let later = heard.len() - held - samples.len();
        let events = replay(&heard[later..], 160, 6411).events;
        assert_eq!(reference.events, events);
    }
}

#[test]
fn a_recorded_caller_gives_the_trace_of_the_simulated_one() {
    let mut services = Approving::default();
    let transcript = bench::call(bench::good_caller(), 35, &mut |request| services.perform(request));
    let Latencies { authorize, charge } = Latencies::default();
    assert_ne!(authorize, charge);
    let kinds = |events: &[Event]| events.iter().map(|event| event.kind.to_string()).collect::<Vec<_>>();
    let replayed = replay(transcript.heard.as_ref().unwrap(), 80, authorize.0);
    let (first, again) = (kinds(&transcript.events), kinds(&replayed.events));
    let until = first.iter().position(|kind| kind.contains("charge")).unwrap();
    assert_eq!(first[..until], again[..until]);
}
