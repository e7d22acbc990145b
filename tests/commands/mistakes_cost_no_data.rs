//! Found by using the program as a stranger would: what a user's slip must not cost.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Folder, program, tonopago};

fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

/// `call X --record X` replaced the caller's recording.
#[test]
fn a_recording_is_not_written_over_the_caller_it_is_made_from() {
    let folder = Folder::new();
    let caller = folder.path("caller.wav");
    fs::copy(repository("samples/hang-up.wav"), &caller).unwrap();
    let before = fs::read(&caller).unwrap();
    let caller_name = caller.to_str().unwrap();
    let run = tonopago(["call", caller_name, "--record", caller_name]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("overwrite"), "{}", run.err);
    assert_eq!(fs::read(&caller).unwrap(), before);
}

/// A caller cut off by a damaged file looked like one who had hung up.
#[test]
fn a_call_over_a_truncated_recording_says_so() {
    let folder = Folder::new();
    let cut = folder.path("cut.wav");
    let whole = fs::read(repository("samples/hang-up.wav")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let run = tonopago(["call", cut.to_str().unwrap()]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("cut short"), "{}", run.err);
}

/// A text editor's byte order mark was reported as a second menu.
#[test]
fn a_menu_that_begins_with_a_byte_order_mark_is_read() {
    let folder = Folder::new();
    let menu = folder.path("bom.yaml");
    let text = fs::read_to_string(repository("menus/pago.yaml")).unwrap();
    fs::write(&menu, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    let run = tonopago(["check", menu.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.out);
}

/// Commands panicked where their output could not be written.
#[test]
fn a_full_disk_under_the_output_is_an_error_not_a_panic() {
    let menu = repository("menus/pago.yaml");
    for arguments in [&["check", &menu][..], &["demo", "--list"], &["conformance", "--quick"], &["prompts", "list"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = Command::new(program()).args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("cannot write the output"), "{arguments:?}: {told}");
    }
}

/// And where what they had to say could not be, in the middle of their work.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_what_a_command_says_costs_no_result() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let sample = repository("samples/paid.wav");
    let run = Command::new(program()).args(["decode", "nowhere.wav", &sample]).stderr(full).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.code() == Some(1) && told.contains("paid.wav: "), "{:?}: {told}", run.status);
}

/// A line break in an order id made false rows in listings.
#[test]
fn an_order_id_with_control_characters_is_refused() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite");
    let run = tonopago([
        "keys",
        "issue",
        "--ledger",
        ledger.to_str().unwrap(),
        "--amount",
        "10",
        "--order",
        "a\nb",
        "--description",
        "x",
    ]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("control characters"), "{}", run.err);
}

/// `payments export --out ledger.sqlite` left a table in the ledger's place, and exit code 0.
#[test]
fn no_command_writes_over_a_ledger() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite");
    let name = ledger.to_str().unwrap();
    let issued = tonopago(["keys", "issue", "--ledger", name, "--order", "ord-1", "--amount", "20"]);
    assert_eq!(issued.code, 0, "{issued:?}");
    let known = || tonopago(["keys", "list", "--reveal", "--ledger", name]).out;
    let before = known();
    assert!(before.contains("ord-1"), "{before}");
    let (caller, survey) = (repository("samples/hang-up.wav"), repository("menus/encuesta.yaml"));
    for arguments in [
        &["payments", "export", "--ledger", name, "--out", name][..],
        &["generate", "123", "-o", name],
        &["call", &caller, "--record", name],
        &["call", &caller, "--menu", &survey, "--answers", name],
        &["graph", "--menu", &survey, "-o", name],
        &["prompts", "render", "bienvenida", "-o", name],
    ] {
        let run = tonopago(arguments);
        assert!(run.code != 0 && run.err.contains("name another file"), "{arguments:?}: {run:?}");
        assert_eq!(known(), before, "{arguments:?}");
    }
}

/// 12.500 was issued as 12.50, where twelve thousand five hundred was meant.
#[test]
fn an_amount_that_may_be_meant_two_ways_is_asked_for_again() {
    let folder = Folder::new();
    let (ledger, file) = (folder.path("ledger.sqlite"), folder.path("orders.csv"));
    let name = ledger.to_str().unwrap();
    let run = tonopago(["keys", "issue", "--ledger", name, "--order", "ord-1", "--amount", "12.500"]);
    assert!(run.code == 2 && run.err.contains("12500 or 12.50"), "{run:?}");
    fs::write(&file, "order,amount\na,20\nb,1.200\n").unwrap();
    let run = tonopago(["keys", "import", "--ledger", name, file.to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains(":3:2: \"1.200\" has three decimals"), "{run:?}");
}

/// A log of a level that does not exist was silent.
#[test]
fn a_level_of_logging_that_is_none_is_refused() {
    for level in ["bogus", "warn,,", "loud,warn"] {
        let run = tonopago(["--log", level, "demo", "--list"]);
        assert!(run.code == 2 && run.err.contains("--log"), "{level}: {run:?}");
    }
    for level in ["off", "INFO", "warn,tonopago::payment=debug"] {
        assert_eq!(tonopago(["--log", level, "demo", "--list"]).code, 0, "{level}");
    }
}

/// What was wrong with `payments refund` was told with the usage of `tonopago`.
#[test]
fn a_mistake_is_told_with_the_usage_of_its_command() {
    let run = tonopago(["payments", "export", "--ledger", "l", "--from", "2026-12-01", "--to", "2026-11-01"]);
    assert!(run.code == 2 && run.err.contains("Usage: tonopago payments export"), "{run:?}");
}

/// Five commands told the system's error only, and a backup `File exists (os error 17)`.
#[test]
fn what_cannot_be_written_says_what_to_do() {
    let folder = Folder::new();
    let [ledger, there] = ["ledger.sqlite", "there"].map(|name| folder.path(name).display().to_string());
    let nowhere = folder.path("no/where").display().to_string();
    let issued = tonopago(["keys", "issue", "--ledger", &ledger, "--order", "a", "--amount", "1"]);
    assert_eq!(issued.code, 0, "{}", issued.err);
    fs::write(&there, "mine").unwrap();
    let hang_up = repository("samples/hang-up.wav");
    for (arguments, place, cure) in [
        (&["payments", "backup", "--ledger", &ledger, "--out", &there][..], &there, "name another file"),
        (&["payments", "backup", "--ledger", &ledger, "--out", &nowhere], &nowhere, "check the path"),
        (&["payments", "export", "--ledger", &ledger, "--out", &nowhere], &nowhere, "check the path"),
        (&["demo", "--out", &there], &there, "check the path"),
        (&["call", &hang_up, "--record", &nowhere], &nowhere, "check the path"),
        (&["graph", "--output", &nowhere], &nowhere, "check the path"),
        (&["prompts", "render", "despedida", "--output", &nowhere], &nowhere, "check the path"),
    ] {
        let run = tonopago(arguments);
        assert!(run.code == 1 && run.err.contains(place) && run.err.contains(cure), "{arguments:?}: {run:?}");
    }
    assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
}
