//! The six collection rules, one test each, with the very millisecond each takes effect.

use super::*;

/// 3 to 5 digits, first digit 8 s, inter-digit 3 s, grace 1 s.
fn ask(end_key: &str) -> Bench {
    let mut bench = Bench::new(one_field(&format!("digits: 3..5, end_key: {end_key}"), ""));
    bench.hear_out();
    bench.news();
    bench
}

#[test]
fn rule_1_no_key_before_first_digit_is_no_input() {
    let mut bench = ask("\"#\"");
    bench.wait(7990);
    assert_eq!(bench.news(), "");
    bench.wait(10);
    assert_eq!(bench.news(), "timer first digit\noutcome no input\nsays no_le_escuche again");
}

#[test]
fn rule_1_first_digit_counts_from_the_end_of_the_prompt() {
    let mut bench = Bench::new(one_field("digits: 3", "timers: {first_digit: 2s}"));
    bench.wait(2990);
    assert!(!bench.trace().contains("no input"));
    bench.wait(10);
    assert_eq!(bench.time_of("outcome no input"), CLIP + MediaTime::from_ms(2000));
}

#[test]
fn rule_2_inter_digit_expires_on_an_incomplete_entry_no_match() {
    let mut bench = ask("\"#\"");
    bench.keys("12").wait(2880);
    assert_eq!(bench.news(), "key 1\nkey 2");
    bench.wait(20);
    assert_eq!(bench.news(), "timer inter-digit\noutcome no match\nsays faltan_digitos again");
}

#[test]
fn rule_3_inter_digit_expires_on_a_complete_entry_match() {
    let mut bench = ask("\"#\"");
    bench.keys("123").wait(2880);
    assert_eq!(bench.news(), "key 1\nkey 2\nkey 3");
    bench.wait(20);
    assert_eq!(bench.news(), "timer inter-digit\noutcome match\nstate end\nsays thanks");
}

#[test]
fn rule_4_the_end_key_matches_a_complete_entry_at_once() {
    let mut bench = ask("\"#\"");
    bench.rattle("123#");
    assert_eq!(bench.news(), "key 1\nkey 2\nkey 3\nkey #\noutcome match\nstate end\nsays thanks");
}

#[test]
fn rule_4_the_end_key_refuses_an_incomplete_entry_at_once() {
    let mut bench = ask("\"#\"");
    bench.rattle("12#");
    assert_eq!(bench.news(), "key 1\nkey 2\nkey #\noutcome no match\nsays faltan_digitos again");
}

#[test]
fn rule_5_a_full_entry_without_end_key_matches_at_once() {
    let mut bench = ask("none");
    bench.rattle("12345");
    assert_eq!(bench.news(), "key 1\nkey 2\nkey 3\nkey 4\nkey 5\noutcome match\nstate end\nsays thanks");
}

#[test]
fn rule_6_a_full_entry_waits_the_grace_and_swallows_the_end_key() {
    let mut bench = ask("\"#\"");
    bench.keys("12345");
    bench.news();
    bench.wait(500).down('#');
    assert_eq!(bench.news(), "key #\noutcome match\nstate end\nsays thanks");
}

#[test]
fn rule_6_a_full_entry_matches_when_the_grace_is_over() {
    let mut bench = ask("\"#\"");
    bench.keys("12345");
    bench.news();
    bench.wait(890);
    assert_eq!(bench.news(), "");
    bench.wait(10);
    assert_eq!(bench.news(), "timer terminator grace\noutcome match\nstate end\nsays thanks");
}
