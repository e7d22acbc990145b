//! Whatever stands in the file: no panic, no hang, and every problem has a place in the text and a cure.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tonopago::menu::{Menu, Problems};
use tonopago::speech::Clips;

const PAGO: &str = include_str!("../../menus/pago.yaml");
const CASES: u32 = 3000;
const SEED: u8 = 21;

fn problems(text: &str) -> Option<Problems> {
    Menu::parse("menu.yaml", text, &*Clips::embedded()).err()
}

fn only(text: &str) -> String {
    let problems = problems(text).unwrap();
    assert_eq!(problems.list.len(), 1, "{problems}");
    problems.to_string()
}

/// Every problem has words and a cure, neither of them endless, and a place that exists.
fn are_sound(text: &str, problems: &Problems) {
    assert!(!problems.list.is_empty() && problems.list.len() <= 130);
    let lines = text.split('\n').count();
    for problem in &problems.list {
        assert!(!problem.message.is_empty() && !problem.cure.is_empty(), "{problem:?}");
        assert!(problem.message.len() + problem.cure.len() < 2500, "{problem:?}");
        if let Some(place) = problem.place {
            assert!(place.line >= 1 && place.column >= 1 && place.line <= lines + 1, "{problem:?}");
        }
    }
}

#[test]
fn the_menus_that_ship_have_no_problem() {
    assert_eq!(problems(PAGO), None);
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    assert_eq!(problems(&PAGO.replace('\n', "\r\n")), None);
    assert_eq!(problems(&format!("\u{feff}{PAGO}")), None);
}

#[test]
fn an_empty_file_is_told_so() {
    for text in ["", " ", " \n\n", "# only a comment\n", "---\n", "null"] {
        let told = only(text);
        assert!(told.contains("the file is empty\n    write a menu"), "{text:?}: {told}");
    }
}

#[test]
fn a_file_that_is_no_menu_is_told_so() {
    for text in ["hola", "[1, 2]", "42", "true", "\"\"", "- a\n- b", "%PDF-1.4\n%\u{e2}\u{e3}", "<html></html>", "{}"] {
        are_sound(text, &problems(text).unwrap());
    }
}

#[test]
fn a_menu_of_more_than_a_mebibyte_is_refused_before_it_is_read() {
    let text = "# 45678\n".repeat((1 << 17) + 1);
    assert!(only(&text).contains("1048584 bytes is no menu\n    a menu is at most 1 MiB of text"));
    assert_eq!(problems(&format!("{PAGO}\n{}", "# 45678\n".repeat((1 << 17) - 1000))), None, "comments are welcome");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{before}]\n");
    }
    let told = only(&text);
    assert!(told.contains("repeated too often") || told.contains("# or *"), "{told}");
}

#[test]
fn nesting_without_end_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("{}{}", open.repeat(50_000), close.repeat(50_000));
        are_sound(&text, &problems(&text).unwrap());
    }
}

#[test]
fn a_hundred_thousand_mistakes_come_to_an_end() {
    let many = "x: y\n".repeat(150_000);
    let states: String = (0..20_000).map(|n| format!("  s{n}: {{next: t{n}}}\n")).collect();
    let states = format!("version: 1\nname: m\nlanguages: [es-MX]\nstart: s0\ngive_up: s0\nstates:\n{states}");
    let prompts = PAGO.replace("say: [pide_clave]", &format!("say: [{}]", "pide_clavf, ".repeat(60_000)));
    let languages = PAGO.replace("[es-MX, en-US]", &format!("[{}]", "fr-FR, ".repeat(100_000)));
    for text in [many, states, prompts, languages] {
        assert!(text.len() < 1 << 20);
        are_sound(&text, &problems(&text).unwrap());
    }
}

#[test]
fn names_without_end_are_told_of_briefly() {
    let (long, longer) = ("a".repeat(400_000), "b".repeat(400_000));
    let text = format!(
        "version: 1\nname: m\nlanguages: [es-MX]\nstart: {long}\ngive_up: e\nstates: {{{longer}: {{next: e}}}}\n"
    );
    are_sound(&text, &problems(&text).unwrap());
}

#[test]
fn a_thousand_states_are_checked_and_more_are_refused() {
    let menu = |count: usize| {
        let state =
            |n: usize| format!("  s{n}: {{say: [oprima], choose: {{\"1\": s{}, \"2\": e}}}}\n", (n + 1) % count);
        let states: String = (0..count).map(state).collect();
        format!(
            "version: 1\nname: m\nlanguages: [es-MX]\nstart: s0\ngive_up: e\nstates:\n{states}  e: {{hang_up: true}}\n"
        )
    };
    assert_eq!(problems(&menu(999)), None);
    let told = problems(&menu(1000)).unwrap().to_string();
    assert!(told.contains("1001 entries are too many"), "{told}");
}

/// One change an author, an editor or a bad disk might make.
#[derive(Debug, Clone)]
enum Change {
    Delete(usize, usize),
    Insert(usize, String),
    Repeat(usize),
    Swap(usize, usize),
}

fn a_change() -> impl Strategy<Value = Change> {
    let odd = prop::sample::select(vec![
        "#",
        "*",
        "\"",
        "'",
        ":",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\t",
        " ",
        "  ",
        "- ",
        "&a ",
        "*a",
        "!x ",
        "|\n",
        ">\n",
        "---\n",
        "...\n",
        "%",
        "@",
        "`",
        "\0",
        "\u{85}",
        "\u{feff}",
        "é",
        "٣",
        "💥",
        "$amount",
        "null",
        "~",
        "0x1F",
        "1e999",
        ".nan",
        "<<: ",
        "? ",
        "\\",
        "\r",
        "next: clave",
        "hang_up: true",
        "-1",
        "99999999999999999999",
    ]);
    prop_oneof![
        (any::<prop::sample::Index>(), 1..40usize).prop_map(|(at, count)| Change::Delete(at.index(1 << 16), count)),
        (any::<prop::sample::Index>(), odd).prop_map(|(at, text)| Change::Insert(at.index(1 << 16), text.to_owned())),
        any::<prop::sample::Index>().prop_map(|line| Change::Repeat(line.index(1 << 16))),
        any::<(prop::sample::Index, prop::sample::Index)>()
            .prop_map(|(a, b)| Change::Swap(a.index(1 << 16), b.index(1 << 16))),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.split('\n').collect();
    match change {
        Change::Delete(at, count) => {
            let from = at % characters.len().max(1);
            characters.drain(from.min(characters.len())..(from + count).min(characters.len()));
        }
        Change::Insert(at, odd) => {
            let at = at % (characters.len() + 1);
            characters.splice(at..at, odd.chars());
        }
        Change::Repeat(line) => {
            lines.insert(line % lines.len(), lines[line % lines.len()]);
            return lines.join("\n");
        }
        Change::Swap(a, b) => {
            let (a, b) = (a % lines.len(), b % lines.len());
            lines.swap(a, b);
            return lines.join("\n");
        }
    }
    characters.into_iter().collect()
}

#[test]
fn a_changed_payment_menu_is_read_or_refused_soundly() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[SEED; 32]));
    let refused = Cell::new(0);
    let outcome = runner.run(&prop::collection::vec(a_change(), 1..5), |changes| {
        let text = changes.iter().fold(PAGO.to_owned(), |text, change| changed(&text, change));
        if let Some(problems) = problems(&text) {
            refused.set(refused.get() + 1);
            are_sound(&text, &problems);
        }
        Ok(())
    });
    println!("changed menus: {CASES} runs, seed {SEED}, {} refused", refused.get());
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_text_is_read_or_refused_soundly() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[SEED; 32]));
    let texts = prop_oneof!["\\PC{0,200}", "[-:{}\\[\\],#*&!|>'\"%@` \\na-c0-9]{0,120}"];
    let outcome = runner.run(&texts, |text| {
        are_sound(&text, &problems(&text).expect("no menu by chance"));
        Ok(())
    });
    println!("any text: {CASES} runs, seed {SEED}");
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
