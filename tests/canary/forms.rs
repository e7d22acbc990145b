//! The ways a secret can be written, and places where it is.

use std::collections::BTreeMap;

use super::{CVV, MASK};

/// One way to write a card number down, with its name in the table. Combined with the mask, so that it is not itself a
/// hit.
pub(crate) struct Form {
    pub(crate) kind: Kind,
    pub(crate) masked: Vec<u8>,
}

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Plain,
    Grouped,
    SpeltOut,
    LineByLine,
    Hex,
    Base64,
}

/// All columns, in order, with their heads.
pub(crate) const KINDS: [(Kind, &str); 6] = [
    (Kind::Plain, "plain"),
    (Kind::Grouped, "grouped"),
    (Kind::SpeltOut, "spelt out"),
    (Kind::LineByLine, "a digit a line"),
    (Kind::Hex, "hex"),
    (Kind::Base64, "base64"),
];

/// Plain; in groups of four; digit by digit; in hexadecimal; in Base64 at each of its three alignments.
pub(crate) fn forms(secret: &[u8]) -> Vec<Form> {
    let plain: Vec<u8> = secret.iter().map(|byte| byte ^ MASK).collect();
    let joined = |separator: &[u8], size: usize| plain.chunks(size).collect::<Vec<_>>().join(separator);
    let hex = |upper: bool, separator: &str| {
        let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        plain.iter().map(digit).collect::<Vec<_>>().join(separator).into_bytes()
    };
    let mut forms = vec![(Kind::Plain, plain.clone())];
    forms.extend([false, true].map(|upper| (Kind::Hex, hex(upper, ""))));
    forms.push((Kind::Hex, hex(false, " ")));
    for separator in [&b" "[..], b"-", b".", b", "] {
        forms.push((Kind::Grouped, joined(separator, 4)));
    }
    for separator in [&b"\n"[..], b"\r\n", b" ", b",", b", ", b"-", b"\0", b"', '", b"\", \""] {
        forms.push((Kind::SpeltOut, joined(separator, 1)));
    }
    forms.extend((0..3).map(|shift| (Kind::Base64, base64_core(&plain, shift))));
    let masked = |form: Vec<u8>| form.into_iter().map(|byte| byte ^ MASK).collect();
    let mut forms: Vec<Form> = forms.into_iter().map(|(kind, form)| Form { kind, masked: masked(form) }).collect();
    forms.dedup_by(|one, other| one.masked == other.masked); // digits have no letters: both cases of hex are one
    forms
}

/// The characters of the Base64 of `shift` unknown bytes and then `plain` that do not depend on what is around it.
fn base64_core(plain: &[u8], shift: usize) -> Vec<u8> {
    use base64::Engine as _;
    let padded = [&vec![0; shift][..], plain].concat();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&padded);
    let first = (shift * 8).div_ceil(6);
    encoded.as_bytes()[first..padded.len() * 8 / 6].to_vec()
}

/// Places where the masked needle is, once each byte of the haystack is combined with the mask.
pub(crate) fn count(haystack: &[u8], needle: &[u8]) -> usize {
    let first = needle[0] ^ MASK;
    let starts = haystack.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts
        .filter(|(start, _)| {
            let window = haystack.get(*start..start + needle.len());
            window.is_some_and(|window| window.iter().zip(needle).all(|(byte, masked)| byte ^ MASK == *masked))
        })
        .count()
}

/// A CVV on its own: not inside a longer number or name, not after a decimal point.
pub(crate) fn count_alone(haystack: &[u8], masked: &[u8]) -> usize {
    let part_of_more = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let windows = haystack.windows(masked.len()).enumerate();
    windows
        .filter(|(start, window)| {
            let before = start.checked_sub(1).and_then(|before| haystack.get(before));
            window.iter().zip(masked).all(|(byte, masked)| byte ^ MASK == *masked)
                && !part_of_more(before)
                && before != Some(&b'.')
                && !part_of_more(haystack.get(start + masked.len()))
        })
        .count()
}

/// What lines that say the same tell one after another in the same place, one digit each: a log has a line for a key, perhaps,
/// with the time and whatever else before it, and other lines between.
pub(crate) fn line_by_line(text: &[u8]) -> Vec<Vec<u8>> {
    let mut told = BTreeMap::<(Vec<u8>, usize), Vec<u8>>::new();
    for line in text.split(|byte| *byte == b'\n') {
        let (mut shape, mut alone) = (Vec::new(), Vec::new());
        for word in line.chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit()) {
            if let [digit @ b'0'..=b'9'] = word {
                alone.push(*digit);
            }
            shape.extend(if word[0].is_ascii_digit() { b"0" } else { word });
        }
        for (place, digit) in alone.into_iter().enumerate() {
            told.entry((shape.clone(), place)).or_default().push(digit);
        }
    }
    told.into_values().collect()
}

/// The table: where was searched, and what was found of each form.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(String, usize, [usize; KINDS.len()], usize)>,
}

impl Table {
    /// Searches a place for card numbers and a CVV.
    pub(crate) fn search(&mut self, place: &str, bytes: &[u8], forms: &[Form], cvvs: &[&[u8]]) {
        let mut found = [0; KINDS.len()];
        for form in forms {
            found[form.kind as usize] += count(bytes, &form.masked);
        }
        let lines = line_by_line(bytes);
        for form in forms.iter().filter(|form| form.kind == Kind::Plain) {
            found[Kind::LineByLine as usize] += lines.iter().map(|line| count(line, &form.masked)).sum::<usize>();
        }
        let cvv = cvvs.iter().map(|cvv| count_alone(bytes, cvv)).sum();
        self.rows.push((place.to_owned(), bytes.len(), found, cvv));
    }

    /// Adds what another search found.
    pub(crate) fn add(&mut self, place: &str, bytes: usize, found: [usize; KINDS.len()]) {
        self.rows.push((place.to_owned(), bytes, found, 0));
    }

    /// Prints the table and fails if there is anything in it.
    pub(crate) fn judge(&self) {
        let heads: String = KINDS.iter().map(|(_, head)| format!("{head:>15}")).collect();
        println!("{:<40}{:>12}{heads}{:>6}", "place", "bytes", "CVV");
        for (place, bytes, found, cvv) in &self.rows {
            let cells: String = found.iter().map(|count| format!("{count:>15}")).collect();
            println!("{place:<40}{bytes:>12}{cells}{cvv:>6}");
        }
        let hits: usize = self.rows.iter().map(|(_, _, found, cvv)| found.iter().sum::<usize>() + cvv).sum();
        assert_eq!(hits, 0, "card data is left somewhere");
    }
}

#[test]
fn the_search_finds_every_form() {
    let number: Vec<u8> = b"378282246310005".iter().map(|byte| byte ^ MASK).collect();
    let forms = forms(&number);
    for (text, kind) in [
        ("card 378282246310005.", Kind::Plain),
        ("3782 8224 6310 005", Kind::Grouped),
        ("3782-8224-6310-005", Kind::Grouped),
        ("3\n7\n8\n2\n8\n2\n2\n4\n6\n3\n1\n0\n0\n0\n5", Kind::SpeltOut),
        (&format!("{:?}", "378282246310005".chars().collect::<Vec<_>>()), Kind::SpeltOut),
        ("333738323832323436333130303035", Kind::Hex),
        ("33 37 38 32 38 32 32 34 36 33 31 30 30 30 35", Kind::Hex),
        ("Mzc4MjgyMjQ2MzEwMDA1", Kind::Base64),
        ("eDM3ODI4MjI0NjMxMDAwNQ==", Kind::Base64), // after one more byte
        ("eHgzNzgyODIyNDYzMTAwMDU=", Kind::Base64), // after two
    ] {
        let found: Vec<Kind> =
            forms.iter().filter(|form| count(text.as_bytes(), &form.masked) > 0).map(|form| form.kind).collect();
        assert_eq!(found, [kind], "{text}");
    }
    let log = |digit: char| format!("2026-11-23T10:15:00.1234Z TRACE line 2: key={digit}, 5 ms\nTRACE request 7\n");
    let lines = line_by_line("378282246310005".chars().map(log).collect::<String>().as_bytes());
    assert_eq!(lines.iter().map(|line| count(line, &forms[0].masked)).sum::<usize>(), 1);
    let alone = |text: &str| count_alone(text.as_bytes(), &CVV);
    assert_eq!(["cvv 0739", "\"0739\"", "0739"].map(alone), [1, 1, 1]);
    assert_eq!(["10739", "x0739", "0739a", "12:00.0739", "073"].map(alone), [0; 5]);
}
