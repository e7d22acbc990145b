//! What the author of a menu does: tries it, scripts callers, draws it, has it spoken, keeps its answers.

use std::fs;

use crate::harness::{Folder, Run, tonopago, tonopago_reading};

fn simulate(args: &[&str], keys: &str) -> Run {
    tonopago_reading([&["simulate"], args].concat(), keys.as_bytes().to_vec())
}

#[test]
fn a_call_from_a_pipe_is_told_with_its_fields_masked() {
    let keys = "1\n257139#\n1\n4111111111111111#\n0830\n737\n#\n";
    for audio in [&[][..], &["--audio"]] {
        let run = simulate(audio, keys);
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
        for told in
            ["state cobrar", "answer approved, reference 100001", "card_number = •••• 1111", "payment_key = ••••••"]
        {
            assert!(run.out.contains(told), "{told}: {}", run.out);
        }
        assert!(!run.out.contains("257139") && !run.out.contains("4111") && !run.out.contains("737"), "{}", run.out);
    }
}

#[test]
fn a_mistake_on_the_pipe_is_named_with_what_can_be_written() {
    let run = simulate(&[], "1\npress two\n");
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("line 2 of standard input: \"press two\" is nothing a caller does: write keys"),
        "{run:?}"
    );
    let run = simulate(&["--authorizer", "perhaps"], "");
    assert!(run.code == 2 && run.err.contains("give an amount such as 200.00, or one of unknown"), "{run:?}");
}

#[test]
fn a_script_is_written_compared_and_its_differences_are_shown() {
    let folder = Folder::new();
    let script = folder.path("paid.txt");
    let play = |more: &[&str]| tonopago([&["simulate", "--script", script.to_str().unwrap()], more].concat());
    fs::write(&script, "# pays\n> 1\n> 257139#\n> 1\n> 4111111111111111#\n> 0830\n> 737\n").unwrap();
    assert_eq!(play(&[]).code, 1, "there is no transcript yet");
    let run = play(&["--bless"]);
    assert_eq!((run.code, run.out), (0, format!("{}: written\n", script.display())));
    let run = play(&[]);
    assert_eq!((run.code, run.out), (0, format!("{}: as expected\n", script.display())));
    let run = play(&["--gateway", "declined"]);
    assert_eq!(run.code, 1);
    for line in ["\n  -   answer approved, reference 100001\n", "\n  +   answer declined\n"] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(run.err.contains("--bless"), "{}", run.err);
    let run = tonopago(["simulate", "--script", folder.path("").to_str().unwrap()]);
    assert_eq!(run.code, 0, "a folder means its scripts");
}

#[test]
fn a_call_begins_when_its_author_says() {
    let menu = concat!(env!("CARGO_MANIFEST_DIR"), "/menus/centralita.yaml");
    let caller = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/wrong-key.wav");
    let simulated = |at: &[&str]| simulate(&[&["--menu", menu], at].concat(), "1\n").out;
    let noon = simulated(&[]);
    assert!(
        noon.contains("hours tienda: open on Wednesday 2026-11-04 12:00 America/Mexico_City (lunes a sábado)"),
        "{noon}"
    );
    let eve = "tienda: holiday on Thursday 2026-12-24 18:30 America/Mexico_City (24 de diciembre)";
    for at in ["2026-12-24T18:30", "2026-12-25T00:30Z", "2026-12-24T16:30-08:00"] {
        let told = simulated(&["--at", at]);
        assert!(told.contains(&format!("hours {eve}")), "{at}: {told}");
    }
    let called = tonopago(["call", caller, "--menu", menu, "--at", "2026-12-24T18:30"]);
    assert!(called.out.contains(&format!("hours    {eve}")), "{called:?}");
    let lines = simulated(&["--at", "2026-11-08T10:00", "--format", "jsonl"]);
    let hours = lines.lines().find(|line| line.contains("\"event\":\"hours\"")).unwrap_or_else(|| panic!("{lines}"));
    let hours: serde_json::Value = serde_json::from_str(hours).unwrap();
    assert_eq!(
        (&hours["name"], &hours["is"], &hours["line"]),
        (&"tienda".into(), &"closed".into(), &serde_json::Value::Null)
    );
    assert_eq!(hours["began"], "2026-11-08T10:00:00-06:00[America/Mexico_City]");
    let wrong = simulate(&["--at", "18:30"], "");
    assert!(wrong.code == 2 && wrong.err.contains("write 2026-12-24T18:30 (by the menu's clock)"), "{wrong:?}");
    let late = simulate(&["--menu", menu], "at: 2026-12-24T18:30\n");
    assert!(late.code == 1 && late.err.contains("the call has begun: give its time with --at"), "{late:?}");
}

/// A script's own time goes before the command's.
#[test]
fn a_script_may_say_when_its_call_begins() {
    let folder = Folder::new();
    let script = folder.path("night.txt");
    let menu = concat!(env!("CARGO_MANIFEST_DIR"), "/menus/centralita.yaml");
    fs::write(&script, "# At night.\n> at: 2026-11-04T23:00\n> 1\n").unwrap();
    let play = |more: &[&str]| {
        tonopago([&["simulate", "--menu", menu, "--script", script.to_str().unwrap()], more].concat()).code
    };
    assert_eq!(play(&["--bless"]), 0);
    let transcript = fs::read_to_string(&script).unwrap();
    assert!(transcript.starts_with("# At night.\n> at: 2026-11-04T23:00\nstate saludo\n"), "{transcript}");
    assert!(transcript.contains("hours tienda: closed on Wednesday 2026-11-04 23:00"), "{transcript}");
    assert_eq!(play(&["--at", "2026-11-04T10:00"]), 0);
}

/// What went wrong: a script whose lines had no mark was lost, as its transcript was written over it; and lines with blanks or
/// a byte order mark before their mark were not played.
#[test]
fn a_script_without_marks_is_told_of_and_kept() {
    let folder = Folder::new();
    let script = folder.path("keys.txt");
    let play = || tonopago(["simulate", "--bless", "--script", script.to_str().unwrap()]);
    for (written, place) in [("1\n257139#\n", "line 1: \"1\""), ("> 1\nwait 9s\n", "line 2: \"wait 9s\"")] {
        fs::write(&script, written).unwrap();
        let run = play();
        assert_eq!((run.code, &*run.err), (1, ""), "it is no difference that could be blessed");
        assert!(run.out.contains(&format!("{place} is what a caller does: write `> ")), "{run:?}");
        assert_eq!(fs::read_to_string(&script).unwrap(), written);
    }
    fs::write(&script, "\u{feff}> 1\n  > hang up\n").unwrap();
    assert_eq!(play().code, 0);
    let transcript = fs::read_to_string(&script).unwrap();
    assert!(transcript.contains("\n> 1\n") && transcript.contains("\n> hang up\n"), "{transcript}");
    assert!(transcript.starts_with("state bienvenida\n"), "{transcript}");
}

/// What went wrong: a text of several lines was written into transcripts as it is, and its lines were read as others.
#[test]
fn a_text_of_several_lines_is_one_of_a_transcript() {
    let folder = Folder::new();
    let (menu, script) = (folder.path("lines.yaml"), folder.path("lines.txt"));
    let text = "version: 1\nname: l\nlanguages: [es-MX]\nstart: a\ngive_up: a\nprompts:\n  l_a: |\n    Uno.\n    1\n    > 2\n\
                states: { a: { say: [l_a], hang_up: true } }\n";
    fs::write(&menu, text).unwrap();
    fs::write(&script, "> wait 9s\n").unwrap();
    let play = |more: &[&str]| {
        let args = ["simulate", "--menu", menu.to_str().unwrap(), "--script", script.to_str().unwrap()];
        tonopago([&args, more].concat())
    };
    assert_eq!(play(&["--bless"]).code, 0);
    assert!(fs::read_to_string(&script).unwrap().contains("  says \"Uno. 1 > 2\"\n"));
    assert_eq!(play(&[]).code, 0);
}

#[test]
fn answers_are_added_to_a_file() {
    let folder = Folder::new();
    let file = folder.path("answers.csv");
    for grade in ["5", "4"] {
        let run = simulate(
            &["--menu", "menus/encuesta.yaml", "--answers", file.to_str().unwrap()],
            &format!("{grade}\n1\nhang up\n"),
        );
        assert_eq!((run.code, &*run.err), (0, ""));
    }
    let text = fs::read_to_string(&file).unwrap();
    let rows: Vec<&str> = text.lines().map(|line| line.split_once(',').unwrap().1).collect();
    assert_eq!(rows, ["menu,servicio,mejorar,recomienda,telefono", "encuesta,5,,yes,", "encuesta,4,,yes,"]);
}

/// What went wrong: the end of the call and its answers were lost, or the lines were left out without a word.
#[test]
fn lines_left_over_are_complained_of_after_the_call_is_told_and_its_answers_are_kept() {
    let folder = Folder::new();
    // The call ends while the first line left over waits for a question, or it has ended before that line.
    for (name, ending) in [("waits.jsonl", "1\n"), ("ended.jsonl", "wait 10min\n1\n")] {
        let file = folder.path(name);
        let keys = format!("5\n1\n5512345678\n1\n{ending}2\n");
        let run = simulate(&["--menu", "menus/encuesta.yaml", "--answers", file.to_str().unwrap()], &keys);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.out.contains("Guardamos sus respuestas.") && run.out.contains("hang-up by the box"), "{run:?}");
        assert!(run.err.contains("of standard input: the call is over before this"), "{run:?}");
        let kept = fs::read_to_string(&file).unwrap();
        assert!(kept.lines().count() == 1 && kept.contains("5512345678"), "{kept}");
    }
}

/// What went wrong: the second list's answers were lost at the end of the call.
#[test]
fn answers_of_different_lists_are_kept_as_lines_and_never_begun_as_a_table() {
    let folder = Folder::new();
    let menu = folder.path("m.yaml");
    let text = "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: fin\nstates:\n  a: { set: { x: a }, next: b }\n  \
                b: { save: [x], next: c }\n  c: { save: [x, x], next: fin }\n  fin: { say: [despedida], hang_up: true }\n";
    fs::write(&menu, text).unwrap();
    let menu = menu.to_str().unwrap();
    let run = tonopago(["check", menu]);
    assert!(run.code == 0 && run.out.contains(":9:8: warning: state \"c\" saves other answers"), "{run:?}");
    let (table, lines) = (folder.path("a.csv"), folder.path("a.jsonl"));
    let run = simulate(&["--menu", menu, "--answers", table.to_str().unwrap()], "");
    assert!(run.code == 2 && run.err.contains("a table has one list of columns") && !table.exists(), "{run:?}");
    let run = simulate(&["--menu", menu, "--answers", lines.to_str().unwrap()], "");
    assert_eq!((run.code, fs::read_to_string(&lines).unwrap().lines().count()), (0, 2), "{run:?}");
}

#[test]
fn a_menu_is_drawn_with_a_calls_way() {
    let folder = Folder::new();
    let (trace, svg) = (folder.path("call.jsonl"), folder.path("way.svg"));
    let run = simulate(&["--format", "jsonl"], "2\n257139#\nhang up\n");
    fs::write(&trace, run.out).unwrap();
    let run = tonopago(["graph", "--trace", trace.to_str().unwrap(), "-o", svg.to_str().unwrap()]);
    assert_eq!((run.code, &*run.out, &*run.err), (0, "", ""));
    let drawn = fs::read_to_string(&svg).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("ingles") && drawn.contains(">1</text>"), "{drawn}");
    assert!(tonopago(["graph", "--format", "mermaid"]).out.starts_with("flowchart TD\n"));
    assert!(tonopago(["graph", "--format", "dot"]).out.starts_with("digraph \"pago\" {"));
    let run = tonopago(["graph", "--trace", "menus/pago.yaml"]);
    assert!(run.code == 1 && run.err.contains("no call's states are in it"), "{run:?}");
}

const OWN: &str = "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: a\nprompts: { m_hola: \"Hola.\" }\n\
                   states:\n  a: { say: [m_hola], hang_up: true }\n";

/// Any program that writes a WAV file will do; `generate` makes a sound, and no voice need be installed.
#[cfg(unix)]
#[test]
fn a_menus_own_prompts_are_rendered_and_then_heard() {
    let folder = Folder::new();
    let (menu, sound) = (folder.path("m.yaml"), folder.digits("voice.wav", "1", &["--tone", "900"]));
    fs::write(&menu, OWN).unwrap();
    let menu = menu.to_str().unwrap();
    let check = |more: &[&str]| tonopago([&["check", menu], more].concat());
    let run = check(&[]);
    assert!(run.code == 1 && run.out.contains("prompt \"m_hola\" has no clip yet in es-MX"), "{run:?}");
    assert_eq!(check(&["--draft"]).code, 0);
    let run = tonopago(["prompts", "render", "--menu", menu]);
    assert!(run.code == 2 && run.err.contains("no program that speaks is given"), "{run:?}");
    let command = format!("cp '{}' {{out}}", sound.display());
    let run = tonopago(["prompts", "render", "--menu", menu, "--command", &command]);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    assert!(run.out.starts_with("es-MX/m_hola: rendered\n"), "{run:?}");
    assert_eq!(check(&[]).code, 0);
    fs::write(menu, OWN.replace("Hola.", "Buenos días.")).unwrap();
    assert!(check(&[]).out.contains("has other words than its clip in es-MX"));
    let run = tonopago(["prompts", "render", "--menu", menu, "--command", "false"]);
    assert!(run.code == 1 && run.err.contains("prompt es-MX/m_hola: the program ended with exit status: 1"), "{run:?}");
}

#[test]
fn the_schema_is_json() {
    let run = tonopago(["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(schema["properties"]["give_up"]["$ref"], "#/$defs/state_name");
}
