//! What someone who is no programmer gets wrong in YAML, told in their words.

use super::{Node, Place, Problem, node};

/// A syntax error explained.
struct Mistake<'a> {
    place: Option<Place>,
    message: String,
    cure: &'a str,
}

/// A longer text is refused before it is parsed.
const MAX_BYTES: usize = 1 << 20;
const DEEPEST: usize = 100;
const IN_QUOTES: &str = "put it in quotes: \"#\" or \"*\"";

/// A document's text without its byte order mark, and its tree; or the one problem that keeps it from being read. `what`
/// it is to be, and the cures for one that is too long and for an empty one.
pub(crate) fn document<'a>(text: &'a str, what: &str, too_long: &str, empty: &str) -> Result<(&'a str, Node), Problem> {
    let problem =
        |place, message: String, cure: &str| Problem { place, path: String::new(), message, cure: cure.into() };
    if text.len() > MAX_BYTES {
        return Err(problem(None, format!("{} bytes is no {what}", text.len()), too_long));
    }
    // Some editors begin a text with a byte order mark; it is no part of the document.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(place) = too_deep(text) {
        return Err(problem(Some(place), "brackets and braces are nested too deeply here".to_owned(), "close them"));
    }
    let root = node::parse(text).map_err(|(message, place)| {
        let mistake = explain(text, message, place.map(|at| at.in_text(text)), empty);
        problem(mistake.place, mistake.message, mistake.cure)
    })?;
    if root == Node::Null {
        return Err(problem(None, "the file is empty".to_owned(), empty));
    }
    Ok((text, root))
}

/// Finds the likely cause of a YAML error. The parser tells where it noticed, which may be far from the cause.
fn explain<'a>(text: &str, message: String, place: Option<Place>, empty: &'a str) -> Mistake<'a> {
    let last = place.map_or(usize::MAX, |at| at.line);
    let lines = || text.lines().enumerate().take(last).map(|(index, line)| (index + 1, line));
    if let Some((line, column)) = lines().find_map(|(number, line)| Some((number, indenting_tab(line)?))) {
        let message = "this line is indented with a tab".to_owned();
        return Mistake { place: Some(Place { line, column }), message, cure: "indent with spaces" };
    }
    if let Some((line, column)) = lines().find_map(|(number, line)| Some((number, odd_blank(line)?))) {
        let message = "this blank is another character than a space, as copied texts have them".to_owned();
        return Mistake { place: Some(Place { line, column }), message, cure: "write a space in its place" };
    }
    if message.contains("unknown anchor") {
        let cure = "write the name without the *; a key * goes in quotes: \"*\"";
        let message = "a word that begins with * stands for nothing".to_owned();
        return Mistake { place, message, cure };
    }
    if let Some((line, column)) = lines().find_map(|(number, line)| Some((number, bare_key(line)?))) {
        let message = "a # or * without quotes means something else to YAML".to_owned();
        return Mistake { place: Some(Place { line, column }), message, cure: IN_QUOTES };
    }
    let cure = match () {
        () if message.contains("EOF while parsing") => empty,
        () if message.contains("more than one document") => "keep one in a file; remove the lines that are ---",
        () if message.contains("limit exceeded") => "nothing here needs such depth, nor & and * to repeat things",
        () if message.contains("control characters") => {
            "remove the characters that cannot be seen; save the file as plain UTF-8"
        }
        () => "see whether a colon, a quote, a bracket or the indentation is wrong here or in the line before",
    };
    let place = if message.contains("control characters") {
        hidden_character(text)
    } else {
        place.or_else(|| second_document(text))
    };
    Mistake { place, message: in_plain_words(&message), cure }
}

/// The parser's words for the commonest errors, in the author's.
fn in_plain_words(message: &str) -> String {
    let plain = [
        ("EOF while parsing", "the file is empty"),
        ("did not find expected ',' or ']'", "a comma is missing before this, or a ] to close the list"),
        ("did not find expected ',' or '}'", "a comma is missing before this, or a } to close the braces"),
        ("did not find expected '-' indicator", "a list goes on here, but this does not begin with \"- \""),
        ("did not find expected key", "a name and a colon are expected here, indented like those above"),
        ("mapping values are not allowed", "a colon stands where no name comes before it"),
        ("more than one document", "a second document begins here"),
        ("found unexpected end of stream", "the file ends inside a quotation"),
        ("recursion limit", "braces and brackets are nested too deeply"),
        ("invalid type: enum", "a word that begins with ! means nothing here"),
        ("control characters", "a character that cannot be seen is here"),
        ("repetition limit", "things are repeated too often by * and &"),
    ];
    let found = plain.into_iter().find(|(theirs, _)| message.contains(theirs));
    let first = message.split(" at line ").next().unwrap_or_default();
    found.map_or_else(|| format!("this is not YAML: {first}"), |(_, ours)| ours.to_owned())
}

fn hidden_character(text: &str) -> Option<Place> {
    let hidden = |character: char| character.is_control() && character != '\t' && character != '\r';
    let mut lines = text.split('\n').enumerate();
    lines.find_map(|(index, line)| Some(Place { line: index + 1, column: column_of(line, line.find(hidden)?) }))
}

fn second_document(text: &str) -> Option<Place> {
    let begins = |line: &str| line == "---" || line.starts_with("--- ");
    let content = text.lines().position(|line| !begins(line) && !line.trim().is_empty() && !line.starts_with('#'))?;
    let line = text.lines().skip(content).position(begins)? + content + 1;
    Some(Place { line, column: 1 })
}

/// Lines such as `#: goodbye`, which YAML takes for a comment: a key of the menu would be missing without a word.
pub(crate) fn swallowed_keys(text: &str) -> Vec<Problem> {
    let lines = text.lines().enumerate();
    let swallowed = lines
        .filter(|(_, line)| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.trim_start().starts_with(':')));
    let problem = |(index, line): (usize, &str)| Problem {
        place: Some(Place { line: index + 1, column: column_of(line, line.len() - line.trim_start().len()) }),
        path: String::new(),
        message: "this line is a comment to YAML".to_owned(),
        cure: "put the # in quotes: \"#\": STATE".to_owned(),
    };
    swallowed.take(20).map(problem).collect()
}

/// Where more brackets, braces or dashes are open at once than any menu needs. Found before the text is parsed: the
/// time a parser takes grows with the square of their number.
fn too_deep(text: &str) -> Option<Place> {
    let mut open = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let mut dashes = 0;
        for (byte, character) in line.char_indices() {
            match character {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                '-' | '?' | ':' if line[byte + 1..].starts_with(' ') => dashes += 1,
                ' ' => {}
                _ => dashes = 0,
            }
            if open > DEEPEST || dashes > DEEPEST {
                return Some(Place { line: index + 1, column: column_of(line, byte) });
            }
        }
    }
    None
}

fn column_of(line: &str, byte: usize) -> usize {
    line[..byte].chars().count() + 1
}

fn indenting_tab(line: &str) -> Option<usize> {
    let indent = &line[..line.len() - line.trim_start().len()];
    indent.find('\t').filter(|_| !line.trim().is_empty()).map(|byte| column_of(line, byte))
}

/// The column of a blank that YAML takes for a letter (a no-break space) where it wants one: before everything else, or after a
/// colon, comma or dash. Not in quotes or in a comment.
fn odd_blank(line: &str) -> Option<usize> {
    let (mut quote, mut before, mut wants_blank) = (None, ' ', true);
    for (byte, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if wants_blank || "[{ ".contains(before) => quote = Some(character),
            (None, '#') if before == ' ' => return None,
            (None, _) if wants_blank && character.is_whitespace() && !character.is_ascii() => {
                return Some(column_of(line, byte));
            }
            _ => {}
        }
        wants_blank = ":,-".contains(character) || (wants_blank && character == ' ');
        before = character;
    }
    None
}

/// The column of an unquoted `#` or `*` where a key or a value is expected.
fn bare_key(line: &str) -> Option<usize> {
    let (mut quote, mut before, mut depth) = (None, ' ', 0_usize);
    for (byte, character) in line.char_indices() {
        let spaced = line[..byte].chars().next_back().is_none_or(char::is_whitespace);
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if ":,{[- ".contains(before) => quote = Some(character),
            (None, '#') if spaced && depth > 0 && ":,{[".contains(before) => return Some(column_of(line, byte)),
            (None, '#') if spaced => return None,
            (None, '*') if ":,{[- ".contains(before) => return Some(column_of(line, byte)),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !character.is_whitespace() {
            before = character;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruled_line_is_not_deep() {
        let ruled = format!("# {}\n# {}\na: [[b]]\n", "-".repeat(200), "=".repeat(200));
        assert_eq!(too_deep(&ruled), None);
        assert_eq!(too_deep(&format!("a:\n  {}", "- ".repeat(101))), Some(Place { line: 2, column: 203 }));
    }

    #[test]
    fn finds_blanks_that_are_no_spaces_where_one_is_wanted() {
        assert_eq!(odd_blank("  \u{a0} say: [a]"), Some(3));
        assert_eq!(odd_blank("    say:\u{a0}[a]"), Some(9));
        assert_eq!(odd_blank("    -\u{2007}a"), Some(6));
        assert_eq!(odd_blank("    a: don't, b:\u{a0}c"), Some(17));
        for fine in [
            "    say: [a]",
            "a: \"Hola:\u{a0}sí\"",
            "a: b\u{a0}c",
            "",
            "á: b",
            "a: ['Hola:\u{a0}sí']",
            "a: b # no:\u{a0}c",
        ] {
            assert_eq!(odd_blank(fine), None, "{fine}");
        }
    }

    #[test]
    fn finds_keys_without_quotes_and_no_others() {
        assert_eq!(bare_key("    choose: { *: repetir }"), Some(15));
        assert_eq!(bare_key("    choose: { \"1\": uno, #: dos }"), Some(25));
        assert_eq!(bare_key("    end_key: *"), Some(14));
        assert_eq!(bare_key("    *: repetir"), Some(5));
        assert_eq!(bare_key("    - *"), Some(7));
        for fine in
            ["a: { \"*\": b, '#': c }", "states: # all of them", "a: [b] # {*}", "a: 2*3", "# *", "", "á: b # *"]
        {
            assert_eq!(bare_key(fine), None, "{fine}");
        }
    }
}
