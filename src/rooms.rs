//! Whether the map of the rooms in the guide (`lib.rs`) is true: each room is on it, and uses only rooms that stand before it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the map.
fn on_the_map(guide: &str) -> Vec<String> {
    let rows = guide.lines().filter_map(|line| line.strip_prefix("//! | ")?.split(" | ").next());
    let names = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    names.map(|name| name.trim_start_matches("mod@").to_owned()).collect()
}

/// The rooms there are; this test is none.
fn declared(guide: &str) -> BTreeSet<String> {
    let modules =
        guide.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|name| *name != "rooms").map(str::to_owned).collect()
}

/// The files of a room but those of its tests.
fn files_of(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        return vec![place.with_extension("rs")];
    }
    let below = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let kept = below.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
    kept.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// A file's code, without comments and what is behind the beginning of its tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let begin_tests = |pair: &[&str]| {
        pair[0].starts_with("#[cfg(")
            && pair[0].contains("test")
            && pair[1].starts_with("mod ")
            && pair[1].ends_with('{')
    };
    let end = lines.windows(2).position(begin_tests).unwrap_or(lines.len());
    let code = lines[..end].iter().filter(|line| !line.trim_start().starts_with("//"));
    code.copied().collect::<Vec<_>>().join(" ")
}

/// What follows `crate::` in some code: one name, or all names of a list in braces.
fn used_in(code: &str) -> BTreeSet<String> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let names = code.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split(';').next().unwrap_or_default().split(|letter| !is_name(letter)).collect(),
        None => rest.split(|letter| !is_name(letter)).take(1).collect::<Vec<_>>(),
    });
    names.map(str::to_owned).collect()
}

#[test]
fn rooms_use_only_what_stands_before_them_on_the_map() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let guide = fs::read_to_string(folder.join("lib.rs")).unwrap();
    let map = on_the_map(&guide);
    assert_eq!(map.iter().cloned().collect::<BTreeSet<_>>(), declared(&guide), "the map names each room");
    let mut wrong = Vec::new();
    let mut uses = 0;
    for (place, room) in map.iter().enumerate() {
        for file in files_of(&folder.join(room)) {
            for used in used_in(&code_of(&file)) {
                uses += 1;
                let stands = map.iter().position(|other| *other == used);
                if stands.is_some_and(|other| other > place) {
                    wrong.push(format!("{} uses {used}, which stands behind {room}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(uses > 300, "the code was read: {uses} uses");
}

#[test]
fn uses_are_found_in_lists_and_alone() {
    let code = "use crate::{audio, line::{call, hook}, menu}; let x = crate::money::Money::mxn(1);";
    assert!(["audio", "line", "menu", "money"].iter().all(|room| used_in(code).contains(*room)));
    assert!(!used_in(code).contains("Money"));
}
