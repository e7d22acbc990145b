use std::path::Path;

use super::*;

mod lines;

/// Reads a text as the configuration at the root of the repository.
fn parse(text: &str) -> Result<Config, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("box.yaml");
    Config::parse(&file, text).map_err(|error| error.to_string().replace(&file.display().to_string(), "box.yaml"))
}

const GOOD: &str = "version: 1
lines:
  a: { card: default }
services: { demo: target/demo }
";

/// Services that charge, with the secrets in [`secrets`].
const LIVE: &str = "version: 1
lines: { a: { card: default } }
services:
  ledger: l.sqlite
  authorizer: { url: https://a.example/x, password_file: password }
  openpay: { url: sandbox, merchant: mabc, key_file: key, payer: { name: C, email: c@example.com } }
";

fn secrets() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_secret(&folder, "password", "s3cret-word", 0o600);
    write_secret(&folder, "key", "sk_e568c42a6c384b7ab02cd47d2e407cab", 0o600);
    folder
}

fn write_secret(folder: &tempfile::TempDir, name: &str, text: &str, mode: u32) {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn the_smallest_configuration_is_good_and_so_is_the_example() {
    let config = parse(GOOD).unwrap();
    assert_eq!((config.lines.len(), config.menus[0].name.as_str(), config.lines[0].rings), (1, "pago", 2));
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("box.example.yaml")).unwrap();
    let config = parse(&example).unwrap();
    assert!(config.status.is_some() && config.recording.is_none());
    assert_eq!(config.stop_within, Duration::from_secs(180));
}

/// `--check` called all of it good, and `run` ended at once.
#[test]
fn what_a_box_could_not_write_is_a_problem_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    write_secret(&folder, "authorizer.password", "pass-word-123", 0o600);
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    let text = "version: 1
lines: { a: { card: x } }
services: { ledger: no/l.sqlite, openpay: {}, authorizer: {} }
recording: { folder: a-file/calls }
answers: none/a.csv
";
    let told = |text: &str| Config::parse(&folder.path().join("box.yaml"), text).err().unwrap().to_string();
    let all = told(text);
    for place in ["box.yaml:3:", "box.yaml:4:", "box.yaml:5:"] {
        assert!(all.contains(place), "{place} is not in {all}");
    }
    let no_folder = |name: &str| format!("{}: there is no such folder", folder.path().join(name).display());
    assert!(all.contains(&no_folder("no")) && all.contains(&no_folder("none")), "{all}");
    assert!(all.contains("a-file: something else is there"), "{all}");
    let named = told("version: 1\nlines: { a: { card: x } }\nservices: { demo: d }\nanswers: answers.txt\n");
    assert!(named.contains("box.yaml:4:10:") && named.contains("let it end in .csv or in .jsonl"), "{named}");
}

#[test]
fn a_menu_that_saves_answers_needs_a_place_for_them() {
    let survey = GOOD.replace("default }", "default, menu: encuesta }") + "menus: { encuesta: menus/encuesta.yaml }\n";
    let problem = parse(&survey).err().unwrap();
    assert!(problem.starts_with("box.yaml:5:") && problem.contains("write answers: answers.csv"), "{problem}");
    let config = parse(&(survey + "answers: target/answers.csv\n")).unwrap();
    assert!(config.answers.unwrap().ends_with("target/answers.csv"));
}

#[cfg(unix)]
#[test]
fn menus_that_save_other_answers_need_more_than_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let menus = Path::new(env!("CARGO_MANIFEST_DIR")).join("menus");
    let survey = std::fs::read_to_string(menus.join("encuesta.yaml")).unwrap();
    for clips in ["same", "other"] {
        std::os::unix::fs::symlink(menus.join("encuesta"), folder.path().join(clips)).unwrap();
    }
    std::fs::write(folder.path().join("same.yaml"), &survey).unwrap();
    let shorter = survey.replace("save: [servicio, mejorar, recomienda, telefono]", "save: [servicio, mejorar]");
    std::fs::write(folder.path().join("other.yaml"), shorter).unwrap();
    let config = |other: &str, answers: &str| {
        let text = format!(
            "version: 1
lines: {{ a: {{ card: default, menu: first }}, b: {{ card: other, menu: second }} }}
services: {{ demo: demo }}
menus: {{ first: same.yaml, second: {other}.yaml }}
answers: {answers}
"
        );
        Config::parse(&folder.path().join("box.yaml"), &text).map_err(|error| error.to_string())
    };
    let problem = config("other", "a.csv").err().unwrap();
    assert!(problem.contains("box.yaml:5:10:") && problem.contains("ends in .jsonl"), "{problem}");
    assert!(config("same", "a.csv").is_ok() && config("other", "a.jsonl").is_ok());
}

#[test]
fn what_the_package_installs_is_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = std::fs::read_to_string(root.join("packaging/box.yaml")).unwrap();
    let here = installed.replace("/usr/share/tonopago/menus", &root.join("menus").display().to_string());
    assert_ne!(here, installed);
    let config = parse(&here).unwrap();
    assert!(config.services.is_demo() && config.recording.is_some());
    assert!(matches!(config.lines[0].source, Source::Simulated { .. }));
}

/// `simulated` and `every`, the one line that works without hardware, were not in it.
#[test]
fn the_example_has_every_setting_of_a_box_and_its_lines() {
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("box.example.yaml")).unwrap();
    let settings: Vec<&str> = example.lines().map(|line| line.trim_start_matches([' ', '#'])).collect();
    for name in document::NAMES.iter().chain(&super::lines::NAMES) {
        let has_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        assert!(settings.iter().any(has_it), "{name}");
    }
}

/// The example's alternatives in comments are good, too, each put in its place.
#[test]
fn what_the_example_has_in_comments_is_read() {
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("box.example.yaml")).unwrap();
    let hooks: Vec<&str> = example.lines().filter_map(|line| line.trim().strip_prefix("# hook: ")).collect();
    assert_eq!(hooks.len(), 4);
    for hook in hooks {
        let hook = &hook[..=hook.rfind('}').unwrap()];
        let text = GOOD.replace("default }", &format!("default, hook: {hook} }}"));
        assert!(parse(&text).unwrap().lines[0].hook.has_signals(), "{hook}");
    }
    let sockets: Vec<&str> = example.lines().filter_map(|line| line.trim().strip_prefix("# audio_socket: ")).collect();
    assert_eq!(sockets.len(), 2);
    assert!(example.contains("# hand_over: dialplan "));
    for socket in sockets {
        let socket = &socket[..=socket.rfind('}').unwrap()];
        let line = format!("audio_socket: {socket}, hand_over: dialplan");
        let text = GOOD.replace("card: default", &line) + "status: { listen: 127.0.0.1:8780 }\n";
        assert_eq!(parse(&text).unwrap().lines.len(), 8, "{socket}");
    }
    for setting in [
        "output: x",
        "channel: 0",
        "rate: 48000",
        "period_ms: 20",
        "gain_in_db: 0",
        "gain_out_db: 0",
        "sound_dbm0: -38",
        "detector: default",
        "rings: 2",
        "tones: etsi",
        "hook: { serial: /dev/ttyS0 }, hand_over: flash",
        "hook: { serial: /dev/ttyS0 }, hand_over: { flash: 100ms, dial_after: 2s, hang_up_after: 500ms, plus: \"00\" }",
    ] {
        assert!(parse(&GOOD.replace("default }", &format!("default, {setting} }}"))).is_ok(), "{setting}");
        let name = setting.split(':').next().unwrap();
        assert!(example.contains(&format!("{name}:")), "{name} is not in the example");
    }
}

#[test]
fn all_problems_come_at_once_with_line_column_and_cure() {
    let text = "version: 2
lines:
  a: { card: default, hok: none, menu: pagoo, tones: fr }
  b: { simulated: true, hook: { serial: /dev/ttyS0, ring: rts } }
  c d: { gain_in_db: 99, hand_over: flash }
  e: { card: default, menu: pago, hook: { serial: /dev/ttyS0 }, hand_over: { flash: 5s, plus: a } }
menus:
  pago: menus/pago.yaml
  otro: menus/none.yaml
services: { ledger: l.sqlite, openpay: { url: http://api.openpay.mx, merchant: m }, authorizer: { url: x } }
status: { listen: 0.0.0.0:80 }
timing: { stop_within: 5 }
";
    let told = parse(text).err().unwrap();
    for expected in [
        "box.yaml:1:10: this version of the configuration is not known",
        "box.yaml:3:23: unknown name \"hok\" (at lines.a.hok)\n    did you mean \"hook\"?",
        "box.yaml:3:40: no menu is named \"pagoo\" (at lines.a.menu)\n    did you mean \"pago\"?",
        "box.yaml:3:54: no tones are known for \"fr\" (at lines.a.tones)",
        "box.yaml:4:8: simulated callers pay with test cards",
        "box.yaml:4:59: \"rts\" is not known here (at lines.b.hook.ring)",
        "box.yaml:4:3: the line has no menu",
        "box.yaml:5:3: a line's name goes into files and metrics",
        "box.yaml:5:22: expected a number from -40 to 40, found \"99\"",
        "box.yaml:5:26: a line without a hook cannot flash",
        "expected a duration from 10ms to 2s, found \"5s\" (at lines.e.hand_over.flash)",
        "\"a\" cannot be dialled",
        "box.yaml:9:9: this menu: cannot be read",
        "is not encrypted: use https",
        "no authorizer password: set TONOPAGO_AUTHORIZER_PASSWORD",
        "box.yaml:11:1: others than this machine could look at the status page without a password",
        "expected a duration from 0s to 60min, found \"5\" (at timing.stop_within)",
        "\"payer\" is missing (at services.openpay)",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn a_payer_the_gateway_would_refuse_is_a_problem() {
    for (payer, expected) in [
        ("name: C, email: none", "expected an e-mail address, found \"none\""),
        ("name: C, email: a@b", "expected an e-mail address"),
        (&format!("name: {}, email: c@example.com", "ñ".repeat(101)), "expected a name of at most 100 characters"),
    ] {
        let openpay = format!("openpay: {{ url: sandbox, merchant: mabc, payer: {{ {payer} }} }}");
        let told = parse(&GOOD.replace("demo: target/demo", &openpay)).err().unwrap();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_name_that_a_terminal_would_obey_is_told_without_being_obeyed() {
    let authorizer = r#"authorizer: { url: "https://a.example", password_file: "s\e[2J\t" }"#;
    let told = parse(&GOOD.replace("demo: target/demo", authorizer)).err().unwrap();
    assert!(told.contains(r"s\u{1b}[2J\t: cannot be read"), "{told}");
    assert!(!told.contains(['\u{1b}', '\t']), "{told}");
}

#[test]
fn problems_of_a_menu_are_told_with_the_menus_own_places() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.yaml"), "version: 1\nname: x\n").unwrap();
    let text = format!("{GOOD}menus: {{ m: m.yaml }}\n");
    let told = Config::parse(&folder.path().join("box.yaml"), &text).err().unwrap().to_string();
    assert!(told.contains("m.yaml:") && told.contains("\"states\" is missing"), "{told}");
}

#[test]
fn what_is_no_configuration_is_said_to_be_none() {
    for (text, expected) in [
        ("", "the file is empty"),
        ("a: [", "box.yaml:"),
        ("[]", "expected names with their values"),
        ("lines:\n\ta: 1", "indented with a tab"),
        ("version: 1\nlines: {}\nservices: {demo: d}", "no line"),
        ("version: 1\nlines: { a: {} }\nservices: 3", "the line has no card"),
    ] {
        let told = parse(text).err().unwrap();
        assert!(told.contains(expected), "{text:?}: {told}");
    }
    let missing = Config::read(Path::new("no-such-box.yaml")).err().unwrap().to_string();
    assert!(missing.contains("no-such-box.yaml") && missing.contains("box.example.yaml"), "{missing}");
}

#[test]
fn the_hash_follows_the_texts() {
    let hash = |text: &str| parse(text).unwrap().hash;
    assert_eq!(hash(GOOD), hash(GOOD));
    assert_ne!(hash(GOOD), hash(&format!("{GOOD}name: other\n")));
}

#[test]
fn secrets_are_files_of_their_own() {
    let folder = secrets();
    let file = folder.path().join("box.yaml");
    let config = Config::parse(&file, LIVE).map_err(|error| error.to_string()).unwrap();
    assert!(!config.services.is_demo());
    write_secret(&folder, "key", "sk_e568c42a6c384b7ab02cd47d2e407cab", 0o644);
    write_secret(&folder, "password", "s3cret-word", 0o640);
    let told = Config::parse(&file, LIVE).err().unwrap().to_string();
    #[cfg(unix)]
    assert_eq!(told.matches("run chmod 600 on it").count(), 2, "{told}");
    assert!(!told.contains("s3cret") && !told.contains("sk_e568"), "{told}");
}

/// Which order of an account was paid the merchant never heard, so that it was asked for again, and all was said to be good.
#[test]
fn accounts_that_are_paid_and_never_told_of_are_warned_of() {
    let folder = secrets();
    write_secret(&folder, "report", "0123456789abcdef", 0o600);
    let menus = Path::new(env!("CARGO_MANIFEST_DIR")).join("menus");
    let warned = |menu: &str, services: &str| {
        let text = services.replace("services:", &format!("menus: {{ m: {} }}\nservices:", menus.join(menu).display()));
        let config = Config::parse(&folder.path().join("box.yaml"), &text).map_err(|error| error.to_string()).unwrap();
        config.warnings.into_iter().map(|warning| warning.text("box.yaml", " warning:")).collect::<String>()
    };
    let told = warned("colegio.yaml", LIVE);
    assert!(
        told.starts_with("box.yaml:4:1: warning: menu \"m\" charges accounts, or without a key, and the"),
        "{told}"
    );
    let notify = "  notify: { url: https://a.example/r, secret_file: report }\n";
    assert_eq!(warned("colegio.yaml", &format!("{LIVE}{notify}")), "");
    assert_eq!(warned("pago.yaml", LIVE), "", "of a payment key the merchant knows the order");
    let demo =
        "version: 1\nlines: { a: { card: default } }\nservices: { demo: d }\n".replace("services: {", "services:\n  {");
    assert_eq!(warned("colegio.yaml", &demo), "");
}

#[test]
fn the_most_a_call_may_charge_is_configured() {
    let folder = secrets();
    let limit = |setting: &str| {
        let text = LIVE.replace("password_file: password", &format!("password_file: password{setting}"));
        let config = Config::parse(&folder.path().join("box.yaml"), &text).map_err(|error| error.to_string())?;
        let Services::Live(live) = config.services else { panic!("a demonstration") };
        Ok::<_, String>(live.authorizer.max_amount.to_string())
    };
    assert_eq!(limit("").unwrap(), "10000.00 MXN");
    assert_eq!(limit(", max_amount: 25000.50").unwrap(), "25000.50 MXN");
    assert_eq!(limit(", max_amount: \"500\"").unwrap(), "500.00 MXN");
    assert_eq!(limit(", max_amount: 999999999.99").unwrap(), "999999999.99 MXN");
    for (bad, expected) in [
        ("0", "nothing could be charged"),
        ("-1", "is negative"),
        ("\"10,000\"", "is not an amount"),
        ("1.005", "more than two decimals"),
        ("1000000000", "is larger than"),
        ("[1]", "expected a text"),
    ] {
        let told = limit(&format!(", max_amount: {bad}")).unwrap_err();
        let place = "(at services.authorizer.max_amount)";
        assert!(told.contains(expected) && told.contains(place), "{bad}: {told}");
    }
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("box.example.yaml")).unwrap();
    assert!(example.contains("# max_amount: 10000.00"), "the example tells of it, with the default");
}

/// `payments notify` took it and the box did not: a merchant's service with a certificate of its own making could not be asked.
#[test]
fn a_merchants_own_authority_is_configured() {
    let folder = secrets();
    write_secret(&folder, "report", "0123456789abcdef", 0o600);
    let authority = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    write_secret(&folder, "ca.pem", &authority.cert.pem(), 0o644);
    let live = |authorizer: &str, notify: &str| {
        let notify = format!("  notify: {{ url: https://a.example/r, secret_file: report{notify} }}\n");
        let text = LIVE.replace("password_file: password", &format!("password_file: password{authorizer}")) + &notify;
        let config = Config::parse(&folder.path().join("box.yaml"), &text).map_err(|error| error.to_string())?;
        let Services::Live(live) = config.services else { panic!("a demonstration") };
        Ok::<_, String>((live.authorizer.authorities.is_some(), live.notify.is_some_and(|it| it.authorities.is_some())))
    };
    assert_eq!(live("", ""), Ok((false, false)));
    assert_eq!(live(", ca_file: ca.pem", ""), Ok((true, false)));
    let of_openpay = |file: &str| {
        let text = LIVE.replace("key_file: key", &format!("key_file: key, ca_file: {file}"));
        let config = Config::parse(&folder.path().join("box.yaml"), &text).map_err(|error| error.to_string())?;
        let Services::Live(live) = config.services else { panic!("a demonstration") };
        Ok::<_, String>(live.openpay.authorities.is_some())
    };
    assert_eq!(of_openpay("ca.pem"), Ok(true));
    assert!(of_openpay("key").unwrap_err().contains("(at services.openpay.ca_file)"));
    assert_eq!(live("", ", ca_file: ca.pem"), Ok((false, true)));
    let told = live(", ca_file: key", ", ca_file: nowhere").unwrap_err();
    assert!(
        told.contains("there is no certificate in it") && told.contains("(at services.authorizer.ca_file)"),
        "{told}"
    );
    assert!(told.contains("(at services.notify.ca_file)"), "{told}");
}

/// With a hash that is none nobody could sign in, wherever the page listened.
#[test]
fn a_password_hash_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let hash = crate::station::hash_password("correct horse").unwrap();
    for (text, is_good) in
        [(hash.as_str(), true), ("$argon2id$v=19$garbage", false), ("$argon2id", false), ("x", false)]
    {
        write_secret(&folder, "password", text, 0o600);
        let text = format!("{GOOD}status: {{ password_file: password }}\n");
        let read = Config::parse(&folder.path().join("box.yaml"), &text);
        assert_eq!(read.is_ok(), is_good, "{:?}", read.err().map(|error| error.to_string()));
    }
}

#[test]
fn names_of_no_file_and_of_the_wrong_one_are_told_where_they_stand() {
    let folder = secrets();
    let told = |text: &str| Config::parse(&folder.path().join("box.yaml"), text).err().unwrap().to_string();
    let empty = told(&format!("{GOOD}recording: {{ folder: '' }}\n"));
    assert!(empty.contains("box.yaml:5:22: expected a path"), "{empty}");
    let demo = told(&GOOD.replace("target/demo", "password"));
    assert!(demo.contains("box.yaml:4:19:") && demo.contains("password: something else is there"), "{demo}");
    let key = told(&LIVE.replace("key_file: key", "key_file: password"));
    assert!(key.contains("(at services.openpay.key_file)"), "{key}");
    let profile = told(&LIVE.replace("password }", "password, profile: key }"));
    assert!(profile.contains("key: expected value at line 1 column 1"), "{profile}");
}
