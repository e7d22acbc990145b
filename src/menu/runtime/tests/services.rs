//! The authorizer's and the gateway's answers: in time, late, wrong, never; and what a charge needs.

use super::*;
use crate::card::SecretDigits;
use crate::menu::event;
use crate::menu::model::{FieldId, FieldKind};
use crate::service::{CardField, Decline};

fn charge_reply(reply: ChargeReply) -> Reply {
    Reply::Charge(reply)
}

fn card_of(request: &Request) -> String {
    let Request::Charge { card, .. } = request else { panic!("not a charge") };
    format!("{} {}{} {}", card.pan.expose(), card.expiry.month2(), card.expiry.year2(), card.cvv.expose())
}

#[test]
fn a_charge_has_the_amount_confirmed_and_the_card_keyed() {
    let bench = Bench::pay_until("cobrar");
    let (id, request) = bench.requests.last().unwrap();
    assert_eq!((id.0, request.name()), (2, "charge"));
    let Request::Charge { key, authorization, months, .. } = request else { panic!("not a charge") };
    assert_eq!((key.expose(), authorization.amount, *months), (KEY, Money::mxn(20_050), None));
    assert_eq!(card_of(request), format!("{PAN} {EXPIRY} {CVV}"));
}

#[test]
fn the_sentence_under_way_is_heard_out_before_the_answer_is_acted_on() {
    let mut bench = Bench::pay_until("codigo");
    bench.keys(CVV);
    bench.news();
    bench.answer(approved()).wait(300);
    assert_eq!(bench.news(), "answer approved, reference 801585 (request 2)");
    bench.hear_out();
    assert!(bench.news().starts_with("(prompt heard to the end)\nstate aprobado"));
}

#[test]
fn a_caller_who_waits_is_told_so_every_eight_seconds() {
    let mut bench = Bench::pay_until("codigo");
    bench.keys("73").down('7');
    let asked = bench.now;
    bench.wait(30_000);
    let times: Vec<u64> = bench
        .events
        .iter()
        .filter(|event| event.kind.to_string() == "says     seguimos")
        .map(|event| event.at.since(asked).as_ms())
        .collect();
    assert_eq!(times, [8000, 16_000, 24_000]);
}

#[test]
fn an_authorizer_that_never_answers_is_unavailable() {
    let mut bench = Bench::pay_until("autorizar");
    bench.wait(40_000);
    let news = bench.news();
    assert!(news.contains("timer service limit\nstate servicio_no_disponible"), "{news}");
}

#[test]
fn a_gateway_that_never_answers_leaves_the_outcome_unknown() {
    let mut bench = Bench::pay_until("cobrar");
    bench.wait(200_000);
    let news = bench.news();
    assert!(news.contains("timer service limit\nstate sin_respuesta"), "{news}");
}

/// What went wrong: whoever paid twice in one call heard the first payment's reference as that of the second, which had no
/// answer.
#[test]
fn a_charge_without_an_answer_has_no_reference_of_an_earlier_one() {
    let shipped = include_str!("../../../../menus/pago.yaml");
    let pays_again = shipped.replace("\"#\": despedida", "\"#\": clave").replace(
        "sin_respuesta: { say: [sin_respuesta, despedida], hang_up: true }",
        "sin_respuesta: { say: [sin_respuesta], save: [reference], next: despedida }",
    );
    let mut bench = Bench::new(menu(&pays_again));
    bench.pay("bienvenida", "cobrar").answer(approved()).until("otra_vez").wait(1500).keys("#");
    bench.pay("clave", "cobrar").wait(200_000);
    assert_eq!(bench.saved, ["reference = -"], "{}", bench.trace());
}

#[test]
fn an_answer_after_the_limit_is_noted_and_changes_nothing() {
    let mut bench = Bench::pay_until("cobrar");
    while bench.state() == "cobrar" {
        bench.wait(100);
    }
    bench.news();
    bench.answer(approved());
    assert_eq!(bench.news(), "answer approved, reference 801585 (request 2, too late)");
    assert_eq!(bench.state(), "sin_respuesta");
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    let mut bench = Bench::pay_until("autorizar");
    bench.answer(authorized()).answer(refused());
    let news = bench.news();
    assert!(news.contains("answer refused: unknown key (request 1, too late)"), "{news}");
    assert_eq!(bench.state(), "confirmar");
}

#[test]
fn an_answer_to_no_request_is_ignored() {
    let mut bench = Bench::pay_until("autorizar");
    bench.answer_to(RequestId(99), authorized()).answer_to(RequestId(0), authorized());
    assert_eq!(bench.state(), "autorizar");
    bench.hang_up().answer_to(RequestId(1), authorized());
    assert!(bench.trace().ends_with("(request 1, too late)\n"));
}

#[test]
fn an_answer_of_the_wrong_kind_says_nothing_about_the_question() {
    let mut bench = Bench::pay_until("autorizar");
    bench.answer(approved());
    assert_eq!(bench.state(), "servicio_no_disponible");
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(authorized());
    assert_eq!(bench.state(), "sin_respuesta", "it may have been charged");
}

#[test]
fn a_key_whose_charge_is_still_open_is_not_asked_for_a_card() {
    let mut bench = Bench::pay_until("autorizar");
    bench.answer(Reply::Authorize(AuthorizeReply::Pending { reference: "100017".to_owned() }));
    assert_eq!(bench.state(), "sin_respuesta");
}

#[test]
fn three_wrong_keys_give_up() {
    let mut bench = Bench::pay_until("clave");
    for _ in 0..3 {
        bench.until("clave").keys("111111#").until("autorizar").answer(refused());
    }
    assert!(bench.news().ends_with("outcome give up\nstate demasiados_intentos\nsays demasiados_intentos"));
}

#[test]
fn another_card_is_asked_for_in_full_after_a_decline() {
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(charge_reply(ChargeReply::Declined(Decline::OtherCard))).until("otra_tarjeta").keys("1");
    bench.until("tarjeta").keys("5555555555554444#").until("vencimiento").keys("1229").until("codigo").keys("000");
    assert_eq!(card_of(&bench.requests.last().unwrap().1), "5555555555554444 1229 000");
}

#[test]
fn only_the_cvv_is_asked_again_where_only_it_was_wrong() {
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(charge_reply(ChargeReply::Correct(CardField::Cvv))).until("codigo").keys("999");
    assert_eq!(card_of(&bench.requests.last().unwrap().1), format!("{PAN} {EXPIRY} 999"));
}

#[test]
fn after_a_wrong_expiry_the_cvv_is_asked_again_too() {
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(charge_reply(ChargeReply::Correct(CardField::Expiry))).until("vencimiento").keys("0931");
    assert_eq!(bench.requests.len(), 2, "no charge without a CVV keyed for it");
    bench.until("codigo").keys("888");
    assert_eq!(card_of(&bench.requests.last().unwrap().1), format!("{PAN} 0931 888"));
}

#[test]
fn a_card_declined_for_good_is_refused_before_it_is_charged_again() {
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(charge_reply(ChargeReply::Declined(Decline::Generic))).until("otra_tarjeta").keys("1");
    bench.until("tarjeta").keys(PAN).keys("#");
    let news = bench.news();
    assert!(news.ends_with("outcome invalid: card refused before\nsays rechazada_otra pide_tarjeta_breve"), "{news}");
    bench.until("tarjeta").keys("5555555555554444#");
    assert_eq!(bench.state(), "vencimiento");
}

#[test]
fn three_declines_give_up() {
    let mut bench = Bench::pay_until("cobrar");
    for _ in 0..2 {
        bench.answer(charge_reply(ChargeReply::Declined(Decline::OtherCard))).until("otra_tarjeta").keys("1");
        bench.until("tarjeta").keys(PAN).keys("#").keys(EXPIRY).keys(CVV).until("cobrar");
    }
    bench.answer(charge_reply(ChargeReply::Declined(Decline::OtherCard)));
    assert_eq!(bench.state(), "demasiados_rechazos");
}

/// The menu's checks refuse such a menu; the runtime would not charge even so.
#[test]
fn nothing_is_charged_without_a_yes_to_the_authorized_amount() {
    let mut bench = Bench::pay_until("codigo");
    bench.runtime.session.withdraw_authorization();
    bench.keys(CVV);
    assert_eq!((bench.requests.len(), bench.state()), (1, "servicio_no_disponible"));

    let mut bench = Bench::pay_until("codigo");
    bench.runtime.session.settle();
    bench.keys(CVV);
    assert_eq!((bench.requests.len(), bench.state()), (1, "servicio_no_disponible"));
}

#[test]
fn a_new_payment_key_needs_a_new_yes() {
    let mut bench = Bench::pay_until("tarjeta");
    bench.keys("*").until("confirmar");
    bench.runtime.go(bench.runtime.menu.start);
    bench.runtime.settle();
    bench.act();
    bench.until("bienvenida").keys("1").until("clave").keys("999999#").until("autorizar");
    assert!(bench.runtime.session.confirmed_authorization().is_none());
    bench.answer(authorized()).until("confirmar");
    assert!(bench.runtime.session.confirmed_authorization().is_none(), "heard, but not agreed to");
}

/// Found by reading: after a time-out of the charge the yes still stood, and a menu that asked for another card would
/// have charged the order a second time.
#[test]
fn an_unknown_outcome_cannot_be_charged_again() {
    for end in ["time-out", "wrong kind", "unknown"] {
        let mut bench = Bench::pay_until("cobrar");
        match end {
            "time-out" => _ = bench.wait(181_000),
            "wrong kind" => _ = bench.answer(authorized()),
            _ => _ = bench.answer(charge_reply(ChargeReply::Unknown { reference: "1".into() })),
        }
        bench.runtime.session.confirm();
        assert!(bench.runtime.session.confirmed_authorization().is_none(), "after {end}");
    }
}

/// The verification value is good for one charge, whatever comes of it (PCI DSS 3.3.1), and the card for as long as it may be
/// tried again.
#[test]
fn what_is_kept_of_a_card_goes_with_its_charge() {
    let kept = |bench: &Bench| -> Vec<String> {
        let (menu, session) = (&bench.runtime.menu, &bench.runtime.session);
        let card_data = menu.fields.iter().enumerate().filter(|(_, field)| field.kind.is_card_data());
        let kept = card_data.filter(|(id, _)| session.digits(FieldId(*id)).is_some());
        kept.map(|(_, field)| field.name.clone()).collect()
    };
    let card_and_expiry = ["card_number", "expiry"];
    let mut bench = Bench::pay_until("codigo");
    bench.keys(CVV);
    assert_eq!(kept(&bench), card_and_expiry, "while it is charged");
    for (end, left) in [
        (Some(approved()), &[][..]),
        (Some(charge_reply(ChargeReply::AlreadyPaid { reference: "1".into() })), &[]),
        (Some(charge_reply(ChargeReply::Unknown { reference: "1".into() })), &[]),
        (Some(charge_reply(ChargeReply::Unavailable)), &[]),
        (Some(charge_reply(ChargeReply::Declined(Decline::OtherCard))), &[]),
        (Some(charge_reply(ChargeReply::Declined(Decline::Generic))), &[]),
        (Some(charge_reply(ChargeReply::Correct(CardField::Pan))), &[]),
        (Some(charge_reply(ChargeReply::Correct(CardField::Cvv))), &card_and_expiry),
        (Some(authorized()), &[]), // of the wrong kind
        (None, &[]),               // none in time
    ] {
        let mut bench = Bench::pay_until("cobrar");
        let told = end.as_ref().map(event::describe);
        match end {
            Some(reply) => _ = bench.answer(reply),
            None => _ = bench.wait(181_000),
        }
        assert_eq!(kept(&bench), left, "{told:?}");
    }
}

/// Whatever way a menu takes from here to a charge, it is not of what was agreed to before.
#[test]
fn a_key_keyed_or_asked_about_again_ends_the_yes_to_what_it_was_worth() {
    let key = |bench: &Bench| {
        let fields = &bench.runtime.menu.fields;
        FieldId(fields.iter().position(|field| field.kind == FieldKind::PaymentKey).unwrap())
    };
    let mut bench = Bench::pay_until("tarjeta");
    assert!(bench.runtime.session.confirmed_authorization().is_some());
    let mut other = SecretDigits::new();
    assert!("999999".chars().all(|digit| other.push(digit)));
    let (menu, id) = (Arc::clone(&bench.runtime.menu), key(&bench));
    bench.runtime.session.store(&menu, id, other).unwrap();
    assert!(bench.runtime.session.confirmed_authorization().is_none(), "another key");

    let mut bench = Bench::pay_until("tarjeta");
    let asks = menu.states.iter().position(|state| state.name == "autorizar").unwrap();
    bench.runtime.go(StateId(asks));
    bench.runtime.settle();
    assert!(bench.runtime.session.confirmed_authorization().is_none(), "the same key, which may be worth more now");
}
