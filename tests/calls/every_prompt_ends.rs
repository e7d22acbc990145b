//! A prompt that is hardly one ends too, and the call goes on.

use tonopago::media::MediaTime;
use tonopago::money::Money;
use tonopago::service::{Authorization, AuthorizeReply, ChargeReply, Reply};

use crate::bench::{CVV, EXPIRY, KEY, PAN, pago};
use crate::sound::{Sound, menu};

/// What went wrong: a prompt shorter than the engine's tick, at the start of a call, was over before anyone looked, and
/// the call waited in it for a quarter of an hour.
#[test]
fn a_prompt_shorter_than_a_tick_at_the_start_ends() {
    for pause in ["0ms", "1ms", "9ms", "10ms", "11ms"] {
        let mut sound = Sound::new(menu(&format!(
            "{{version: 1, name: short, languages: [es-MX], start: a, give_up: b, states: {{
               a: {{say: [{{pause: {pause}}}], next: b}}, b: {{say: [{{pause: {pause}}}], hang_up: true}}}}}}"
        )));
        sound.silence(100);
        assert!(sound.call.is_over(), "pause of {pause}: {}", sound.trace());
    }
}

fn paid(reference: &str) -> Sound {
    let mut sound = Sound::new(pago());
    let authorization = Authorization {
        amount: Money::mxn(100),
        order_id: "ord-1".into(),
        description: "Cargo IVR".into(),
        customer: None,
        values: Vec::new(),
    };
    sound.until_heard("bienvenida").keys("1").until_heard("clave").keys(KEY).keys("#").silence(100);
    sound.answer(Reply::Authorize(AuthorizeReply::Authorized(authorization))).until_heard("confirmar").keys("1");
    sound.until_heard("tarjeta").keys(PAN).keys("#").until_heard("vencimiento").keys(EXPIRY);
    sound.until_heard("codigo").keys(CVV).silence(3000);
    sound.answer(Reply::Charge(ChargeReply::Approved { reference: reference.into() }));
    sound
}

/// How long the words of the state `aprobado` last.
fn length_of_result(reference: &str) -> MediaTime {
    let mut sound = paid(reference);
    let from = sound.now();
    for _ in 0..6000 {
        if sound.state() == "otra_vez" {
            return sound.now().since(from);
        }
        sound.silence(10);
    }
    panic!("the result never ends: {}", sound.trace());
}

/// What went wrong: a reference no digit of which could be spoken left a prompt that never ended; one with letters was
/// spoken without its letters.
#[test]
fn any_reference_is_spoken_as_far_as_it_can_be_and_the_call_goes_on() {
    let nothing = length_of_result("--");
    let digits = length_of_result("79");
    let letters = length_of_result("TP-79");
    assert!(nothing < digits && digits < letters, "{nothing} {digits} {letters}");
}
