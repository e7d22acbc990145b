//! Every command's help: what the command is about comes first, in lines as long as they can be. The manual page.

use tonopago::http::Secret;

use crate::harness::tonopago;

/// Columns of a help that goes into no terminal.
const COLUMNS: usize = 100;

/// The words of every command there is, its sub-commands behind it.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut seen = 0;
    while seen < all.len() {
        let command: Vec<String> = all[seen].clone();
        all.extend(sub_commands(&help(&command)).into_iter().map(|name| [&command[..], &[name]].concat()));
        seen += 1;
    }
    all
}

fn help(command: &[String]) -> String {
    let run = tonopago(command.iter().map(String::as_str).chain(["--help"]));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{command:?}");
    run.out
}

/// The names under `Commands:`; their texts are indented further when they go on.
fn sub_commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names = list.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn there_are_commands_of_commands() {
    let all: Vec<String> = commands().iter().map(|words| words.join(" ")).collect();
    for command in ["", "decode", "payments settle", "authorizer serve", "samples"] {
        assert!(all.iter().any(|known| known == command), "{command:?}: {all:?}");
    }
}

#[test]
fn options_of_all_commands_stand_behind_those_of_the_command() {
    for command in commands() {
        let help = help(&command);
        let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{command:?}: no {text:?}"));
        assert!(place("Logging:") > place("-V, --version"), "{command:?}: {help}");
        assert!(place("--log <LEVEL>") > place("Logging:"), "{command:?}: {help}");
    }
}

/// A line that is broken in the source and again by the terminal's width leaves one word alone.
#[test]
fn paragraphs_are_filled_and_examples_can_be_copied() {
    for command in commands() {
        let help = help(&command);
        let after = help.split_once("\nLogging:").unwrap().1;
        let lines: Vec<&str> = after.lines().collect();
        for pair in lines.windows(2) {
            let (line, next) = (pair[0], pair[1]);
            let word = next.split(' ').next().unwrap();
            let is_paragraph = !line.is_empty() && !line.starts_with(' ') && !word.is_empty() && !line.ends_with(':');
            let room = COLUMNS.saturating_sub(line.chars().count() + 1);
            assert!(!is_paragraph || word.chars().count() > room, "{command:?}: there is room for {word:?} in\n{line}");
        }
        let examples = after.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        let mut is_whole = true;
        for line in examples.take_while(|line| !line.is_empty()) {
            assert!(!is_whole || line.contains("tonopago") || line.starts_with("  curl"), "{command:?}: {line}");
            is_whole = !line.ends_with('\\');
        }
    }
}

/// Four commands were not in it, and a variable.
#[test]
fn the_manual_page_names_every_command_and_variable() {
    let page = include_str!("../../packaging/tonopago.1");
    let section = |name: &str| {
        let begin = page.split_once(&format!(".SH {name}\n")).unwrap().1;
        begin.split("\n.SH ").next().unwrap().to_owned()
    };
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let has = |text: &str, wanted: &str| text.split(|letter| !is_word(letter)).any(|word| word == wanted);
    for command in sub_commands(&help(&[])) {
        assert!(has(&section("COMMANDS"), &command), "{command}");
    }
    for variable in Secret::ALL.map(Secret::variable).into_iter().chain(["TONOPAGO_TTS"]) {
        assert!(has(&section("ENVIRONMENT"), variable), "{variable}");
    }
}
