use super::*;

fn feed(collector: &mut Collector, keys: &str) -> Keyed {
    let mut last = Keyed::Ignored;
    for key in keys.chars().filter_map(Digit::from_char) {
        last = collector.key(key);
    }
    last
}

fn of(length: RangeInclusive<usize>, end_key: Option<char>, watches: Watches) -> Collector {
    let end_key = end_key.and_then(Digit::from_char);
    Collector::new(Rules { length, end_key, watches, star_parts: false, next_takes: None })
}

fn six_to_ten(end_key: Option<char>) -> Collector {
    of(6..=10, end_key, Watches::Nothing)
}

fn digits(text: &str) -> SecretDigits {
    let mut digits = SecretDigits::new();
    text.chars().for_each(|digit| _ = digits.push(digit));
    digits
}

#[test]
fn end_key_matches_a_complete_entry_and_refuses_an_incomplete_one() {
    assert_eq!(feed(&mut six_to_ten(Some('#')), "257139#"), Keyed::Match);
    assert_eq!(feed(&mut six_to_ten(Some('#')), "25713#"), Keyed::NoMatch);
    assert_eq!(feed(&mut six_to_ten(Some('#')), "#"), Keyed::NoMatch);
}

#[test]
fn a_full_entry_matches_at_once_only_without_an_end_key() {
    assert_eq!(feed(&mut six_to_ten(None), "1234567890"), Keyed::Match);
    assert_eq!(feed(&mut six_to_ten(Some('#')), "1234567890"), Keyed::Full);
}

/// What went wrong: a digit too many was the next field's first one, and a key of eleven digits the one of its first ten.
#[test]
fn digits_beyond_a_full_entry_are_too_many_unless_they_are_enough_for_the_next_field() {
    let after = |next_takes: Option<usize>, keys: &str| {
        let mut collector = six_to_ten(Some('#'));
        collector.rules.next_takes = next_takes;
        let last = feed(&mut collector, keys);
        (last, collector.is_too_long(), collector.held_back())
    };
    assert_eq!(after(None, "12345678907"), (Keyed::HeldBack, true, 1));
    assert_eq!(after(None, "12345678907777#"), (Keyed::TooMany, true, 4));
    assert_eq!(after(Some(4), "1234567890777"), (Keyed::HeldBack, true, 3));
    assert_eq!(after(Some(4), "12345678907777").0, Keyed::MatchBefore);
    assert_eq!(after(None, &"1".repeat(60)).0, Keyed::Ignored);
}

#[test]
fn a_card_number_where_none_was_asked_for_is_told_from_an_entry() {
    let after = |keys: &str| {
        let mut collector = of(6..=10, Some('#'), Watches::ForCards);
        let last = feed(&mut collector, keys);
        (last, collector.held_back())
    };
    assert_eq!(after("4111111111111111#"), (Keyed::Card, 6));
    assert_eq!(after("4111111111111112#"), (Keyed::Card, 6), "mistyped, but no key is so long");
    assert_eq!(after("411111111111#"), (Keyed::TooMany, 2), "no card is so short");
    assert_eq!(after("4111111111#"), (Keyed::Match, 0), "a key may begin like a card");
    let mut long = of(1..=16, None, Watches::ForCards);
    assert_eq!(feed(&mut long, "4111111111111111"), Keyed::Card);
}

/// What went wrong: without an end key a card number's first ten digits were the entry, kept and recorded.
#[test]
fn an_entry_without_end_key_waits_only_for_what_may_be_the_rest_of_a_card_number() {
    let after = |length: usize, keys: &str| feed(&mut of(length..=length, None, Watches::ForCards), keys);
    assert_eq!(after(10, "3312345678"), Keyed::Match, "no card begins so");
    assert_eq!(after(6, "510510"), Keyed::Match, "so many digits of a card may be seen");
    assert_eq!(after(10, "5105105105"), Keyed::Full);
    assert_eq!(after(10, "5105105105#"), Keyed::Match);
    assert_eq!(after(10, "5105105105105100"), Keyed::HeldBack);
    let mut card = of(10..=10, None, Watches::ForCards);
    feed(&mut card, "5105105105105100");
    assert!(card.is_card());
    assert_eq!(feed(&mut card, "7"), Keyed::HeldBack, "and some more");
    let mut abroad = of(10..=10, None, Watches::ForCards);
    assert_eq!(feed(&mut abroad, "5215512345678"), Keyed::HeldBack);
    assert!(!abroad.is_card(), "a telephone number with what is dialled before it");
}

#[test]
fn a_card_number_may_have_begun_before_the_entry() {
    let after = |before: &str, keys: &str| {
        let mut collector = of(10..=10, None, Watches::ForCards);
        collector.follow(digits(before));
        (feed(&mut collector, keys), collector.is_card())
    };
    assert_eq!(after("51", "0510510510"), (Keyed::Full, false));
    assert_eq!(after("51", "05105105105100"), (Keyed::HeldBack, true));
    assert_eq!(after("", "0510510510"), (Keyed::Match, false));
    assert_eq!(after("1", "4111111111111111"), (Keyed::HeldBack, true), "the entry alone is one");
}

#[test]
fn the_clear_key_empties_then_goes_back() {
    let mut collector = six_to_ten(Some('#'));
    assert_eq!(feed(&mut collector, "12*"), Keyed::Cleared);
    assert!(collector.is_empty());
    assert_eq!(feed(&mut collector, "*"), Keyed::Back);
    assert_eq!(feed(&mut collector, "A"), Keyed::Ignored);
}

#[test]
fn a_star_parts_centavos_from_pesos_once_and_then_clears() {
    let after = |keys: &str| {
        let mut collector = of(1..=5, Some('#'), Watches::ForCards);
        collector.rules.star_parts = true;
        let last = feed(&mut collector, keys);
        (last, collector.shown(None))
    };
    assert_eq!(after("250*50"), (Keyed::Full, "250*50".to_owned()));
    assert_eq!(after("250*50#").0, Keyed::Match);
    assert_eq!(after("250#").0, Keyed::Match);
    assert_eq!(after("250*#"), (Keyed::Match, "250*".to_owned()), "by habit: no centavos");
    assert_eq!(after("250*5#").0, Keyed::NoMatch, "05 or 50?");
    assert_eq!(after("250*500#").0, Keyed::TooMany);
    assert_eq!(after("250*5*"), (Keyed::Cleared, String::new()));
    assert_eq!(after("*").0, Keyed::Back);
    assert_eq!(after("99999*99#").0, Keyed::Match, "as many pesos as fit, and centavos");
}

#[test]
fn a_card_number_is_full_early_only_where_the_brand_has_one_length() {
    let full_after = |keys: &str| {
        let mut collector = of(13..=19, Some('#'), Watches::ForItsBrand);
        keys.chars().position(|key| feed(&mut collector, &key.to_string()) == Keyed::Full).map(|at| at + 1)
    };
    assert_eq!(full_after("5555555555554444000"), Some(16), "Mastercard");
    assert_eq!(full_after("345678000000007000"), Some(15), "American Express");
    assert_eq!(full_after("4111111111111111111"), Some(19), "Visa also has 19 digits");
}
