//! Keys: ahead of their field, over a prompt, held, stray, clearing, going back, asking for help.

use super::*;

/// A payment key, the authorizer, then two fields of plain digits: `a` of 3, `b` of 2 to 4 ended by `#`.
fn ahead(field_a: &str, refusal: &str) -> Bench {
    let text = format!(
        "{{version: 1, name: ahead, languages: [es-MX], start: key, give_up: failed, states: {{
           key: {{say: [key], collect: {{field: payment_key}}, on: {{done: auth}}}},
           auth: {{say: [wait], authorize: {{}}, on: {{authorized: a, refused: oops, unavailable: failed}}}},
           oops: {{say: [oops], {refusal} next: key}},
           a: {{say: [ask_a], collect: {{field: a, type: digits, digits: 3, end_key: none}}, on: {{done: b, back: key}},
                {field_a}}},
           b: {{say: [ask_b], collect: {{field: b, type: digits, digits: 2..4}}, on: {{done: end}}}},
           end: {{say: [thanks], hang_up: true}},
           failed: {{say: [failed], hang_up: true}}}}}}"
    );
    let mut bench = Bench::new(menu(&text));
    bench.until("key").keys(KEY).down('#');
    bench.news();
    bench
}

#[test]
fn keys_pressed_ahead_go_to_the_next_fields_in_order() {
    let mut bench = ahead("", "");
    bench.rattle("12398#");
    let queued = "key • (kept for the next field)";
    assert_eq!(bench.news(), [queued; 6].join("\n"));
    bench.wait(2000).answer(authorized());
    let news = bench.news();
    let expected = "key 1\nkey 2\nkey 3\noutcome match\nstate b\nkey 9\nkey 8\nkey #\noutcome match\nstate end";
    assert!(news.contains(expected), "{news}");
    assert!(!news.contains("ask_"), "no prompt is begun that a key would have cut: {news}");
}

#[test]
fn keys_pressed_ahead_are_dropped_where_the_state_flushes() {
    let mut bench = ahead("keys: flush", "");
    bench.rattle("123").wait(2000).answer(authorized());
    let news = bench.news();
    assert!(news.contains("state a\ndropped 3 key(s): not wanted here\nsays ask_a"), "{news}");
}

#[test]
fn a_state_that_flushes_and_only_speaks_takes_no_keys_and_is_not_cut() {
    let mut bench = ahead("", "keys: flush,");
    bench.wait(2000).answer(refused()).wait(100);
    bench.rattle("57");
    let news = bench.news();
    assert!(
        news.ends_with("says oops\ndropped 1 key(s): not wanted here\ndropped 1 key(s): not wanted here"),
        "{news}"
    );
}

#[test]
fn a_state_that_keeps_and_only_speaks_is_cut_by_a_key_of_the_next_field() {
    let mut bench = ahead("", "");
    bench.wait(2000).answer(refused()).wait(100);
    bench.rattle("57");
    let news = bench.news();
    let expected = "says oops\nkey • (kept for the next field)\n(prompt cut by a key)\nstate key\nkey •\nkey •";
    assert!(news.ends_with(expected), "{news}");
}

/// Found by reading: keys left in the queue when a clear key among them asked the field again were overtaken by the
/// next key from the line.
#[test]
fn keys_pressed_ahead_keep_their_order_over_a_clear_key() {
    let mut bench = ahead("", "");
    bench.rattle("99*12").wait(2000).answer(authorized());
    bench.wait(50).down('3');
    let news = bench.news();
    let expected = "key 9\nkey 9\nkey *\noutcome cleared\nkey 1\nkey 2\nkey 3\noutcome match\nstate b";
    assert!(news.contains(expected), "{news}");
}

/// Found by reading: 64 keys ahead through states that speak between them looked like an endless loop.
#[test]
fn many_keys_ahead_through_many_states_are_no_endless_loop() {
    let text = "{version: 1, name: m, languages: [es-MX], start: first, give_up: end, states: {
        first: {say: [long], barge_in: false, next: ask},
        ask: {say: [ask], choose: {'1': said, '2': end}},
        said: {say: [said], next: more}, more: {say: [more], next: ask},
        end: {say: [bye], hang_up: true}}}";
    let mut bench = Bench::new(menu(text));
    bench.rattle(&"1".repeat(63)).rattle("2").hear_out();
    assert_eq!(bench.state(), "end", "{}", bench.trace());
    assert_eq!(bench.trace().matches("outcome  match").count(), 64);
}

#[test]
fn no_more_keys_are_kept_than_fit_and_the_rest_is_accounted_for() {
    let mut bench = ahead("", "");
    bench.rattle(&"1".repeat(70));
    let news = bench.news();
    assert_eq!(news.matches("kept for the next field").count(), 64);
    assert_eq!(news.matches("dropped 1 key(s): too many ahead").count(), 6);
}

#[test]
fn a_key_over_the_prompt_cuts_it_and_counts() {
    let mut bench = Bench::new(one_field("digits: 3", ""));
    bench.wait(300).down('1');
    assert!(bench.is_silent(), "the prompt goes on");
    assert!(bench.news().ends_with("(prompt cut by a key)\nkey 1"));
}

/// The defect of other products: a key during the prompt left no timer running, and the call waited for ever.
#[test]
fn a_key_over_the_prompt_leaves_a_timer_running() {
    for (key, timer) in [('1', "timer inter-digit"), ('A', "timer first digit")] {
        let mut bench = Bench::new(one_field("digits: 3", ""));
        bench.wait(300).keys(&key.to_string()).wait(8000);
        assert!(bench.news().contains(timer), "key {key}: {}", bench.trace());
    }
}

/// Found by reading: a stray end key over the next prompt cut it and left only the field's limit of a minute running.
#[test]
fn a_stray_end_key_neither_cuts_the_next_prompt_nor_spoils_its_field() {
    let mut bench = Bench::new(two_fields());
    bench.keys("123").wait(200).down('#');
    assert!(!bench.is_silent(), "the prompt of b goes on");
    bench.up().hear_out();
    assert!(bench.news().ends_with("says ask_b\ndropped 1 key(s): end key after the end\n(prompt heard to the end)"));
    bench.wait(8000);
    assert!(bench.news().starts_with("timer first digit\noutcome no input"), "{}", bench.trace());
    bench.keys("45#");
    assert_eq!(bench.state(), "end");
}

#[test]
fn a_stray_end_key_after_an_entry_that_timed_out_spoils_nothing() {
    let mut bench = Bench::new(one_field("digits: 1..5", "errors: {no_match: [wrong]}"));
    bench.keys("12").wait(3500).down('#');
    assert_eq!(bench.state(), "end");
    assert!(bench.news().ends_with("dropped 1 key(s): end key after the end"));
}

#[test]
fn an_end_key_that_comes_much_later_is_no_mistake_and_asks_again() {
    let mut bench = Bench::new(two_fields());
    bench.keys("123").wait(3500).down('#');
    assert!(bench.news().ends_with("key #\noutcome repeat\nsays ask_b"));
    for _ in 0..5 {
        bench.wait(4000).keys("#");
    }
    assert_eq!(bench.state(), "b", "{}", bench.trace());
}

#[test]
fn only_the_first_key_after_an_entry_can_be_stray() {
    let mut bench = Bench::new(two_fields());
    bench.keys("12345#");
    assert_eq!(bench.state(), "end", "4, 5 and # are the second field: {}", bench.trace());
}

/// Found by reading: a stray end key pressed while a service worked was kept, and judged when it was taken, later than
/// any end key is stray: it landed in the next field as a no-match.
#[test]
fn a_stray_end_key_while_a_service_works_spoils_nothing() {
    let mut bench = Bench::new(menu(
        "{version: 1, name: ahead, languages: [es-MX], start: key, give_up: end, states: {
           key: {say: [key], collect: {field: payment_key, digits: 6, end_key: none}, on: {done: auth}},
           auth: {say: [wait], authorize: {}, on: {authorized: a, refused: end, unavailable: end}},
           a: {say: [ask_a], collect: {field: a, type: digits, digits: 3}, on: {done: end}},
           end: {say: [thanks], hang_up: true}}}",
    ));
    bench.keys(KEY).wait(500).keys("#").wait(6000).answer(authorized());
    assert!(bench.trace().ends_with("says     ask_a\n"), "{}", bench.trace());
}

#[test]
fn typed_ahead_end_keys_after_fields_that_end_by_themselves_are_swallowed() {
    let mut bench = ahead("", "");
    bench.rattle("123#45#").wait(2000).answer(authorized());
    let news = bench.news();
    assert_eq!(bench.state(), "end", "{news}");
    assert!(news.contains("state b\ndropped 1 key(s): end key after the end\nkey 4"), "{news}");
}

fn two_fields() -> Arc<Menu> {
    menu(
        "{version: 1, name: two, languages: [es-MX], start: a, give_up: failed, states: {
           a: {say: [ask_a], collect: {field: a, type: digits, digits: 3, end_key: none}, on: {done: b}},
           b: {say: [ask_b], collect: {field: b, type: digits, digits: 2..4}, on: {done: end, back: a}},
           end: {say: [thanks], hang_up: true},
           failed: {say: [failed], hang_up: true}}}",
    )
}

#[test]
fn a_held_key_does_not_run_into_inter_digit() {
    let mut bench = Bench::new(one_field("digits: 3", "timers: {inter_digit: 1s}"));
    bench.down('1');
    bench.wait(5000);
    assert!(bench.news().ends_with("key 1"), "{}", bench.trace());
    bench.up().wait(990);
    assert_eq!(bench.news(), "");
    bench.wait(10);
    assert!(bench.news().starts_with("timer inter-digit"));
}

#[test]
fn a_key_held_over_the_end_of_a_prompt_that_cannot_be_cut_counts_once() {
    let mut bench = Bench::new(one_field("digits: 3", "barge_in: false"));
    bench.wait(900).down('1');
    bench.wait(500).up();
    bench.keys("23#");
    let news = bench.news();
    assert!(
        news.ends_with("(prompt heard to the end)\nkey 1\nkey 2\nkey 3\nkey #\noutcome match\nstate end\nsays thanks")
    );
}

#[test]
fn keys_during_a_prompt_that_cannot_be_cut_are_taken_after_it() {
    let mut bench = Bench::new(one_field("digits: 3, end_key: none", "barge_in: false"));
    bench.wait(100).rattle("123");
    assert!(!bench.is_silent() && bench.state() == "ask");
    bench.hear_out();
    assert_eq!(bench.state(), "end");
}

/// Found by a tester: a wrong key at what was read back was told that digits were missing.
#[test]
fn a_wrong_key_at_what_is_read_back_is_told_to_be_no_answer() {
    let wrong_key = |more: &str| {
        let more = format!("read_back: [you_keyed, $entry], {more}");
        let mut bench = Bench::new(one_field("digits: 3, end_key: none", &more));
        bench.keys("123").hear_out().news();
        bench.keys("5");
        bench.news()
    };
    assert_eq!(wrong_key(""), "key •\noutcome no match\nsays opcion_invalida you_keyed [123]");
    assert_eq!(wrong_key("errors: {no_match: [own]}"), "key •\noutcome no match\nsays own you_keyed [123]");
}

#[test]
fn the_clear_key_empties_the_entry_and_asks_again() {
    let mut bench = Bench::new(one_field("digits: 3", ""));
    bench.keys("12*");
    assert!(bench.news().ends_with("key *\noutcome cleared\nsays dato_borrado again"));
    bench.keys("987#");
    assert_eq!(bench.state(), "end");
}

#[test]
fn clearing_is_no_error_and_has_no_limit() {
    let mut bench = Bench::new(one_field("digits: 3", "attempts: 1"));
    for _ in 0..10 {
        bench.keys("12*");
    }
    assert_eq!(bench.state(), "ask");
}

#[test]
fn the_clear_key_on_an_empty_field_goes_back() {
    let mut bench = Bench::new(two_fields());
    bench.keys("123").wait(500).keys("*");
    assert!(bench.news().ends_with("key *\noutcome back\nstate a\nsays ask_a"));
}

#[test]
fn the_clear_key_on_an_empty_field_with_nowhere_to_go_repeats() {
    let mut bench = Bench::new(two_fields());
    bench.hear_out().keys("*");
    assert!(bench.news().ends_with("key *\noutcome repeat\nsays ask_a"));
}

#[test]
fn help_is_said_on_key_0_and_the_question_again() {
    let mut bench = Bench::pay_until("confirmar");
    bench.keys("0");
    let help = "says ayuda_confirma para_mas_despacio para_otro_idioma";
    let question = "el_importe_es [200.50 MXN] [300 ms] confirma_breve para_ayuda";
    assert_eq!(bench.news(), format!("key 0\noutcome help\n{help} {question}"));
    bench.until("confirmar").keys("1");
    assert_eq!(bench.state(), "tarjeta");
}

/// A card number keyed one question too early begins with 4 and has a 1 in it: the 4 is a wrong key, and the 1 that
/// follows at once must not say yes to the amount.
#[test]
fn a_number_keyed_at_the_confirmation_by_mistake_says_neither_yes_nor_no() {
    let mut bench = Bench::pay_until("confirmar");
    bench.keys(PAN);
    assert_eq!(bench.state(), "confirmar", "{}", bench.trace());
    let news = bench.news();
    assert_eq!(news.matches("outcome no match").count(), 1, "one mistake, not sixteen: {news}");
    assert_eq!(news.matches("dropped 1 key(s): after an error").count(), 15);
    bench.wait(1000).keys("1");
    assert_eq!(bench.state(), "tarjeta", "a yes after a pause is a yes");
}

#[test]
fn keys_before_the_amount_is_heard_are_no_yes_to_it() {
    let mut bench = Bench::pay_until("autorizar");
    bench.rattle("111").answer(authorized()).wait(1);
    let news = bench.news();
    assert!(news.contains("state confirmar\ndropped 3 key(s): not wanted here"), "{news}");
}

#[test]
fn card_digits_are_masked_and_their_keys_are_secret_and_the_payment_keys_digits_are_masked() {
    let mut bench = Bench::pay_until("clave");
    assert_eq!(bench.down('2'), KeyUse::Doubtful);
    let mut bench = Bench::pay_until("tarjeta");
    assert_eq!(bench.down('4'), KeyUse::Secret);
    assert_eq!(bench.news(), "key •");
    let mut bench = Bench::pay_until("autorizar");
    assert_eq!(bench.down('4'), KeyUse::Secret, "a key ahead may be a card's");
    let mut bench = Bench::pay_until("bienvenida");
    assert_eq!(bench.down('9'), KeyUse::Secret, "a key nobody asked for may be a card's");
}

/// The reader of a key looks it up in groups.
#[test]
fn a_payment_key_is_waited_for_as_long_as_card_data() {
    let mut bench = Bench::pay_until("clave");
    bench.wait(19_000).keys("123456").wait(6500).keys("7890#");
    assert_eq!(bench.state(), "autorizar", "{}", bench.trace());
    let Some((_, Request::Authorize { key, .. })) = bench.requests.last() else { panic!("not asked") };
    assert_eq!(key.expose(), "1234567890");
}

#[test]
fn a_digit_beyond_a_full_entry_belongs_to_the_next_field() {
    let mut bench = Bench::pay_until("tarjeta");
    bench.rattle("5555555555554444").rattle(EXPIRY);
    assert_eq!(bench.state(), "codigo", "{}", bench.trace());
}
