//! `tonopago run --check` and `--make-password`.

use std::fs;

use crate::harness::{Folder, Run, program, tonopago, tonopago_reading};
use crate::running_box::RunningBox;

#[test]
fn a_good_configuration_is_said_to_be_good_and_the_example_is_one() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/box.example.yaml");
    let run = tonopago(["run", "--config", example, "--check"]);
    assert!(run.code == 0 && run.out.contains("good, 1 lines, 1 menus, configuration "), "{run:?}");
}

#[test]
fn every_problem_is_told_and_nothing_is_started() {
    let folder = Folder::new();
    let file = folder.path("box.yaml");
    fs::write(&file, "version: 1\nlines: { a: { car: x } }\nservices: { demo: d, ledger: l }\nrecording: {}\n")
        .unwrap();
    for more in [&["--check"][..], &[]] {
        let run = tonopago([&["run", "--config", file.to_str().unwrap()], more].concat());
        assert_eq!(run.code, 1);
        for expected in [
            ":2:15: unknown name \"car\"",
            "did you mean \"card\"?",
            ":3:13: services are either",
            "\"folder\" is missing",
        ] {
            assert!(run.err.contains(expected), "{expected}: {run:?}");
        }
    }
    assert!(!folder.path("d").exists());
}

/// What went wrong: `check` warned of a menu, and whoever had the box check it heard that all was good.
#[test]
fn what_menus_are_warned_of_is_told_too() {
    let folder = Folder::new();
    let file = folder.path("box.yaml");
    fs::write(
        folder.path("m.yaml"),
        "version: 1\nname: m\nlanguages: [es-MX, en-US]\nstart: a\ngive_up: a\n\
         states: { a: { say: [despedida], hang_up: true } }\n",
    )
    .unwrap();
    let text = "version: 1\nlines: { a: { card: x } }\nmenus: { m: m.yaml }\nservices: { demo: d }\n";
    fs::write(&file, text).unwrap();
    let run = tonopago(["run", "--config", file.to_str().unwrap(), "--check"]);
    assert!(run.code == 0 && run.out.contains("box.yaml: good, 1 lines, 1 menus"), "{run:?}");
    assert!(run.out.contains("m.yaml:3:20: warning: no call goes on in en-US"), "{run:?}");
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_place_and_cure() {
    let folder = Folder::new();
    let (config, menu) = (folder.path("box.yaml"), folder.path("menu.yaml"));
    fs::write(&menu, b"version: 1\nname: oto\xf1o\n").unwrap();
    let place = "line 2, column 10 is not UTF-8";
    let run = tonopago(["check", menu.to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains(&format!("menu.yaml: {place}: save the file as UTF-8")), "{run:?}");
    fs::write(
        &config,
        "version: 1\nlines: { a: { simulated: true } }\nmenus: { m: menu.yaml }\nservices: { demo: d }\n",
    )
    .unwrap();
    let check = || tonopago(["run", "--config", config.to_str().unwrap(), "--check"]);
    let run = check();
    assert!(run.code == 1 && run.err.contains(&format!("box.yaml:3:13: this menu: {place}")), "{run:?}");
    fs::write(&config, b"version: 1\nname: oto\xf1o\n").unwrap();
    let run = check();
    assert!(run.code == 1 && run.err.contains(&format!("box.yaml: {place}: save the file as UTF-8")), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_password_is_kept_as_its_hash_and_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let file = folder.path("password");
    let make =
        |text: &str| tonopago_reading(["run", "--make-password", file.to_str().unwrap()], text.as_bytes().to_vec());
    let short = make("short\n");
    assert!(short.code == 1 && short.err.contains("10 to 200 characters"), "{short:?}");
    assert_eq!(make("a good long one\n").code, 0);
    let hash = fs::read_to_string(&file).unwrap();
    assert!(hash.starts_with("$argon2id$") && !hash.contains("long"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = make("another long one\n");
    assert!(again.code == 1 && fs::read_to_string(&file).unwrap() == hash, "{again:?}");
}

/// It was taken for good whatever it held, and nobody could sign in.
#[test]
fn a_password_hash_in_a_variable_is_looked_at() {
    let folder = Folder::new();
    let file = folder.path("box.yaml");
    fs::write(&file, "version: 1\nlines: { a: { simulated: true } }\nservices: { demo: d }\nstatus: {}\n").unwrap();
    let check = |hash: &str| {
        let mut command = assert_cmd::Command::new(program());
        command.args(["run", "--check", "--config"]).arg(&file).env("TONOPAGO_STATUS_PASSWORD_HASH", hash);
        Run::of(command.output().unwrap())
    };
    for (hash, problem) in [("hunter2-hunter2", "holds no password hash"), ("", "a secret is one line of text")] {
        let run = check(hash);
        assert!(run.err.contains("--make-password") && !run.err.contains("hunter2"), "{run:?}");
        assert!(run.code == 1 && run.err.contains("box.yaml:4:1: TONOPAGO_STATUS_PASSWORD_HASH"), "{run:?}");
        assert!(run.err.contains(problem), "{run:?}");
    }
    let hash = tonopago::station::hash_password("a good long one").unwrap();
    assert_eq!(check(&hash).code, 0);
}

/// A path typed wrong made a new ledger without a word, to which every key was open.
#[test]
fn a_new_ledger_is_told_of_once() {
    let folder = Folder::new();
    for (name, text) in [("password", "pass-word-123-456"), ("key", "sk_e568c42a6c384b7ab02cd47d2e407cab")] {
        fs::write(folder.path(name), text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(folder.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let config = "version: 1
lines: { pbx: { audio_socket: { listen: \"127.0.0.1:0\", calls: 1 } } }
services:
  ledger: ledger.sqlite
  authorizer: { url: \"http://127.0.0.1:1/x\", password_file: password }
  openpay: { url: \"http://127.0.0.1:1\", merchant: mabc, key_file: key, payer: { name: C, email: c@example.com } }
status: { listen: \"127.0.0.1:0\" }
";
    let told = |log: &str| {
        let path = folder.path(log);
        let running = RunningBox::logging_to(&folder, config, fs::File::create(&path).unwrap());
        assert_eq!(running.stop(), Some(0));
        fs::read_to_string(path).unwrap().contains("there was no ledger, and a new one was made")
    };
    assert_eq!((told("first"), told("second")), (true, false));
}
