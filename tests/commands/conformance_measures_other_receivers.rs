//! `conformance --receiver`: a program in the place of our detector. Ours, run as one, gets the rows it has without; one that tells
//! no times is scored by order; one that hears worse fails the rows it should; one that breaks is told of.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Folder, Run, program, tonopago};

/// Rows of each way to measure: by time, to be refused, with latency, at another rate, swept, and sound that holds no digits.
const ROWS: [&str; 7] = [
    "white noise, 0 dB",
    "tones of 23 ms",
    "onset to report without noise",
    "the same at 44100 Hz",
    "guard time",
    "false digits in music",
    "gap 20 ms, one digit",
];

fn conformance(more: &[&str]) -> Run {
    let only = ROWS.iter().flat_map(|row| ["--only", row]);
    tonopago(["conformance", "--quick"].into_iter().chain(only).chain(more.iter().copied()))
}

fn rows(more: &[&str]) -> (Run, Vec<Value>) {
    let run = conformance(&[more, &["--format", "jsonl"]].concat());
    let rows = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (run, rows)
}

#[test]
fn our_own_receiver_as_a_program_gets_the_same_rows() {
    let (_, own) = rows(&[]);
    assert!(own.len() >= ROWS.len() && own.iter().all(|row| row["receiver"].is_null()), "{own:?}");
    let decode = format!("'{}' decode --format jsonl", program().display());
    for command in [format!("{decode} {{file}}"), format!("{decode} -")] {
        let (run, other) = rows(&["--receiver", &command]);
        assert_eq!((run.code, own.len(), other.len()), (0, own.len(), own.len()), "{run:?}");
        for (own, other) in own.iter().zip(&other) {
            for name in ["group", "name", "target", "trials", "failures", "pass"] {
                assert_eq!(own[name], other[name], "{name} of {other}");
            }
            // Its times are rounded to milliseconds there.
            if own["name"] != "the same at 44100 Hz" {
                assert_eq!(own["measured"], other["measured"], "{other}");
            }
            assert_eq!(other["receiver"], *command);
        }
    }
}

#[test]
fn one_that_tells_no_times_is_scored_by_order_and_its_latency_is_left_out() {
    let folder = Folder::new();
    // The digits alone, and each of them twice.
    let digits = format!("'{}' decode --format csv \"$1\" | cut -d, -f3 | tail -n +2", program().display());
    fs::write(folder.path("hear.sh"), &digits).unwrap();
    fs::write(folder.path("twice.sh"), format!("{digits} | sed p")).unwrap();
    let command = |script: &str| format!("sh '{}' {{file}}", folder.path(script).display());
    let named = |rows: &[Value], name: &str| {
        let found = rows.iter().find(|row| row["name"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("{name}")).clone()
    };

    let (run, good) = rows(&["--receiver", &command("hear.sh")]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(named(&good, "onset to report")["skipped"], "the receiver tells no times");
    assert!(named(&good, "44100 Hz")["measured"].as_str().unwrap().ends_with("no times told"), "{good:?}");
    assert_eq!(named(&good, "white noise")["failures"], 0);

    let (run, doubled) = rows(&["--receiver", &command("twice.sh")]);
    assert!(run.code == 1 && run.err.contains("hears \"112233"), "{run:?}");
    let noise = named(&doubled, "white noise");
    assert!(noise["pass"] == false && noise["failures"] == noise["trials"], "{noise}");
    assert_eq!(named(&doubled, "tones of 23 ms")["pass"], true, "nothing twice is nothing");
}

#[test]
fn one_that_cannot_be_measured_is_told_of_before_and_while_it_is() {
    for (command, told) in [
        ("no-such-receiver {file}", "--receiver: cannot start \"no-such-receiver\""),
        ("sh -c 'echo no licence >&2; exit 4'", "exit status: 4, saying: no licence"),
        ("echo DTMF: 5", "line 1 of what the program said is no digits: `DTMF: 5`"),
    ] {
        let run = conformance(&["--receiver", command]);
        assert!(run.code == 1 && run.out.is_empty() && run.err.contains(told), "{command}: {run:?}");
    }
    let run = conformance(&["--receiver", "a 'b"]);
    assert!(run.code == 2 && run.err.contains("quotes closed"), "{run:?}");

    // It works once, and never again.
    let folder = Folder::new();
    fs::write(folder.path("once.sh"), "test ! -e \"$0.done\" && touch \"$0.done\" && echo 1").unwrap();
    let command = format!("sh '{}' {{file}}", folder.path("once.sh").display());
    let (run, rows) = rows(&["--receiver", &command]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(rows.iter().all(|row| row["pass"] == false), "{rows:?}");
    assert!(rows[0]["measured"].as_str().unwrap().contains("exit status: 1"), "{rows:?}");
}

/// The page had curves of a receiver that misses everything, and the exit code was that of the rows.
#[test]
fn one_that_fails_while_curves_are_drawn_gets_none() {
    let folder = Folder::new();
    // It is asked twice for the row; all the rest is curves.
    let script = format!(
        "echo >>\"$0.asked\"; test $(wc -l <\"$0.asked\") -le 60 && '{}' decode --format jsonl \"$1\"",
        program().display()
    );
    fs::write(folder.path("tires.sh"), script).unwrap();
    let command = format!("sh '{}' {{file}}", folder.path("tires.sh").display());
    let only = ["conformance", "--quick", "--only", "tones of 23 ms", "--format", "html", "--receiver", &command];
    let run = tonopago(only);
    assert!(run.out.contains("class=\"pass\"") && !run.out.contains("<h2>Curves</h2>"), "{run:?}");
    assert!(run.code == 1 && run.err.contains("there are no curves, for the receiver failed"), "{}", run.err);
}

/// The sound stayed in the folder for temporary files.
#[cfg(target_os = "linux")]
#[test]
fn who_breaks_it_off_leaves_neither_sound_nor_program() {
    let folder = Folder::new();
    let noted = folder.path("noted");
    fs::create_dir(folder.path("tmp")).unwrap();
    let receiver =
        format!("sh -c 'sleep 600 & echo $! >\"$1.new\"; mv \"$1.new\" \"$1\"; wait' {{file}} '{}'", noted.display());
    let mut running = Command::new(program())
        .args(["conformance", "--quick", "--receiver", &receiver])
        .env("TMPDIR", folder.path("tmp"))
        .spawn()
        .unwrap();
    let number = loop {
        match fs::read_to_string(&noted) {
            Ok(number) => break number,
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    };
    let sounds = || fs::read_dir(folder.path("tmp")).unwrap().count();
    assert_eq!(sounds(), 1);
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert_eq!((running.wait().unwrap().code(), sounds()), (Some(130), 0));
    // What has ended has no command line, as long as it is there at all.
    let command_line = format!("/proc/{}/cmdline", number.trim());
    while fs::read(&command_line).is_ok_and(|words| !words.is_empty()) {
        thread::sleep(Duration::from_millis(10));
    }
}
