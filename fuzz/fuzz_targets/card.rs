//! What is keyed as a card: nothing passes but what a card can have, and no error repeats what was keyed.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tonopago::card::{Brand, Cvv, Expiry, Pan, SecretDigits, SeenCard, YearMonth};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    month: u8,
    year: u16,
    keyed: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    let Input { month, year, keyed } = input;
    let today = YearMonth { year: year % 10_000, month: 1 + month % 12 };
    match Pan::parse(keyed) {
        Ok(pan) => {
            assert!((13..=19).contains(&keyed.len()) && luhn(keyed) == Some(0) && pan.expose() == keyed);
            assert!(keyed.ends_with(&pan.last_four().to_string()));
            assert!(pan.brand().lengths().contains(&keyed.len()));
            assert_eq!(Brand::of_prefix(keyed), Some(pan.brand()));
            let masked = format!("{}XXXXXX{}", &keyed[..6], pan.last_four());
            let seen = SeenCard::of_masked(&masked).expect("its last four digits can be read");
            assert!(seen.can_be(pan.brand().name(), &pan.last_four().to_string()));
        }
        Err(error) => secret(keyed, &format!("{error} {error:?}")),
    }
    match Expiry::parse_mmyy(keyed, today) {
        Ok(expiry) => {
            assert_eq!(format!("{}{}", expiry.month2(), expiry.year2()), keyed);
            assert!((1..=12).contains(&expiry.month2().parse::<u8>().expect("two digits")));
        }
        Err(error) => secret(keyed, &format!("{error} {error:?}")),
    }
    for brand in [None, Brand::of_prefix(keyed), Some(Brand::AmericanExpress), Some(Brand::Visa)] {
        match Cvv::parse(keyed, brand) {
            Ok(cvv) => assert!(cvv.expose() == keyed && matches!(keyed.len(), 3 | 4)),
            Err(error) => secret(keyed, &format!("{error} {error:?}")),
        }
    }
    let mut digits = SecretDigits::new();
    let pushed = keyed.chars().filter(|key| digits.push(*key)).collect::<String>();
    assert_eq!(digits.expose(), pushed);
    let _ = SeenCard::of_masked(keyed);
});

/// The sum of ISO/IEC 7812-1, annex B, modulo 10.
fn luhn(digits: &str) -> Option<u32> {
    let values: Option<Vec<u32>> = digits.chars().rev().map(|digit| digit.to_digit(10)).collect();
    let weighed = |(place, value): (usize, u32)| (value << (place % 2)) / 10 + (value << (place % 2)) % 10;
    Some(values?.into_iter().enumerate().map(weighed).sum::<u32>() % 10)
}

/// An error may tell how many digits were keyed, and not which.
fn secret(keyed: &str, told: &str) {
    let runs = keyed.split(|key: char| !key.is_ascii_digit()).filter(|run| run.len() > 4);
    runs.for_each(|run| assert!(!told.contains(run), "{run} in {told}"));
}
