//! What is wrong with a menu: every problem at once, each with its place and a cure.

use std::cell::RefCell;
use std::fmt;

use super::yaml::{self, Path, Place};

/// One problem of a menu file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file; `None` only where the YAML parser could not tell.
    pub place: Option<Place>,
    /// The node concerned, as a path of names: `states.clave.collect`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

/// All problems of one menu file, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file's name as given.
    pub file: String,
    /// At least one problem.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            write!(f, "{}:", self.file)?;
            if let Some(place) = problem.place {
                write!(f, "{}:{}:", place.line, place.column)?;
            }
            write!(f, " {}", problem.message)?;
            if !problem.path.is_empty() {
                write!(f, " (at {})", problem.path)?;
            }
            writeln!(f, "\n    {}", problem.cure)?;
        }
        let count = self.list.len();
        write!(f, "{count} problem{} in {}", if count == 1 { "" } else { "s" }, self.file)
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a menu is resolved.
#[derive(Default)]
pub(super) struct Notes {
    found: RefCell<Vec<(Path, String, String)>>,
}

impl Notes {
    pub(super) fn add(&self, path: &Path, message: impl Into<String>, cure: impl Into<String>) {
        self.found.borrow_mut().push((path.clone(), message.into(), cure.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Looks up all places in the menu's text and sorts by them.
    pub(super) fn into_problems(self, file: &str, text: &str) -> Problems {
        let with_place = |(path, message, cure): (Path, String, String)| Problem {
            place: yaml::locate(text, &path),
            path: path.to_string(),
            message,
            cure,
        };
        let mut list: Vec<Problem> = self.found.into_inner().into_iter().map(with_place).collect();
        list.sort_by_key(|problem| problem.place);
        list.dedup();
        Problems { file: file.to_owned(), list }
    }
}

/// The known name closest to a mistyped one, if it is close enough to be meant.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (edit_distance(typed, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// "Did you mean ...?", or the list of what is possible.
pub(super) fn suggest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    nearest(typed, known.clone()).map_or_else(
        || format!("possible here: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
        |name| format!("did you mean {name:?}?"),
    )
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_probably_meant() {
        assert_eq!(edit_distance("colect", "collect"), 1);
        assert_eq!(nearest("colect", ["choose", "collect", "confirm"]), Some("collect"));
        assert_eq!(nearest("xyz", ["choose", "collect"]), None);
    }
}
