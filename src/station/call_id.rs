//! A call's id: its line and the moment it began. The log, the status page and the name of its recording have it.

use jiff::Zoned;

/// Digits of the day, the time and the milliseconds.
const DIGITS: [usize; 3] = [8, 6, 3];

/// The id of a call that began then: `line-1-20261124-101500-042`.
pub(super) fn of(line: &str, began: &Zoned) -> String {
    format!("{line}-{}", began.strftime("%Y%m%d-%H%M%S-%3f"))
}

/// Whether a text is such an id, of whatever line.
pub(super) fn is_one(text: &str) -> bool {
    let mut parts = text.rsplitn(DIGITS.len() + 1, '-');
    let are_digits = DIGITS.into_iter().rev().all(|digits| {
        parts.next().is_some_and(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    are_digits && parts.next().is_some_and(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_as_one_and_what_a_person_names_a_file_is_not() {
        let began: Zoned = "2026-01-02T03:04:05.006-06:00[America/Mexico_City]".parse().unwrap();
        assert_eq!(of("line-1", &began), "line-1-20260102-030405-006");
        for line in ["line-1", "1", "a_b", "20260102-030405-006"] {
            assert!(is_one(&of(line, &began)), "{line}");
        }
        for text in
            ["", "-20260102-030405-006", "20260102-030405-006", "line-1-20260102-030405", "line-1-2026010-2030405-006"]
        {
            assert!(!is_one(text), "{text}");
        }
    }
}
