//! What menus can do beyond asking and charging: branches, variables, sub-menus, answers, transfers, fields that are
//! bounded, keyed twice or read back, months without interest, and the keys that mean the same everywhere.

use super::*;

/// A menu of one language; `states` completes it.
fn of(top: &str, states: &str) -> Bench {
    Bench::new(menu(&format!(
        "{{version: 1, name: l, languages: [es-MX, en-US], start: a, give_up: end, {top} states: {{{states},
           end: {{say: [bye], hang_up: true}}}}}}"
    )))
}

#[test]
fn a_sub_menu_returns_to_whoever_visits_it() {
    let mut bench = of(
        "",
        "a: {say: [first], visit: sub, next: b}, b: {say: [second], visit: outer, next: end},
         outer: {say: [outer], visit: sub, next: back}, back: {say: [back], return: true},
         sub: {say: [sub], choose: {'1': back_from_sub, '2': sub}}, back_from_sub: {return: true}",
    );
    bench.until("sub").keys("2").until("sub").keys("1").until("sub").keys("1");
    bench.wait(10_000);
    let states: Vec<&str> = bench
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::State { name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(states.join(" "), "a sub sub back_from_sub b outer sub back_from_sub back end");
}

#[test]
fn a_branch_asks_what_the_call_knows() {
    let states = "a: {say: [ask], collect: {field: piso, type: digits, digits: 1..3}, on: {done: which}},
        which: {branch: [{if: $piso, is: '7', go: seven}, {if: $piso, at_least: 20, at_most: 30, go: high},
                         {if: $language, is: en-US, go: english}, {tries: a, at_least: 2, go: often}], otherwise: again},
        again: {say: [again], language: es-MX, next: a}, seven: {say: [seven], set: {x: $piso}, next: told},
        high: {say: [high], hang_up: true}, english: {say: [english], hang_up: true},
        often: {say: [often], hang_up: true}, told: {say: [{digits: $x}, {number: $x}, {number: 12}], hang_up: true}";
    for (keys, told) in [("7#", "says [7] [7] [12]"), ("20#", "says high"), ("31#31#", "says often")] {
        let mut bench = of("", states);
        bench.keys(keys).wait(20_000);
        assert!(bench.news().contains(told), "{keys}: {}", bench.trace());
    }
}

#[test]
fn an_amount_is_bounded_and_a_yes_is_a_yes() {
    let states =
        "a: {say: [how_much], collect: {field: cuanto, type: amount, at_least: 50, at_most: 500.50}, on: {done: b}},
        b: {say: [$cuanto, sure], collect: {field: seguro, type: yes_no}, on: {done: which}},
        which: {branch: [{if: $seguro, is: yes, go: end}, {if: $cuanto, at_least: 100, go: a}], otherwise: b}";
    let mut bench = of("", states);
    bench.keys("49#").until("a");
    assert!(bench.news().contains("outcome invalid: out of bounds\nsays fuera_de_rango how_much"), "{}", bench.trace());
    bench.keys("501#").until("a").keys("500#").until("b");
    assert!(bench.news().contains("says [500.00 MXN] sure"), "{}", bench.trace());
    bench.keys("3").until("b");
    assert!(bench.news().contains("outcome no match"), "{}", bench.trace());
    bench.keys("2").until("a").keys("60#").until("b").keys("1").wait(5000);
    assert!(bench.runtime.is_over() && bench.trace().contains("state    end"));
}

/// What went wrong: an amount given to a variable was read digit by digit, "one, zero, zero | zero | zero", and was less than
/// any number; as a number an amount was not said at all.
#[test]
fn an_amount_stays_one_in_a_variable_and_as_a_number() {
    let states = "a: {say: [how_much], choose: {'1': hundred, '2': other}},
        hundred: {set: {given: 100}, next: copied}, other: {say: [how_much], collect: {field: cuanto, type: amount}, on: {done: kept}},
        kept: {set: {given: $cuanto}, next: copied}, copied: {set: {copy: $given}, next: which},
        which: {branch: [{if: $copy, at_least: 50.50, go: much}], otherwise: end},
        much: {say: [$copy, {number: $given}], save: [copy], next: end}";
    for (keys, saved) in [("1", "copy = 100"), ("2100#", "copy = 100.00")] {
        let mut bench = of("", states);
        bench.keys(keys).wait(10_000);
        assert!(bench.news().contains("says [100.00 MXN] [100.00 MXN]"), "{}", bench.trace());
        assert_eq!(bench.saved, [saved]);
    }
    let mut bench = of("", states);
    bench.keys("250#").wait(10_000);
    assert!(bench.saved.is_empty(), "{}", bench.trace());
}

/// What went wrong: what is no number was not said at all where a number was asked for.
#[test]
fn what_is_no_number_is_spelled() {
    let mut bench = of("", "a: {set: {code: A7}, next: b}, b: {say: [your_code, {number: $code}], next: end}");
    bench.wait(3000);
    assert!(bench.news().contains("says your_code [A7]"), "{}", bench.trace());
}

#[test]
fn an_entry_keyed_twice_must_be_the_same_and_one_read_back_be_said_yes_to() {
    let states = "a: {say: [ask], collect: {field: tel, type: digits, digits: 4, end_key: none}, twice: [once_more],
           read_back: [you_keyed, $entry, right], attempts: {mismatch: 2}, on: {done: end}}";
    let mut bench = of("", states);
    bench.keys("1234").until("a");
    assert!(bench.news().contains("outcome once more to be sure\nsays once_more"), "{}", bench.trace());
    bench.keys("1235").until("a");
    assert!(bench.news().contains("outcome mismatch\nsays no_coincide ask"), "{}", bench.trace());
    bench.keys("1234").until("a").keys("1234").until("a");
    assert!(bench.news().contains("says you_keyed [1234] right"), "{}", bench.trace());
    bench.keys("2").until("a");
    assert!(bench.news().contains("outcome cleared\nsays ask"), "{}", bench.trace());
    bench.keys("5678").until("a").keys("5678").until("a").keys("*").until("a").keys("1").wait(3000);
    assert!(bench.trace().contains("state    end") && !bench.trace().contains("give up"), "{}", bench.trace());
    let mut bench = of("", states);
    bench.keys("1234").until("a").keys("1235").until("a").keys("1234").until("a").keys("1235").wait(3000);
    assert!(bench.trace().contains("give up"), "two mismatches: {}", bench.trace());
}

#[test]
fn a_card_number_where_a_key_belongs_is_refused_and_forgotten() {
    let mut bench = Bench::pay_until("clave");
    bench.keys("4111111111111111").wait(7500);
    let news = bench.trace();
    assert!(
        news.contains("invalid: looks like a card number") && news.contains("says     parece_tarjeta pide_clave"),
        "{news}"
    );
    assert_eq!(bench.forgotten, 1);
    assert!(bench.runtime.collector.is_empty() && bench.runtime.type_ahead.is_empty());
    bench.until("clave").keys("4111111111111111#").until("clave");
    assert_eq!(bench.forgotten, 2);
    bench.keys("257139#").until("autorizar");
    assert_eq!(bench.requests.len(), 1);
}

/// What went wrong: a field of ten digits without an end key took a card number's first ten, which were recorded, told and
/// kept; so did one in which a card number ended that had begun at the questions before it.
#[test]
fn a_card_number_is_refused_whatever_field_or_question_it_began_at() {
    let survey = "a: {say: [ask], collect: {field: first, type: digits, digits: 1, end_key: none}, on: {done: b}},
         b: {say: [say], collect: {field: second, type: yes_no}, on: {done: c}},
         c: {say: [tel], collect: {field: tel, type: digits, digits: 10, end_key: none}, read_back: [read, $entry],
             on: {done: kept}},
         kept: {save: [tel], next: end}";
    for (first, second) in [("5", "1"), ("", "")] {
        let mut bench = of("", survey);
        if !first.is_empty() {
            bench.keys(first).wait(4000).keys(second).wait(4000);
        }
        bench.keys("5105105105105100").wait(4000);
        let trace = bench.trace();
        assert!(trace.contains("invalid: looks like a card number") && bench.state() == "c", "{trace}");
        assert_eq!(bench.forgotten, 1);
        bench.wait(4000).keys("5512345678").wait(2500).keys("1").wait(1500);
        assert_eq!(bench.saved, ["tel = 5512345678"], "{}", bench.trace());
    }
}

/// What went wrong: traces told all digits of an entry when it was read back and kept.
#[test]
fn what_is_said_kept_and_shown_of_an_entry_is_told_to_six_digits() {
    let mut bench = of(
        "",
        "a: {say: [tel], collect: {field: tel, type: digits, digits: 10, end_key: none}, read_back: [read, $entry],
             on: {done: copy}},
         copy: {set: {number: $tel}, next: again},
         again: {say: [$number, {number: $tel}, {digits: '5598765432'}], next: kept},
         kept: {save: [tel], next: end}",
    );
    bench.keys("3312345678").until("a");
    assert!(bench.news().contains("says read [331234••••]"), "{}", bench.trace());
    assert!(bench.runtime.view().fields.contains(&("tel".to_owned(), "331234••••".to_owned())));
    bench.keys("1").wait(6000);
    let news = bench.news();
    assert!(news.contains("says [331234••••] [331234••••] [5598765432]"), "what a menu says itself is told: {news}");
    assert!(news.contains("saves tel = 331234••••"), "{news}");
    assert_eq!(bench.saved, ["tel = 3312345678"], "kept whole");
}

/// Ten digits that begin like a card and are a key, keyed without the end key, with the next field's keys behind them.
#[test]
fn digits_behind_a_key_that_begins_like_a_card_reach_the_next_field() {
    let mut bench = of(
        "",
        "a: {say: [key], collect: {field: payment_key}, on: {done: b}},
         b: {say: [more], collect: {field: more, type: digits, digits: 2, end_key: none}, on: {done: end}}",
    );
    bench.keys("4111111111").keys("12#").wait(4000);
    let shown: String = bench
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Key { shown: Some(key), queued: false } => Some(key),
            _ => None,
        })
        .collect();
    assert_eq!(shown, "12", "{}", bench.trace());
    assert_eq!(bench.forgotten, 0);
}

/// A card number keyed where a menu asks for something else must not be told digit by digit before it is known for one.
#[test]
fn no_field_shows_more_than_the_beginning_of_a_card_number() {
    for field in ["digits", "digits, digits: 6..10", "digits, digits: 10, end_key: none", "amount", "digits, digits: 4"]
    {
        let collect = format!("a: {{say: [key], collect: {{field: other, type: {field}}}, on: {{done: end}}}}");
        let mut bench = of("", &collect);
        bench.rattle(PAN).keys("#").wait(8000);
        let digit = |kind: &EventKind| matches!(kind, EventKind::Key { shown: Some('0'..='9'), .. });
        let shown = bench.events.iter().filter(|event| digit(&event.kind)).count();
        assert!(shown <= 6, "{field}: {shown}\n{}", bench.trace());
    }
}

#[test]
fn months_are_offered_by_amount_and_charged() {
    let pago_msi = || Bench::new(menu(include_str!("../../../../menus/pago-msi.yaml")));
    let pay = |amount: u64, key: &str| {
        let mut bench = pago_msi();
        bench.until("bienvenida").keys("1").until("clave").keys(KEY).keys("#").until("autorizar");
        let Reply::Authorize(AuthorizeReply::Authorized(mut allowed)) = authorized() else { panic!("allowed") };
        allowed.amount = Money::mxn(amount);
        bench.answer(Reply::Authorize(AuthorizeReply::Authorized(allowed))).until("confirmar").keys("1");
        if !key.is_empty() {
            bench.until("meses").keys(key);
        }
        bench.until("tarjeta").keys(PAN).keys("#").until("vencimiento").keys(EXPIRY).until("codigo").keys(CVV).wait(10);
        match bench.requests.pop() {
            Some((_, Request::Charge { months, .. })) => months,
            _ => panic!("a charge: {}", bench.trace()),
        }
    };
    assert_eq!(pay(29_999, ""), None, "too little for any plan");
    assert_eq!(pay(120_000, "1"), None);
    assert_eq!(pay(120_000, "2"), Some(3));
    assert_eq!(pay(120_000, "4"), Some(12));
    let mut bench = pago_msi();
    bench.until("bienvenida").keys("1").until("clave").keys(KEY).keys("#").until("autorizar");
    bench.answer(authorized()).until("confirmar").keys("1").wait(100);
    assert_eq!(bench.state(), "tarjeta", "200.50 is too little");
}

#[test]
fn the_same_keys_mean_the_same_everywhere_but_where_they_are_bound() {
    let top = "global_keys: {slower: '7', language: '8', person: {key: '9', go: person}, help: '0'},";
    let states = "a: {say: [ask, {pause: 1s}], choose: {'1': end, '7': b}}, b: {say: [other], choose: {'1': end}},
        person: {say: [wait], transfer: '55 1234-5678'}";
    let mut bench = of(top, states);
    bench.until("a").keys("8").until("a");
    assert!(bench.news().contains("outcome other language\nsays ask"), "{}", bench.trace());
    assert_eq!(bench.runtime.view().language, Language::EnUs);
    bench.keys("7").until("b").keys("7").until("b");
    let slow = bench.now;
    assert!(
        bench.news().contains("outcome other pace\nsays mas_despacio [400 ms] other [400 ms]"),
        "{}",
        bench.trace()
    );
    while !bench.trace().contains("timer    first digit") {
        bench.wait(100);
    }
    assert!(bench.now.since(slow) > MediaTime::from_ms(15_000), "the caller is waited for twice as long");
    bench.until("b").keys("9").wait(3000);
    assert_eq!(bench.transferred.as_deref(), Some("5512345678"));
    assert!(bench.hung_up && bench.trace().contains("transfer to 5512345678"));
}

#[test]
fn answers_are_kept_at_the_end_or_when_the_caller_hangs_up_before() {
    let survey = || {
        let mut bench = Bench::new(menu(include_str!("../../../../menus/encuesta.yaml")));
        bench.until("servicio").keys("2").until("mejorar").keys("3").until("volveria");
        bench
    };
    let mut bench = survey();
    bench.hang_up();
    assert_eq!(bench.saved, ["servicio = 2, mejorar = precios, recomienda = -, telefono = -"]);
    let mut bench = survey();
    bench.keys("1").until("telefono").keys("5512345678").until("telefono").hang_up();
    assert_eq!(bench.saved, ["servicio = 2, mejorar = precios, recomienda = yes, telefono = -"], "not said yes to");
    let mut bench = survey();
    bench.keys("2").until("telefono").wait(40_000);
    assert_eq!(bench.saved, ["servicio = 2, mejorar = precios, recomienda = no, telefono = -"]);
    assert!(bench.runtime.is_over() && bench.runtime.session.holds_nothing());
    let mut bench = survey();
    bench.keys("2").until("telefono").wait(9000).hear_out().wait(500).hang_up();
    assert_eq!(bench.saved.len(), 1, "kept once: {}", bench.trace());
}

#[test]
fn what_is_said_depends_on_the_attempt_and_the_language() {
    let states = "a: {say: [{attempt: 3, say: [third], otherwise: [ask]}, {if: $language, is: en-US, say: [english]}],
        choose: {'1': end, '2': b}}, b: {language: en-US, next: a}";
    let mut bench = of("", states);
    bench.until("a").keys("2").until("a");
    assert!(bench.news().ends_with("says ask english\n(prompt heard to the end)"), "{}", bench.trace());
    bench.keys("5").until("a").keys("5").until("a");
    assert!(bench.news().contains("says opcion_invalida third english"), "{}", bench.trace());
}

#[test]
fn a_payment_key_read_back_is_masked_in_the_trace() {
    let mut bench =
        of("", "a: {say: [key], collect: {field: payment_key}, read_back: [you_keyed, $entry], on: {done: end}}");
    bench.until("a").keys("257139#").until("a");
    assert!(bench.news().contains("says you_keyed [••••••]"), "{}", bench.trace());
    assert!(!format!("{:?}", bench.events).contains("257139"));
}
