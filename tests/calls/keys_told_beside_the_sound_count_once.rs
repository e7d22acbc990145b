//! A line may tell of keys beside their sound (AudioSocket does, of some): whichever comes first, a key is one key, and a
//! card's is in no recording.

use tonopago::dtmf::Digit;
use tonopago::menu::EventKind;
use tonopago::service::{AuthorizeReply, ChargeReply, Reply, Request};

use crate::bench::{self, CVV, EXPIRY, KEY, PAN, REFERENCE};
use crate::sound::{Sound, keys_in};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// The word alone: the far side takes the sound out.
    Word,
    /// The word at the key's end, as a rule.
    SoundAndWord,
    /// The sound is held back longer than the word.
    WordAndSound,
    /// The far side takes the sound out as soon as it knows it, which may be too late.
    Stump,
}

fn press(sound: &mut Sound, keys: &str, way: Way) {
    for (index, key) in keys.chars().enumerate() {
        let tell = |sound: &mut Sound| sound.call.key_told(Digit::from_char(key).unwrap());
        match way {
            Way::Word => {
                sound.silence(80);
                tell(sound);
            }
            Way::SoundAndWord => {
                sound.tone(key, 80.0).silence(30);
                tell(sound);
            }
            Way::WordAndSound => {
                tell(sound);
                sound.silence(150).tone(key, 80.0);
            }
            Way::Stump => {
                sound.tone(key, 20.0 + 5.0 * (index % 5) as f64).silence(60);
                tell(sound);
            }
        }
        sound.silence(120);
    }
}

/// A whole payment; the card charged, how many keys were taken, and the keys left in the recording.
fn pay(way: Way) -> (String, usize, String) {
    let mut sound = Sound::new(bench::pago());
    let mut charged = String::new();
    for (state, keys) in [
        ("bienvenida", "1"),
        ("clave", &format!("{KEY}#")),
        ("confirmar", "1"),
        ("tarjeta", &format!("{PAN}#")),
        ("vencimiento", EXPIRY),
        ("codigo", CVV),
    ] {
        press(sound.until_heard(state), keys, way);
        let reply = match sound.requests.last() {
            Some((_, Request::Authorize { .. })) if state == "clave" => {
                Reply::Authorize(AuthorizeReply::Authorized(bench::authorization()))
            }
            Some((_, Request::Charge { card, .. })) => {
                let expiry = format!("{}{}", card.expiry.month2(), card.expiry.year2());
                charged = format!("{} {expiry} {}", card.pan.expose(), card.cvv.expose());
                Reply::Charge(ChargeReply::Approved { reference: REFERENCE.into() })
            }
            _ => continue,
        };
        sound.answer(reply);
    }
    sound.until_heard("otra_vez").hang_up();
    let taken = sound.events.iter().filter(|event| matches!(event.kind, EventKind::Key { .. })).count();
    let caller: Vec<f32> = sound.recording.iter().map(|frame| frame[0]).collect();
    (charged, taken, keys_in(&caller))
}

/// Of a key whose sound the far side cuts short nobody here hears more than a click, but a recording might tell it: all that
/// came before the word is silent, too.
#[test]
fn of_a_cards_keys_told_ahead_of_their_turn_not_even_the_stumps_are_recorded() {
    let mut sound = Sound::new(bench::pago());
    for (state, keys) in [("bienvenida", "1"), ("clave", &format!("{KEY}#"))] {
        press(sound.until_heard(state), keys, Way::Word);
    }
    sound.until_heard("autorizar"); // which has no answer yet
    let mut stumps = Vec::new();
    for key in PAN.chars() {
        let onset = sound.heard.len();
        sound.tone(key, 20.0);
        stumps.push(onset..sound.heard.len());
        sound.silence(60).call.key_told(Digit::from_char(key).unwrap());
        sound.silence(400);
    }
    assert_eq!(sound.state(), "autorizar");
    sound.hang_up();
    for stump in stumps {
        assert!(sound.heard[stump.clone()].iter().any(|sample| sample.abs() > 0.01), "there is one");
        assert!(sound.recording[stump.clone()].iter().all(|frame| *frame == [0.0; 2]), "at {stump:?}");
    }
}

#[test]
fn a_payment_is_the_same_however_its_keys_come() {
    let keys = 1 + KEY.len() + 1 + 1 + PAN.len() + 1 + EXPIRY.len() + CVV.len();
    for way in [Way::Word, Way::SoundAndWord, Way::WordAndSound, Way::Stump] {
        let (charged, taken, recorded) = pay(way);
        assert_eq!((charged, taken), (format!("{PAN} {EXPIRY} {CVV}"), keys), "{way:?}");
        let open = match way {
            Way::Word => String::new(),
            Way::SoundAndWord => format!("1{KEY}#1"),
            Way::WordAndSound => format!("1{KEY}#"), // the last sounds when a card is asked for already
            Way::Stump => recorded.clone(),          // which stumps are heard is the detector's business
        };
        assert_eq!(recorded, open, "{way:?}");
        assert!(!recorded.contains("41"), "{way:?}: {recorded}");
    }
}
