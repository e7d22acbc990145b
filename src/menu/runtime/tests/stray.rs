//! Keys that were not meant for the question they come to: end keys by habit, the rest of longer numbers, digits too many.

use super::*;

/// What went wrong: a second end key cut the next prompt and left silence behind it, or spent one of three attempts; and so
/// did the one that some callers press after every answer.
#[test]
fn end_keys_pressed_by_habit_cut_nothing_and_cost_nothing() {
    let no_harm = |bench: &mut Bench, state: &str| {
        assert!(!bench.is_silent(), "the prompt goes on: {}", bench.trace());
        assert_eq!(bench.state(), state);
        bench.hear_out();
        let news = bench.news();
        assert!(!news.contains("no match") && !news.contains("cut by a key"), "{news}");
    };
    let mut bench = Bench::pay_until("bienvenida");
    bench.keys("1#");
    no_harm(&mut bench, "clave");
    bench.keys(KEY).keys("##").answer(authorized()).until("confirmar").news();
    bench.keys("1#");
    no_harm(&mut bench, "tarjeta");
    bench.keys(PAN).keys("####");
    no_harm(&mut bench, "vencimiento");
    bench.keys("08#30#");
    no_harm(&mut bench, "codigo");
    bench.keys(CVV).keys("#");
    assert_eq!(bench.state(), "cobrar");
}

#[test]
fn all_answers_with_their_end_keys_in_one_go_are_taken() {
    let mut bench = Bench::new(pago());
    bench.rattle("1#257139#");
    assert_eq!(bench.state(), "autorizar", "{}", bench.trace());
    let mut bench = Bench::new(menu(
        "{version: 1, name: m, languages: [es-MX], start: a, give_up: end, states: {
           a: {say: [a], choose: {'1': b, '2': end}},
           b: {say: [b], choose: {'1': a, '#': end}},
           end: {say: [bye], hang_up: true}}}",
    ));
    bench.rattle("1#");
    assert_eq!(bench.state(), "end", "the end key is an answer where it is offered");
}

/// What went wrong: `###` at an empty field ended the call in half a second with "too many attempts".
#[test]
fn end_keys_on_an_empty_field_end_no_call() {
    let mut bench = Bench::pay_until("clave");
    bench.wait(3000).keys("###");
    assert_eq!(bench.news(), format!("key #\noutcome repeat\nsays pide_clave_breve{}", STRAY.repeat(2)));
    bench.keys(KEY).keys("#");
    assert_eq!(bench.state(), "autorizar");
}

const STRAY: &str = "\ndropped 1 key(s): end key after the end";

/// What went wrong: the rest of a number, most of which had been dropped, said yes to an amount nobody had heard.
#[test]
fn the_rest_of_keys_that_were_dropped_is_no_answer() {
    let mut bench = Bench::pay_until("autorizar");
    bench.keys("41").answer(authorized());
    assert_eq!(bench.state(), "confirmar");
    bench.keys(&"1".repeat(14));
    assert_eq!(bench.state(), "confirmar", "{}", bench.trace());
    assert!(!bench.is_silent() || bench.news().contains("(prompt heard to the end)"), "the amount is heard");
    bench.wait(1000).keys("1");
    assert_eq!(bench.state(), "tarjeta", "a yes after a pause is a yes");
}

#[test]
fn a_digit_too_many_for_an_entry_that_ends_by_itself_is_no_yes_to_it() {
    for digits in ["525512345618", "3312345678111"] {
        let mut bench = Bench::new(one_field("digits: 10, end_key: none", "read_back: [you_keyed, $entry, right]"));
        bench.keys(digits).wait(4000);
        let trace = bench.trace();
        assert!(bench.state() == "ask" && trace.contains("says     you_keyed"), "{digits}: {trace}");
        bench.keys("1");
        assert_eq!(bench.state(), "end", "{digits}: {}", bench.trace());
    }
    let mut bench = Bench::new(one_field("digits: 4..6", "read_back: [you_keyed, $entry, right]"));
    bench.rattle("12345#1");
    assert_eq!(bench.state(), "end", "keyed ahead behind an end key: {}", bench.trace());
}

#[test]
fn a_wrong_key_at_a_choice_may_be_the_first_of_a_card_number() {
    let mut bench = Bench::pay_until("bienvenida");
    bench.keys("5412751234123456").wait(1500);
    assert_eq!(bench.state(), "bienvenida", "{}", bench.trace());
    assert_eq!(bench.trace().matches("no match").count(), 1, "one mistake: {}", bench.trace());
    bench.keys("1");
    assert_eq!(bench.state(), "clave");
}

/// What went wrong: a digit too many was the first of the expiry; a key of eleven digits was that of its first ten.
#[test]
fn too_many_digits_are_told_and_asked_for_again() {
    let told = |bench: &mut Bench, again: &str| {
        let news = bench.news();
        assert!(news.contains("outcome too many digits"), "{news}");
        assert!(news.ends_with(&format!("says sobran_digitos {again}")), "{news}");
    };
    let mut bench = Bench::pay_until("tarjeta");
    bench.keys("3714496353984310").wait(1500);
    told(&mut bench, "pide_tarjeta_breve");
    bench.keys("371449635398431#");
    assert_eq!(bench.state(), "vencimiento");
    for keys in ["12345678901#", "123456789012345"] {
        let mut bench = Bench::pay_until("clave");
        bench.keys(keys).wait(1000);
        told(&mut bench, "pide_clave_breve");
        assert!(bench.requests.is_empty());
    }
}
