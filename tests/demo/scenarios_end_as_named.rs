//! Every scenario ends as its description says, at the gateway and in the menu.

use std::process::Command;

use tonopago::demo::{SCENARIOS, search_for_card_data};

#[test]
fn all_scenarios_end_as_named_and_leave_no_card_data_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tonopago"))
        .args(["--log", "trace", "demo", "--scenario", "all", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success());
    assert!(said.contains(" INFO tonopago::payment"), "the most verbose log is on");
    assert!(!said.contains("sk_") && !said.to_lowercase().contains("basic "), "the gateway's key is in no log");
    for scenario in &SCENARIOS {
        std::fs::write(folder.path().join("said.txt"), &said).unwrap();
        let (searched, leaks) = search_for_card_data(folder.path(), scenario.cards).unwrap();
        assert!(searched > SCENARIOS.len(), "the demo writes files");
        assert_eq!(leaks, [], "{}", scenario.name);
    }
}

#[test]
fn an_unknown_scenario_is_a_usage_error_that_names_the_known_ones() {
    let output = Command::new(env!("CARGO_BIN_EXE_tonopago")).args(["demo", "--scenario", "free"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("\"free\"") && told.contains("late-answer"), "{told}");
}
