//! One call on the wire, byte by byte and step by step.

use super::*;

const STEP_MS: usize = 10;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

fn uuid() -> Vec<u8> {
    frame(1, &[7; 16])
}

/// So many ms of a steady level, as frames of 20 ms.
fn audio(ms: usize, level: i16) -> Vec<u8> {
    (0..ms / 20).flat_map(|_| frame(0x10, &level.to_le_bytes().repeat(FRAME))).collect()
}

/// What is heard in each of so many steps: the level in ten-thousandths of full scale, and the keys.
fn hear(session: &mut Session, ms: usize) -> Vec<(i32, String)> {
    let mut block = [9.0; STEP];
    let step = |session: &mut Session, block: &mut [f32; STEP]| {
        session.hear(block);
        assert!(block.iter().all(|sample| *sample == block[0]), "whole");
        let keys: String = std::iter::from_fn(|| session.next_key()).map(Digit::as_char).collect();
        ((block[0] * 10_000.0).round() as i32, keys)
    };
    (0..ms / STEP_MS).map(|_| step(session, &mut block)).collect()
}

fn levels(session: &mut Session, ms: usize) -> Vec<i32> {
    hear(session, ms).into_iter().map(|(level, _)| level).collect()
}

fn began() -> Session {
    let mut session = Session::new();
    assert_eq!(session.receive(&uuid()), Some(Uuid([7; 16])));
    session
}

#[test]
fn sound_is_held_a_little_and_then_flows_without_gaps() {
    let mut session = began();
    assert_eq!(levels(&mut session, 30), [0, 0, 0], "silence from the first step on");
    let mut heard = Vec::new();
    // Frames come 40 ms late now and then.
    for late in [0, 0, 40, 20, 0, 40, 0, 0] {
        heard.extend(levels(&mut session, late));
        session.receive(&audio(20, 16_384));
        heard.extend(levels(&mut session, 20 - late.min(20)));
        session.receive(&audio(late.saturating_sub(20), 16_384));
    }
    let first = heard.iter().position(|level| *level == 5000).unwrap();
    assert!((4..=8).contains(&first), "held for 40 to 80 ms: {heard:?}");
    assert!(heard[first..].iter().all(|level| *level == 5000), "{heard:?}");
    assert_eq!(session.tally().missing, 0);
}

#[test]
fn less_than_is_held_is_given_in_the_end() {
    let mut session = began();
    session.receive(&audio(20, 16_384));
    let heard = levels(&mut session, 120);
    assert_eq!(heard.iter().filter(|level| **level == 5000).count(), 2, "{heard:?}");
}

#[test]
fn a_gap_is_silence_that_is_counted_and_sound_is_held_again_after_it() {
    let mut session = began();
    session.receive(&audio(100, 16_384));
    assert_eq!(levels(&mut session, 150).iter().filter(|level| **level == 5000).count(), 10);
    session.receive(&audio(20, 16_384));
    assert_eq!(levels(&mut session, 20), [0, 0]);
    assert_eq!(session.tally(), Tally { heard: 800, lost: 0, missing: 560 });
}

#[test]
fn keys_and_the_end_come_in_their_place() {
    let mut session = began();
    let key = |key: u8| frame(3, &[key]);
    session.receive(&[audio(100, 16_384), key(b'1'), audio(20, 8192), key(b'2'), key(b'3'), frame(0, &[])].concat());
    session.receive(&audio(20, 1));
    assert!(session.is_ending() && session.ending().is_none(), "not before what came before");
    let heard = hear(&mut session, 130);
    let expected = [vec![(5000, String::new()); 9], vec![(5000, "1".into()), (2500, "".into())]].concat();
    assert_eq!(heard[..11], expected);
    assert_eq!(heard[11..], [(2500, "23".into()), (0, String::new())], "nothing comes after the end");
    assert!(session.ending().is_some_and(Ending::is_regular));
}

#[test]
fn keys_come_without_any_sound() {
    let mut session = began();
    session.receive(&frame(3, b"5"));
    assert_eq!(hear(&mut session, 10), [(0, "5".to_owned())]);
}

#[test]
fn a_flood_is_bounded_and_its_latest_is_heard() {
    let mut session = began();
    for level in 0..200 {
        session.receive(&audio(1000, level * 100));
        session.receive(&frame(3, b"5").repeat(100));
    }
    assert_eq!((session.queue.len(), session.keys.len()), (MOST, MOST_KEYS));
    assert_eq!(session.tally().lost, 8000 * 198);
    assert_eq!(levels(&mut session, 10), [6042], "level 198");
}

#[test]
fn a_backlog_is_caught_up_with_in_pauses_and_no_key_is_lost_for_it() {
    let mut session = began();
    session.receive(&audio(1000, 16_384));
    assert_eq!(levels(&mut session, 500).iter().filter(|level| **level == 5000).count(), 50, "sound is whole");
    assert_eq!(session.tally().lost, 0);
    session.receive(&audio(1000, 0));
    levels(&mut session, 1300);
    assert!((400..=800).contains(&session.tally().lost), "{:?}", session.tally());
    assert!(session.queue.len() <= ENOUGH);
}

#[test]
fn other_rates_become_8_khz() {
    for (kind, rate) in [(0x11, 12_000), (0x12, 16_000), (0x15, 44_100), (0x18, 192_000)] {
        let mut session = began();
        for _ in 0..50 {
            session.receive(&frame(kind, &8192_i16.to_le_bytes().repeat(rate / 50)));
        }
        let mut middle = [0.0; STEP];
        for _ in 0..50 {
            session.hear(&mut middle);
        }
        assert!(middle.iter().all(|sample| (sample - 0.25).abs() < 0.001), "{rate}: {middle:?}");
        assert!((7900..=8000).contains(&session.came), "{rate}: {}", session.came);
    }
}

#[test]
fn a_broken_frame_ends_the_call_after_what_came_before() {
    let mut session = began();
    session.receive(&[audio(20, 16_384), frame(0x10, &[1; 3])].concat());
    assert_eq!(levels(&mut session, 30), [5000, 5000, 0]);
    let Some(Ending::Broken(error)) = session.ending() else { panic!("broken") };
    assert_eq!(error.to_string(), "a frame of kind 0x10 has 3 bytes, where two for each sample are due");
}

#[test]
fn what_is_said_goes_in_frames_of_20_ms_and_its_rest_before_the_end() {
    let (mut session, mut out) = (began(), Vec::new());
    let said: Vec<usize> = (0..5).map(|_| session.say(&[0.5; STEP], &mut out)).collect();
    assert_eq!((said, out.len()), (vec![0, FRAME, 0, FRAME, 0], 2 * (3 + 320)));
    session.hang_up(&mut out);
    assert_eq!(out[2 * 323..][..3], [0x10, 0, 160]);
    assert_eq!(out[2 * 323 + 163..], [0, 0, 0]);
}
