//! The menu in the documentation is a good menu, and the documentation names everything the checks accept.

use tonopago::menu::Menu;
use tonopago::speech::Clips;
use tonopago::tryout::{Script, Setup, Tryout};

use crate::bench::repository;

fn documentation() -> String {
    std::fs::read_to_string(repository("menus/README.md")).unwrap()
}

/// Every menu in the documentation passes the checks, and can be drawn and called.
#[test]
fn every_example_is_a_good_menu() {
    let text = documentation();
    let examples: Vec<&str> = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let clips = Clips::embedded();
        let menu = Menu::parse_draft("example", example, &*clips).unwrap_or_else(|problems| panic!("{problems}"));
        let drafts = menu.own_texts().iter().map(|own| (own.language, own.id.as_str(), own.text.as_str()));
        let mut tryout = Tryout::new(menu.clone(), clips.with_drafts(drafts), Setup::default());
        tryout.until_it_listens();
        tryout.press("2");
        tryout.until_it_listens();
        let told: Vec<String> = tryout.take_lines().into_iter().map(|(_, line)| line).collect();
        assert!(told.iter().any(|line| line.starts_with("  says")) && !told.concat().contains('<'), "{told:?}");
    }
}

/// The script in the documentation is one.
#[test]
fn the_script_is_a_script() {
    let text = documentation();
    let script = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let citas = text.split("```yaml\n").find(|example| example.contains("name: citas")).unwrap();
    let clips = Clips::embedded();
    let menu = Menu::parse_draft("citas", citas.split("```").next().unwrap(), &*clips).unwrap();
    let drafts = menu.own_texts().iter().map(|own| (own.language, own.id.as_str(), own.text.as_str()));
    let mut tryout = Tryout::new(menu.clone(), clips.with_drafts(drafts), Setup::default());
    let came = Script::parse(script).unwrap().play(&mut tryout).unwrap();
    assert!(came.starts_with(script), "{came}");
}

/// A menu with a wrong name in every place makes the checks list what is possible there.
#[test]
fn every_name_the_checks_suggest_is_documented() {
    let text = documentation();
    let broken = "
version: 1
name: x
languages: [es-MX]
start: a
give_up: z
states:
  a: { collect: { field: payment_key, qqqqq: 1 }, timers: { qqqqq: 1s }, errors: { qqqqq: [] }, on: { qqqqq: z } }
  b: { authorize: { qqqqq: 1 }, on: { qqqqq: z } }
  c: { charge: {}, on: { qqqqq: z } }
  d: { qqqqq: 1, hang_up: true }
  e: { collect: { field: f, type: digits }, attempts: { qqqqq: 1 }, say: [$qqqqq, { if: $qqqqq, is: x, say: a }], on: { done: z } }
  f: { branch: [{ qqqqq: 1 }], otherwise: z }
  g: { months: { 3: 300 }, on: { qqqqq: z } }
  z: { hang_up: true }
";
    let problems = Menu::parse("broken", broken, &*Clips::embedded()).unwrap_err();
    let listed: Vec<&str> = problems
        .list
        .iter()
        .filter_map(|problem| problem.cure.split_once("possible here: "))
        .flat_map(|(_, names)| names.split(", "))
        .collect();
    println!("{listed:?}");
    assert!(listed.len() > 60, "the checks list what is possible: {problems}");
    for name in listed {
        assert!(text.contains(name.trim_start_matches('$')), "menus/README.md does not mention {name:?}");
    }
}
