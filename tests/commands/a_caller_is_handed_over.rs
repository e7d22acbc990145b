//! A caller of `tonopago run` who is to go to a person: dialled on, on a virtual telephone line with an operator's program for
//! a hook; taken on by an Asterisk's dial plan, which asks for the number. Where PulseAudio, or an Asterisk, is not installed a
//! test says so and passes; a stand-in for Asterisk is always there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::asterisk::Channel;
use crate::harness::{Folder, at_home, jsonl_digits, program};
use crate::real_asterisk::RealAsterisk;
use crate::running_box::RunningBox;
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

/// The person's extension, or the end of the call by a key.
const CHOICE: &str = "{version: 1, name: a, languages: [es-MX], start: saludo, give_up: fin, states: {
    saludo: {say: [bienvenida], choose: {'1': persona, '2': fin}}, persona: {say: [transferencia], transfer: '+52 102'},
    fin: {say: [despedida], hang_up: true}}}";
const ASKED: &str = "version: 1
lines: { pbx: { audio_socket: { listen: \"127.0.0.1:0\", calls: 1 }, hand_over: dialplan } }
menus: { a: menu.yaml }
services: { demo: demo }
status: { listen: \"127.0.0.1:0\" }
";

#[test]
fn a_dial_plan_is_told_where_a_caller_goes_once_the_box_has_let_go() {
    let folder = Folder::new();
    fs::write(folder.path("menu.yaml"), CHOICE).unwrap();
    let running = RunningBox::start(&folder, ASKED);
    let address = running.audio_socket.clone().expect("it listens");
    // The third caller comes with the UUID of the first, as by a dial plan that has one for all, and was connected as that one.
    for (uuid, key, number) in [(0xa1, "1", "+52102"), (0xb2, "2", ""), (0xa1, "2", "")] {
        let mut caller = Channel::dial(&address, uuid);
        caller.until(|caller| !caller.said.is_empty());
        let call = running.line(0)["call"]["reference"].as_str().unwrap().to_owned();
        assert_eq!(running.handover(&call), "", "it goes nowhere yet");
        caller.keys(key);
        caller.until(|caller| caller.hung_up);
        assert_eq!(running.handover(&call), number, "key {key}");
    }
}

/// Two extensions of the README's dial plan, and the person's, who notes that somebody came.
fn dial_plan(running: &RunningBox, address: &str, calls: [&str; 2]) -> String {
    let entry = |extension: usize, call: &str| {
        let url = running.handover_url("${call}");
        format!(
            "exten => 70{extension},1,Answer()
 same => n,Set(call={call})
 same => n,Dial(AudioSocket/{address}/${{call}},,g)
 same => n,Set(person=${{CURL({url})}})
 same => n,GotoIf($[\"${{person}}\" = \"\"]?end)
 same => n,Goto(phones,${{person}},1)
 same => n(end),Set(GLOBAL(ended{extension})=1)
 same => n,Hangup()
"
        )
    };
    let entries: String = calls.into_iter().enumerate().map(|(extension, call)| entry(extension, call)).collect();
    format!("[box]\n{entries}[phones]\nexten => _+X.,1,Set(GLOBAL(rang)=${{EXTEN}})\n same => n,Wait(600)\n")
}

#[test]
fn a_real_asterisk_takes_a_caller_on() {
    let folder = Folder::new();
    fs::write(folder.path("menu.yaml"), CHOICE).unwrap();
    let running = RunningBox::start(&folder, ASKED);
    let address = running.audio_socket.clone().expect("it listens");
    let calls = ["a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1", "b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2"];
    let Some(mut asterisk) = RealAsterisk::start(&folder, &dial_plan(&running, &address, calls)) else { return };
    for (extension, key, global, value) in [("700", "1", "rang", "+52102"), ("701", "2", "ended1", "1")] {
        asterisk.dial(key, extension);
        running.wait_for(0, "a call", |line| line["phase"] == "call");
        asterisk.tells_keys(key, key);
        asterisk.until_global(global, value);
        running.wait_for(0, "the end", |line| line["phase"] == "idle");
    }
    asterisk.hangs_up("1");
    asterisk.until_idle();
}
