//! The menu in the documentation is a good menu, and the documentation names everything the checks accept.

use tonopago::menu::Menu;
use tonopago::speech::Clips;

use crate::bench::repository;

fn documentation() -> String {
    std::fs::read_to_string(repository("menus/README.md")).unwrap()
}

#[test]
fn the_example_is_a_good_menu() {
    let text = documentation();
    let mut examples = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let example = examples.next().unwrap();
    Menu::parse("example", example, &*Clips::embedded()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(examples.next(), None, "every example is checked");
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
    assert!(listed.len() > 30, "the checks list what is possible: {problems}");
    for name in listed {
        assert!(text.contains(name), "menus/README.md does not mention {name:?}");
    }
}
