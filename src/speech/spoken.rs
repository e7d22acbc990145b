//! What to say, as clip ids and pauses: amounts, numbers, digits, dates and references.

use jiff::civil::Date;

use super::clips::Clips;
use super::{Language, english, spanish};
use crate::money::Money;

/// One thing to play.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spoken {
    /// The clip of this id, in the language being spoken.
    Clip(String),
    /// Silence, in milliseconds.
    Pause(u32),
}

impl Spoken {
    /// The clip `id`.
    pub fn clip(id: impl Into<String>) -> Self {
        Self::Clip(id.into())
    }
}

/// Between two digits of a group, in milliseconds: each can be told from the next, none is waited for.
const DIGIT_PAUSE_MS: u32 = 70;
/// Between two groups, in milliseconds: time to write a group down.
const GROUP_PAUSE_MS: u32 = 450;
/// A run of letters and digits longer than this is read in shorter groups.
const LONGEST_GROUP: usize = 4;
/// Larger numbers are read digit by digit; amounts end here, too.
const LARGEST_NUMBER: u64 = 999_999_999;

/// An amount of money: "veintiún mil pesos con cincuenta centavos".
///
/// Right for every amount up to [`Money::MAX_CENTAVOS`]. An amount above it (none can be parsed) is read digit by digit.
pub fn amount(language: Language, money: Money) -> Vec<Spoken> {
    if money.units() > LARGEST_NUMBER {
        return digits(language, &money.units().to_string(), &[3]);
    }
    clips(match language {
        Language::EsMx => spanish::amount(money),
        Language::EnUs => english::amount(money),
    })
}

/// A cardinal number, 0 to 999,999,999: "veintiuno", "mil doscientos". A larger one is read digit by digit.
pub fn number(language: Language, number: u64) -> Vec<Spoken> {
    if number > LARGEST_NUMBER {
        return digits(language, &number.to_string(), &[3]);
    }
    clips(match language {
        Language::EsMx => spanish::cardinal(number),
        Language::EnUs => english::cardinal(number),
    })
}

/// A date: "quince de marzo de dos mil veintiocho", "March fifteenth twenty twenty-eight".
pub fn date(language: Language, date: Date) -> Vec<Spoken> {
    clips(match language {
        Language::EsMx => spanish::date(date),
        Language::EnUs => english::date(date),
    })
}

/// Digits one by one in groups with pauses between: "nueve, ocho | siete". The last one's voice falls.
///
/// `groups` are the sizes of the groups; the last size serves for all further digits, and none at all (or a size of
/// zero) means one group. Characters that are not digits are skipped.
pub fn digits(_language: Language, digits: &str, groups: &[usize]) -> Vec<Spoken> {
    let mut rest: Vec<char> = digits.chars().filter(char::is_ascii_digit).collect();
    let mut sizes = groups.iter().copied();
    let mut size = usize::MAX;
    let mut series = Vec::new();
    while !rest.is_empty() {
        size = sizes.next().unwrap_or(size);
        let taken = if size == 0 { rest.len() } else { size.min(rest.len()) };
        let later = rest.split_off(taken);
        series.push(rest);
        rest = later;
    }
    read_out(&series)
}

/// A reference such as `TP-7K2M9Q`: letters and digits one by one in groups of at most four, new groups where the text
/// has a separator. Letters other than A to Z are taken as separators.
pub fn reference(_language: Language, reference: &str) -> Vec<Spoken> {
    let runs = reference.split(|character: char| !character.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
    let groups: Vec<Vec<char>> = runs
        .flat_map(|run| {
            let characters: Vec<char> = run.chars().collect();
            let count = characters.len().div_ceil(LONGEST_GROUP);
            let size = characters.len().div_ceil(count);
            characters.chunks(size).map(<[char]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    read_out(&groups)
}

/// The words of an amount, as [`amount`] speaks them: "doscientos pesos", "un peso con cincuenta centavos".
pub fn words(language: Language, money: Money) -> String {
    text_of(language, &amount(language, money))
}

/// The words of what is spoken, from the texts of the embedded clips. Pauses and unknown clips have none.
pub fn text_of(language: Language, spoken: &[Spoken]) -> String {
    let clips = Clips::embedded();
    let texts = spoken.iter().filter_map(|part| match part {
        Spoken::Clip(id) => clips.get(language, id).map(|clip| clip.text().trim_end_matches([',', '.'])),
        Spoken::Pause(_) => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn clips(ids: Vec<String>) -> Vec<Spoken> {
    ids.into_iter().map(Spoken::Clip).collect()
}

fn read_out(groups: &[Vec<char>]) -> Vec<Spoken> {
    let mut spoken = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            spoken.push(Spoken::Pause(GROUP_PAUSE_MS));
        }
        for (position, &character) in group.iter().enumerate() {
            if position > 0 {
                spoken.push(Spoken::Pause(DIGIT_PAUSE_MS));
            }
            let is_last = index + 1 == groups.len() && position + 1 == group.len();
            spoken.push(Spoken::Clip(character_clip(character, is_last)));
        }
    }
    spoken
}

fn character_clip(character: char, is_last: bool) -> String {
    match (character.is_ascii_digit(), is_last) {
        (true, true) => format!("n{character}_fin"),
        (true, false) => format!("n{character}"),
        (false, _) => format!("letra_{}", character.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(spoken: &[Spoken]) -> String {
        let part = |spoken: &Spoken| match spoken {
            Spoken::Clip(id) => id.clone(),
            Spoken::Pause(ms) if *ms >= GROUP_PAUSE_MS => "|".into(),
            Spoken::Pause(_) => ".".into(),
        };
        spoken.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn digits_come_in_groups_and_the_last_one_falls() {
        let read = |text, groups: &[usize]| ids(&digits(Language::EsMx, text, groups));
        assert_eq!(read("987", &[2]), "n9 . n8 | n7_fin");
        assert_eq!(read("12345678", &[2, 3]), "n1 . n2 | n3 . n4 . n5 | n6 . n7 . n8_fin");
        assert_eq!(read("55 1234", &[]), "n5 . n5 . n1 . n2 . n3 . n4_fin");
        assert_eq!(read("12", &[0]), "n1 . n2_fin");
        assert_eq!(read("", &[4]), "");
    }

    #[test]
    fn references_are_spelled_in_short_groups() {
        let read = |text| ids(&reference(Language::EnUs, text));
        assert_eq!(read("TP-7k2"), "letra_t . letra_p | n7 . letra_k . n2_fin");
        assert_eq!(read("12345"), "n1 . n2 . n3 | n4 . n5_fin");
        assert_eq!(read("--"), "");
    }

    #[test]
    fn numbers_beyond_the_grammar_are_read_digit_by_digit() {
        assert_eq!(ids(&number(Language::EnUs, 1_000_000_000)), "n1 . n0 . n0 | n0 . n0 . n0 | n0 . n0 . n0 | n0_fin");
        assert_eq!(text_of(Language::EsMx, &number(Language::EsMx, 999_999_999)).split(' ').count(), 14);
    }

    #[test]
    fn dates_are_spoken_as_people_say_them() {
        let say = |language, year, month, day| text_of(language, &date(language, jiff::civil::date(year, month, day)));
        assert_eq!(say(Language::EsMx, 2028, 3, 1), "primero de marzo de dos mil veintiocho");
        assert_eq!(say(Language::EsMx, 1999, 12, 31), "treinta y uno de diciembre de mil novecientos noventa y nueve");
        assert_eq!(say(Language::EnUs, 2028, 3, 15), "March fifteenth twenty twenty-eight");
        assert_eq!(say(Language::EnUs, 2005, 1, 22), "January twenty-second two thousand five");
        assert_eq!(say(Language::EnUs, 1900, 7, 4), "July fourth nineteen hundred");
        assert_eq!(say(Language::EnUs, 1805, 7, 4), "July fourth one thousand eight hundred five");
    }

    #[test]
    fn amounts_have_the_right_gender_number_and_apocope() {
        let say = |language, text| words(language, Money::parse(text, crate::money::Currency::Mxn).unwrap());
        for (amount, spanish, english) in [
            ("0", "cero pesos", "zero pesos"),
            ("0.01", "un centavo", "one centavo"),
            ("1", "un peso", "one peso"),
            ("1.50", "un peso con cincuenta centavos", "one peso and fifty centavos"),
            ("21", "veintiún pesos", "twenty-one pesos"),
            ("100", "cien pesos", "one hundred pesos"),
            ("101.21", "ciento un pesos con veintiún centavos", "one hundred one pesos and twenty-one centavos"),
            ("1000", "mil pesos", "one thousand pesos"),
            ("1001", "mil un pesos", "one thousand one pesos"),
            ("21000", "veintiún mil pesos", "twenty-one thousand pesos"),
            (
                "131031",
                "ciento treinta y un mil treinta y un pesos",
                "one hundred thirty-one thousand thirty-one pesos",
            ),
            ("1000000", "un millón de pesos", "one million pesos"),
            ("1000000.01", "un millón de pesos con un centavo", "one million pesos and one centavo"),
            ("2000000", "dos millones de pesos", "two million pesos"),
            ("21000001", "veintiún millones un pesos", "twenty-one million one pesos"),
            ("1001000", "un millón mil pesos", "one million one thousand pesos"),
        ] {
            assert_eq!(say(Language::EsMx, amount), spanish);
            assert_eq!(say(Language::EnUs, amount), english);
        }
    }

    #[test]
    fn dollars_have_cents_in_english_and_centavos_in_spanish() {
        let say = |language, centavos| words(language, Money { centavos, currency: crate::money::Currency::Usd });
        assert_eq!(say(Language::EsMx, 101), "un dólar con un centavo");
        assert_eq!(say(Language::EsMx, 3_100), "treinta y un dólares");
        assert_eq!(say(Language::EnUs, 101), "one dollar and one cent");
        assert_eq!(say(Language::EnUs, 2_005_050), "twenty thousand fifty dollars and fifty cents");
    }
}
