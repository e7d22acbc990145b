//! `tonopago run` with an AudioSocket, called by a real Asterisk: one caller pays with keys told beside the sound, through the
//! application; one with keys in the sound, through the channel. The box hangs up on one, the other hangs up. Whoever finds no
//! line, or no box, is told so by the dial plan of the README.

use std::fs;

use tonopago::demo::CARD;

use crate::a_running_box_is_called_by_an_asterisk::{CONFIG, MENU, says};
use crate::harness::{Folder, tonopago};
use crate::real_asterisk::RealAsterisk;
use crate::running_box::{RunningBox, issue};

const TOLD: &str = "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1";
const HEARD: &str = "b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2";

/// The box at two extensions; and callers who play the sound named like theirs, and listen.
fn dial_plan(address: &str, sounds: &str) -> String {
    format!(
        "[box]
exten => 700,1,Answer()
 same => n,AudioSocket({TOLD},{address})
exten => 701,1,Answer()
 same => n,Dial(AudioSocket/{address}/{HEARD},,g)
 same => n,GotoIf($[0${{ANSWEREDTIME}} > 0]?end)
 same => n,Set(GLOBAL(told)=$[0${{GLOBAL(told)}} + 1])
 same => n(end),Hangup()
[caller]
exten => _X,1,Playback({sounds}/${{EXTEN}})
 same => n,Wait(600)
"
    )
}

#[test]
fn callers_of_a_real_asterisk_pay_with_keys_beside_the_sound_and_in_it() {
    let folder = Folder::new();
    fs::write(folder.path("m.yaml"), MENU).unwrap();
    let running = RunningBox::start(&folder, CONFIG);
    let address = running.audio_socket.clone().expect("it listens");
    let plan = dial_plan(&address, folder.path("").to_str().unwrap());
    let Some(mut asterisk) = RealAsterisk::start(&folder, &plan) else { return };

    asterisk.dial("told", "700");
    asterisk.dial("heard", "701");
    let line_of = |reference: &str| {
        let lines = running.state()["lines"].as_array().cloned().unwrap_or_default();
        lines.iter().position(|line| line["call"]["reference"] == reference && line["phase"] == "call")
    };
    let [told, heard] = [TOLD, HEARD].map(|reference| {
        running.wait_for(0, reference, |_| line_of(reference).is_some());
        line_of(reference).expect("it was there")
    });

    // Both lines are taken.
    asterisk.dial("late", "701");
    asterisk.until_global("told", "1");

    let keys = [issue(&folder, 1), issue(&folder, 2)].map(|key| format!("{key}#"));
    let card = format!("{}#", CARD.number);
    let steps = [
        ("clave", [&*keys[0], &*keys[1]]),
        ("confirmar", ["1"; 2]),
        ("tarjeta", [&*card; 2]),
        ("vencimiento", [CARD.expiry; 2]),
        ("codigo", [CARD.cvv; 2]),
    ];
    for (step, (state, keys)) in steps.into_iter().enumerate() {
        running.wait_for(told, state, |line| says(line, state));
        asterisk.tells_keys("told", keys[0]);
        running.wait_for(heard, state, |line| says(line, state));
        folder.digits(&format!("{step}.wav"), keys[1], &["--tone", "80", "--pause", "80"]);
        asterisk.goes_to("heard", &step.to_string());
    }
    for index in [told, heard] {
        running.wait_for(index, "otra", |line| says(line, "otra"));
    }
    let pressed: usize = steps.iter().map(|(_, keys)| keys[0].len()).sum();
    for index in [told, heard] {
        let counts = running.line(index)["counts"].clone();
        assert_eq!((&counts["approved"], &counts["keys"]), (&1.into(), &pressed.into()), "each key once: {counts}");
    }

    asterisk.hangs_up("heard");
    running.wait_for(heard, "the caller's end", |line| line["call"]["over"] == true && line["phase"] == "idle");
    asterisk.tells_keys("told", "#");
    running.wait_for(told, "the box's end", |line| line["call"]["over"] == true && line["phase"] == "idle");
    asterisk.until_idle();

    assert_eq!(running.stop(), Some(0));
    asterisk.dial("too late", "701");
    asterisk.until_global("told", "2");
    let ledger = folder.path("demo/ledger.sqlite");
    let list = tonopago(["payments", "list", "--ledger", ledger.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(list.out.matches("approved").count(), 2, "{list:?}");
}
