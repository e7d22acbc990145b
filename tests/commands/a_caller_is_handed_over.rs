//! `tonopago run` on a virtual telephone line with an operator's program for a hook: a caller who is to be handed over is
//! dialled on. Where PulseAudio is not installed this test says so and passes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::harness::{at_home, jsonl_digits, program};
use crate::virtual_card::VirtualCard;

/// Rings once, and notes what it is told.
const HOOK: &str = "#!/bin/sh\nsleep 2; echo ring\nwhile read -r word; do echo \"$word\" >>\"$1\"; done\n";
const MENU: &str = "{version: 1, name: a, languages: [es-MX], start: persona, give_up: fin, states: {
    persona: {say: [transferencia], transfer: '102'}, fin: {say: [despedida], hang_up: true}}}";

#[test]
fn the_number_is_heard_on_the_line_after_the_flash() {
    let Some(card) = VirtualCard::start(&["to_box", "to_caller"]) else { return };
    let path = |name: &str| card.folder.path(name).to_str().unwrap().to_owned();
    fs::write(path("menu.yaml"), MENU).unwrap();
    fs::write(path("hook"), HOOK).unwrap();
    fs::set_permissions(path("hook"), fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(
        "version: 1\nlines: {{ l1: {{ card: \"pulseaudio:to_box.monitor\", output: \"pulseaudio:to_caller\", rings: 1,\n  \
         hook: {{ command: [{:?}, {:?}] }}, hand_over: flash }} }}\nmenus: {{ a: menu.yaml }}\n\
         services: {{ demo: demo }}\nstatus: {{ listen: \"127.0.0.1:0\" }}\n",
        path("hook"),
        path("told")
    );
    fs::write(path("box.yaml"), config).unwrap();
    // On a busy machine a virtual card has gaps that a real one has not: up to three attempts.
    let mut dialled = (0..3)
        .map(|_| {
            let _ = fs::remove_file(path("told")); // it is not there at first
            let mut command = Command::new(program());
            let mut running = at_home(&mut command, &card.folder)
                .args(["run", "--config", &path("box.yaml")])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let listen = ["listen", "--device", "pulseaudio:to_caller.monitor", "--seconds", "14", "--format", "jsonl"];
            let heard = card.tonopago(&listen);
            Command::new("kill").args(["-TERM", &running.id().to_string()]).status().unwrap();
            assert!(running.wait().unwrap().success());
            (jsonl_digits(&heard.out), fs::read_to_string(path("told")).unwrap())
        })
        .inspect(|seen| println!("{seen:?}"));
    let expected = "hangup\nanswer\nhangup\nanswer\nhangup\n";
    assert!(dialled.any(|(digits, told)| digits == "102" && told.starts_with(expected)), "not once in three attempts");
}
