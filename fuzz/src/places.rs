//! What is wrong with a text, and whether it is told as people need it.

use tonopago::menu::Problem;

/// Checks that problems lie in the text, say something, and hold nothing that a terminal would obey.
pub fn check(text: &str, problems: &[Problem]) {
    // The mark of an encoding is none of the text.
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split('\n').collect();
    for problem in problems {
        let told = format!("{}\n{}", problem.message, problem.cure);
        assert!(!problem.message.is_empty() && !problem.cure.is_empty(), "{problem:?}");
        assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
        if let Some(place) = problem.place {
            let line = place.line.checked_sub(1).and_then(|line| lines.get(line));
            let line = line.unwrap_or_else(|| panic!("{place:?} of {} lines: {problem:?}", lines.len()));
            assert!((1..=line.chars().count() + 1).contains(&place.column), "{place:?} of {line:?}: {problem:?}");
        }
    }
}
