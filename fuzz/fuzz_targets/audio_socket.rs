//! What comes over an AudioSocket: the same frames, sound, keys and end wherever the bytes are split, and finite samples.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tonopago::line::attendant::STEP;
use tonopago::line::audio_socket::frame::{Frame, FrameReader, LONGEST, samples};
use tonopago::line::audio_socket::{MOST, Session};
use tonopago_fuzz::pieces::{Lengths, pieces};

fuzz_target!(|data: &[u8]| {
    assert_eq!(frames([data]), frames(pieces(data)));
    assert_eq!(call(data, |bytes| vec![bytes]), call(data, |bytes| pieces(bytes).collect()));
});

/// Everything that comes of pieces of bytes.
fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut reader, mut seen) = (FrameReader::new(), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => seen.push(told(&frame)),
                Ok(None) => break,
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            }
        }
    }
    seen
}

fn told(frame: &Frame<'_>) -> String {
    match frame {
        Frame::Uuid(uuid) => format!("uuid {uuid}"),
        Frame::Audio { rate, bytes } => {
            assert!(bytes.len() < LONGEST && samples(bytes).all(|sample| (-1.0..1.0).contains(&sample)));
            format!("{rate} {bytes:?}")
        }
        Frame::Key(key) => format!("key {key}"),
        Frame::HangUp => "hang-up".to_owned(),
        Frame::Error(reason) => format!("error {reason:?}"),
    }
}

/// A call that takes the bytes in portions, each cut as it is told to, and hears 10 ms or more behind each.
fn call<'a>(data: &'a [u8], cut: impl Fn(&'a [u8]) -> Vec<&'a [u8]>) -> (Vec<u32>, Vec<String>) {
    let mut lengths = Lengths::of(data);
    let (mut session, mut rest) = (Session::new(), data);
    let (mut sound, mut seen) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (portion, behind) = rest.split_at(lengths.next().min(rest.len()));
        rest = behind;
        let names: Vec<_> = cut(portion).into_iter().filter_map(|piece| session.receive(piece)).collect();
        seen.extend(names.last().map(ToString::to_string));
        for _ in 0..lengths.below(3) {
            hear(&mut session, &mut sound, &mut seen);
        }
    }
    // All that may be held, and the wait before it is given.
    for _ in 0..2 * MOST / STEP {
        hear(&mut session, &mut sound, &mut seen);
    }
    let tally = session.tally();
    assert_eq!(session.is_ending(), session.ending().is_some(), "all has been heard: {tally:?}");
    seen.push(format!("{tally:?} {:?}", session.into_ending()));
    (sound, seen)
}

fn hear(session: &mut Session, sound: &mut Vec<u32>, seen: &mut Vec<String>) {
    while let Some(key) = session.next_key() {
        seen.push(format!("{key} at {}", sound.len()));
    }
    let mut block = [0.0; STEP];
    session.hear(&mut block);
    assert!(block.iter().all(|sample| sample.is_finite()));
    sound.extend(block.map(f32::to_bits));
}
