//! What is wrong with a text: every problem at once, each with its place and a cure.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use super::place::{Path, Place, locate};

/// Problems told at once; who has more mends these first.
const MOST_PROBLEMS: usize = 100;
/// A text longer than this has fewer of its problems told: finding the place of each reads it again.
const LONG_TEXT: usize = 1 << 16;
/// A name longer than this was not mistyped for a shorter one, nor is worth repeating in full.
const LONGEST_NAME: usize = 64;
/// Names listed where none is near.
const MOST_NAMES: usize = 12;

/// One problem of a menu or a configuration.
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

impl Problem {
    /// Two lines for people: place, a mark such as ` warning:`, message and path; and the cure.
    pub fn text(&self, file: &str, mark: &str) -> String {
        let place = self.place.map(|at| format!("{}:{}:", at.line, at.column)).unwrap_or_default();
        let path = if self.path.is_empty() { String::new() } else { format!(" (at {})", self.path) };
        format!("{file}:{place}{mark} {}{path}\n    {}", self.message, self.cure)
    }
}

/// All problems of one file, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file's name as given.
    pub file: String,
    /// At least one problem.
    pub list: Vec<Problem>,
}

impl Problems {
    /// The same with more problems, in the order of their places.
    pub(crate) fn with(mut self, more: Vec<Problem>) -> Self {
        self.list.extend(more);
        self.list.sort_by_key(|problem| problem.place.map_or((usize::MAX, 0), |at| (at.line, at.column)));
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            writeln!(f, "{}", problem.text(&self.file, ""))?;
        }
        let count = self.list.len();
        write!(f, "{count} problem{} in {}", if count == 1 { "" } else { "s" }, self.file)
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a text is read.
#[derive(Default)]
pub(crate) struct Notes {
    found: RefCell<Vec<(Path, String, String)>>,
    warned: RefCell<Vec<(Path, String, String)>>,
}

impl Notes {
    pub(crate) fn add(&self, path: &Path, message: impl Into<String>, cure: impl Into<String>) {
        self.found.borrow_mut().push((path.clone(), message.into(), cure.into()));
    }

    /// Notes what is allowed, but seldom meant.
    pub(crate) fn warn(&self, path: &Path, message: impl Into<String>, cure: impl Into<String>) {
        self.warned.borrow_mut().push((path.clone(), message.into(), cure.into()));
    }

    /// What was warned of, in the order of the places.
    pub(crate) fn warnings(&self, text: &str) -> Vec<Problem> {
        let mut list: Vec<Problem> =
            self.warned.take().into_iter().take(MOST_PROBLEMS).map(|noted| with_place(text, noted)).collect();
        list.sort_by_key(|warning| warning.place);
        list
    }

    /// A problem by itself, with its place in the text.
    pub(crate) fn located(text: &str, path: &Path, message: impl Into<String>, cure: impl Into<String>) -> Problem {
        with_place(text, (path.clone(), message.into(), cure.into()))
    }

    /// Whether something is wrong with this node or anything in it.
    pub(crate) fn concern(&self, path: &Path) -> bool {
        self.found.borrow().iter().any(|(found, ..)| found.is_in(path))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Looks up the places in the text and sorts by them.
    pub(crate) fn into_problems(self, file: &str, text: &str) -> Problems {
        let most = MOST_PROBLEMS * LONG_TEXT / text.len().max(LONG_TEXT);
        let mut seen = HashSet::new();
        let found = self.found.into_inner().into_iter();
        let mut found = found.filter(|(path, message, _)| seen.insert((path.clone(), message.clone())));
        let mut list: Vec<Problem> = found.by_ref().take(most).map(|noted| with_place(text, noted)).collect();
        list.sort_by_key(|problem| problem.place);
        let more = found.count();
        if more > 0 {
            let message = format!("and {more} more problems");
            list.push(Problem { place: None, path: String::new(), message, cure: "mend these first".to_owned() });
        }
        Problems { file: file.to_owned(), list }
    }
}

fn with_place(text: &str, (path, message, cure): (Path, String, String)) -> Problem {
    Problem { place: locate(text, &path), path: path.to_string(), message: harmless(message), cure: harmless(cure) }
}

/// The text with escapes for what a terminal would obey: a file's name, say, may hold anything.
fn harmless(text: String) -> String {
    let is_obeyed = |character: char| character.is_control() && character != '\n';
    if !text.contains(is_obeyed) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_obeyed(character) { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown
}

/// The known name closest to a mistyped one, if it is close enough to be meant.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > LONGEST_NAME {
        return None;
    }
    let allowed = (typed.chars().count() / 3).max(1);
    let near_in_length = |name: &&str| name.len() <= LONGEST_NAME && name.len().abs_diff(typed.len()) <= 4 * allowed;
    known
        .into_iter()
        .filter(near_in_length)
        .map(|name| (edit_distance(typed, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// "Did you mean ...?", or the list of what is possible.
pub(crate) fn suggest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    nearest(typed, known.clone())
        .map_or_else(|| possible(known.into_iter().collect()), |name| format!("did you mean {name:?}?"))
}

fn possible(names: Vec<&str>) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| shortened(name)).collect();
    let more = if names.len() > MOST_NAMES { ", ..." } else { "" };
    format!("possible here: {}{more}", shown.join(", "))
}

/// What the author wrote, in quotes, its odd characters visible; not all of it if it is long.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Characters inserted, left out, exchanged, or swapped with their neighbour (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, _) | (_, 0) => i + j,
                _ => {
                    let exchanged = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let swapped = if swapped { table[i - 2][j - 2] + 1 } else { usize::MAX };
                    exchanged.min(swapped).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1)
                }
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_probably_meant() {
        assert_eq!(edit_distance("colect", "collect"), 1);
        assert_eq!(edit_distance("sya", "say"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(nearest("colect", ["choose", "collect", "confirm"]), Some("collect"));
        assert_eq!(nearest("xyz", ["choose", "collect"]), None);
    }
}
