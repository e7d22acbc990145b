//! Numbers and amounts in words agree with two programs that are not ours: ICU's spell-out rules and num2words.
//!
//! `tests/speech/oracle/spoken.py` writes their tables. ICU needs no exception. num2words is an independent check of the money
//! grammar; where it differs from how people in Mexico and the United States speak, the difference is undone here, by
//! rule and with its reason, never by case.

use tonopago::money::{Currency, Money};
use tonopago::speech::{Language, number, text_of, words};

const NUMBERS: &str = include_str!("oracle/numbers.tsv");
const AMOUNTS: &str = include_str!("oracle/amounts.tsv");

fn rows(table: &str) -> impl Iterator<Item = (u64, Vec<&str>)> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (value, texts) = line.split_once('\t').expect("a value and its texts");
        (value.parse().expect("a number"), texts.split('\t').collect())
    })
}

#[test]
fn numbers_agree_with_icu() {
    let mut count = 0;
    for (value, texts) in rows(NUMBERS) {
        let [alone, before_noun, english] = texts[..] else { panic!("{value}: {} columns", texts.len()) };
        let say = |language| text_of(language, &number(language, value));
        assert_eq!(say(Language::EsMx), alone, "{value}");
        assert_eq!(say(Language::EnUs), english, "{value}");
        let pesos = words(Language::EsMx, Money::mxn(value * 100));
        let noun = if value == 1 { " peso" } else { " pesos" };
        let counted = pesos.strip_suffix(noun).unwrap_or_else(|| panic!("{pesos} does not end in{noun}"));
        // Spanish joins a round million to its noun with "de"; ICU spells the number only.
        assert_eq!(counted.strip_suffix(" de").unwrap_or(counted), before_noun, "{value}");
        assert_eq!(counted.ends_with(" de"), value > 0 && value % 1_000_000 == 0, "{pesos}");
        count += 1;
    }
    assert!(count >= 5000, "{count} numbers compared");
}

#[test]
fn amounts_agree_with_num2words() {
    let mut count = 0;
    for (centavos, texts) in rows(AMOUNTS) {
        let [spanish_pesos, spanish_dollars, pesos, dollars] = texts[..] else { panic!("{centavos}: columns") };
        let say = |language, currency| words(language, Money { centavos, currency });
        assert_eq!(say(Language::EsMx, Currency::Mxn), spoken_in_mexico(spanish_pesos));
        assert_eq!(say(Language::EsMx, Currency::Usd), spoken_in_mexico(spanish_dollars));
        assert_eq!(say(Language::EnUs, Currency::Mxn), spoken_in_the_states(pesos).replace("cent", "centavo"));
        assert_eq!(say(Language::EnUs, Currency::Usd), spoken_in_the_states(dollars));
        count += 1;
    }
    assert!(count >= 1000, "{count} amounts compared");
}

/// num2words writes "veintiuno mil" and "ciento uno millones" (no apocope), "un millón pesos" (no "de"), and always
/// both parts.
fn spoken_in_mexico(text: &str) -> String {
    let apocope = text.replace("veintiuno mil", "veintiún mil").replace(" uno mil", " un mil");
    let joined = apocope.replace("millón pesos", "millón de pesos").replace("millones pesos", "millones de pesos");
    let joined =
        joined.replace("millón dólares", "millón de dólares").replace("millones dólares", "millones de dólares");
    let (units, centavos) = joined.split_once(" con ").expect("both parts");
    without_zero(units, centavos, " con ")
}

/// num2words writes the British "and" inside numbers, commas between thousands and before the cents, and always both
/// parts.
fn spoken_in_the_states(text: &str) -> String {
    let (units, cents) = text.rsplit_once(", ").expect("both parts");
    without_zero(&units.replace(" and ", " ").replace(',', ""), cents, " and ")
}

/// A part that is zero is not said, unless both are.
fn without_zero(units: &str, hundredths: &str, joint: &str) -> String {
    let is_zero = |part: &str| part.starts_with("cero ") || part.starts_with("zero ");
    match (is_zero(units), is_zero(hundredths)) {
        (_, true) => units.to_owned(),
        (true, false) => hundredths.to_owned(),
        (false, false) => format!("{units}{joint}{hundredths}"),
    }
}
