//! Every mistake a menu's author makes is told with its line, its column and a cure.
//!
//! `broken.txt` is the table: `#` names a case, `-` is text of `base.yaml` that the case replaces by `+`, `=` is what
//! the program says.

use tonopago::menu::Menu;
use tonopago::speech::Clips;

const BASE: &str = include_str!("base.yaml");
const TABLE: &str = include_str!("broken.txt");

#[derive(Default)]
struct Case {
    name: String,
    find: Vec<&'static str>,
    replace: Vec<&'static str>,
    told: Vec<&'static str>,
}

impl Case {
    fn menu(&self) -> String {
        let find = self.find.join("\n");
        assert_eq!(BASE.matches(&find).count(), 1, "case {:?} replaces one place of base.yaml", self.name);
        BASE.replacen(&find, &self.replace.join("\n"), 1)
    }
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (mark, text) = line.split_at(1);
        let text = text.strip_prefix(' ').unwrap_or(text);
        if mark == "#" {
            cases.push(Case { name: text.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its name");
        match mark {
            "-" => case.find.push(text),
            "+" => case.replace.push(text),
            "=" => case.told.push(text),
            _ => panic!("not a line of the table: {line}"),
        }
    }
    cases
}

fn told(menu: &str) -> String {
    match Menu::parse("menu.yaml", menu, &*Clips::embedded()) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn the_base_has_no_problem() {
    assert_eq!(told(BASE), "no problem");
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_cure() {
    let cases = cases();
    println!("{} broken menus", cases.len());
    assert!(cases.len() >= 40);
    let mut wrong = 0;
    for case in &cases {
        let told = told(&case.menu());
        if told != case.told.join("\n") {
            wrong += 1;
            let lines: Vec<String> = told.lines().map(|line| format!("= {line}\n")).collect();
            println!("# {}\n{}", case.name, lines.concat());
        }
    }
    assert_eq!(wrong, 0, "cases whose words differ from the table");
}
