//! Attempts, "are you still there?", giving up, and the longest length of a call.

use super::*;
use crate::service::Decline;

#[test]
fn three_silences_then_a_question_then_giving_up() {
    let mut bench = Bench::new(one_field("digits: 3", ""));
    bench.wait(60_000);
    let news = bench.news();
    let outcomes: Vec<&str> =
        news.lines().filter(|line| !line.contains("(prompt") && !line.contains("timer")).collect();
    assert_eq!(
        outcomes,
        [
            "state ask",
            "says ask",
            "outcome no input",
            "says no_le_escuche again",
            "outcome no input",
            "says no_le_escuche again",
            "outcome no input",
            "says sigue_ahi",
            "outcome give up",
            "state failed",
            "says failed",
            "hang-up by the box",
        ]
    );
    assert!(bench.hung_up);
}

#[test]
fn any_key_answers_are_you_still_there_and_is_not_taken_for_an_entry() {
    let mut bench = Bench::new(one_field("digits: 1, end_key: none", ""));
    while !bench.trace().contains("sigue_ahi") {
        bench.wait(100);
    }
    bench.news();
    bench.keys("7");
    assert_eq!(bench.news(), "(prompt cut by a key)\nkey •\nsays again");
    bench.keys("7");
    assert_eq!(bench.state(), "end");
}

#[test]
fn are_you_still_there_is_asked_once_a_visit() {
    let mut bench = Bench::new(one_field("digits: 3", ""));
    while !bench.trace().contains("sigue_ahi") {
        bench.wait(100);
    }
    bench.keys("7").wait(60_000);
    assert_eq!(bench.trace().matches("sigue_ahi").count(), 1);
    assert_eq!(bench.state(), "failed");
}

#[test]
fn each_kind_of_error_has_its_own_limit() {
    let mut bench = Bench::pay_until("tarjeta");
    for _ in 0..2 {
        bench.until("tarjeta").wait(20_000); // no input
        bench.until("tarjeta").keys("41#"); // no match
        bench.until("tarjeta").keys("4111111111111112#"); // invalid
    }
    assert_eq!(bench.state(), "tarjeta", "{}", bench.trace());
    bench.until("tarjeta").keys("4111111111111112#");
    assert_eq!(bench.state(), "demasiados_intentos");
    assert!(bench.trace().contains("outcome  invalid: card number"));
}

#[test]
fn the_field_limit_ends_an_entry_that_never_ends() {
    let mut bench = Bench::new(one_field("digits: 20", "timers: {first_digit: 3s, limit: 5s}"));
    bench.hear_out();
    for _ in 0..8 {
        bench.keys("1").wait(500);
    }
    assert!(
        bench.trace().contains("timer    field limit\n") && bench.trace().contains("no match"),
        "{}",
        bench.trace()
    );
}

fn short(extra: &str) -> Arc<Menu> {
    menu(&format!(
        "{{version: 1, name: short, languages: [es-MX], start: ask, give_up: over, call_limit: 20s, states: {{
           ask: {{say: [ask], choose: {{'1': end, '2': ask}}}},
           end: {{say: [thanks, {{pause: 20s}}], hang_up: true}},
           over: {extra}}}}}"
    ))
}

#[test]
fn a_call_over_its_limit_says_goodbye_and_ends() {
    let mut bench = Bench::new(short("{say: [over], hang_up: true}"));
    while !bench.runtime.is_over() {
        bench.wait(900).keys("2");
    }
    assert_eq!(bench.time_of("timer call limit"), MediaTime::from_ms(20_000));
    assert_eq!(bench.time_of("state over"), MediaTime::from_ms(20_000));
    assert_eq!(bench.time_of("hang-up by the box"), MediaTime::from_ms(21_000));
}

#[test]
fn a_menu_whose_goodbye_asks_on_is_ended_a_minute_later() {
    let mut bench = Bench::new(short("{say: [over], choose: {'1': end, '2': over}, on: {give_up: end}}"));
    while !bench.runtime.is_over() {
        bench.wait(900).keys("2");
    }
    assert_eq!(bench.time_of("hang-up by the box"), MediaTime::from_ms(80_000));
}

/// Found by reading: a goodbye under way was begun again with another one.
#[test]
fn a_goodbye_under_way_is_not_interrupted_by_the_limit() {
    let mut bench = Bench::new(short("{say: [over], hang_up: true}"));
    bench.wait(15_000).keys("1").wait(30_000);
    assert!(bench.runtime.is_over() && !bench.trace().contains("state    over"), "{}", bench.trace());
}

#[test]
fn the_payment_menu_ends_after_a_quarter_of_an_hour() {
    let mut bench = Bench::new(pago());
    while !bench.runtime.is_over() {
        bench.wait(4000).keys("*");
    }
    assert_eq!(bench.time_of("timer call limit"), MediaTime::from_ms(15 * 60_000));
    assert!(bench.trace().contains("says     demasiados_intentos"));
}

/// Found by reading: the limit fired again one second after the charge's answer, and cut the words that said it.
#[test]
fn a_charge_under_way_at_the_limit_is_waited_for_and_its_outcome_is_heard() {
    let mut bench = Bench::pay_until("codigo");
    while bench.now < MediaTime::from_ms(15 * 60_000 - 2000) {
        bench.wait(1000).keys("1*"); // clears, and so asks again
    }
    bench.keys(CVV);
    assert_eq!(bench.state(), "cobrar", "{}", bench.trace());
    bench.wait(30_000);
    assert_eq!(bench.state(), "cobrar", "the limit waits for the charge: {}", bench.trace());
    bench.answer(approved()).until("otra_vez");
    let trace = bench.trace();
    assert!(trace.contains("says     pago_aprobado [400 ms] [801585] [700 ms] repito_referencia"), "{trace}");
    assert!(!trace.contains("demasiados_intentos"));
    bench.wait(120_000);
    assert!(bench.runtime.is_over());
}

/// The payment menu with its limit a moment after the approval is said.
fn approved_shortly_before_the_limit(ms: u64) -> Bench {
    let mut bench = Bench::pay_until("codigo");
    while bench.now < MediaTime::from_ms(15 * 60_000 - ms) {
        bench.wait(1000).keys("1*"); // clears, and so asks again
    }
    bench.keys(CVV).wait(1000).answer(approved()).wait(1000);
    bench
}

/// What went wrong: the limit cut the approval of who had paid, and said "too many attempts" instead.
#[test]
fn an_approval_that_is_being_said_at_the_limit_is_heard_out() {
    let mut bench = approved_shortly_before_the_limit(4000);
    assert_eq!(bench.state(), "aprobado", "{}", bench.trace());
    bench.until("otra_vez").wait(120_000);
    let trace = bench.trace();
    assert!(bench.time_of("timer call limit") > bench.time_of("state aprobado"), "{trace}");
    assert!(trace.contains("[801585]\n") && !trace.contains("demasiados_intentos"), "{trace}");
    assert!(trace.contains("state    despedida"), "{trace}");
}

#[test]
fn who_has_paid_may_hear_the_reference_again_at_the_limit_and_has_not_tried_too_often() {
    for keys in ["", "*"] {
        let mut bench = approved_shortly_before_the_limit(11_000);
        while bench.now < MediaTime::from_ms(15 * 60_000) {
            bench.keys(if bench.state() == "otra_vez" { keys } else { "" }).wait(100);
        }
        assert!(["otra_vez", "repetir_referencia"].contains(&bench.state()), "{}", bench.trace());
        bench.wait(120_000);
        assert!(bench.runtime.is_over());
        assert!(bench.trace().contains("timer    call limit"), "{}", bench.trace());
        assert!(!bench.trace().contains("demasiados_intentos"), "{}", bench.trace());
    }
}

#[test]
fn a_decline_that_is_being_said_at_the_limit_is_heard_before_the_goodbye() {
    let mut bench = Bench::pay_until("codigo");
    while bench.now < MediaTime::from_ms(15 * 60_000 - 2900) {
        bench.wait(1000).keys("1*");
    }
    bench.keys(CVV).wait(1000).answer(Reply::Charge(ChargeReply::Declined(Decline::Generic)));
    bench.wait(120_000);
    let trace = bench.trace();
    let (said, over) = (trace.find("says     rechazada"), trace.find("says     demasiados_intentos"));
    assert!(bench.time_of("timer call limit") > bench.time_of("says rechazada"), "{trace}");
    let heard_out = said.and_then(|said| trace[said..].find("(prompt heard to the end)"));
    assert!(heard_out.is_some() && said < over, "{trace}");
}

/// Found by reading: with an authorizer asked again and again, a call was always waiting when its limit fired, and
/// never ended.
#[test]
fn past_the_limit_no_service_is_asked_any_more() {
    let mut bench = Bench::new(pago());
    bench.until("bienvenida").keys("1").until("clave");
    while bench.now < MediaTime::from_ms(15 * 60_000 - 3000) {
        bench.wait(1000).keys("*");
    }
    bench.keys(KEY).keys("#").wait(5000);
    assert_eq!(bench.state(), "autorizar");
    bench.answer(authorized()).until("confirmar").keys("1").until("tarjeta");
    bench.keys(PAN).keys("#").keys(EXPIRY).keys(CVV);
    assert_eq!(bench.requests.len(), 1, "no charge after the limit: {}", bench.trace());
    assert_eq!(bench.state(), "demasiados_intentos");
}
