//! The `lines:` of a configuration: AudioSockets, and what each line has to itself.

use super::*;

#[test]
fn an_audio_socket_makes_a_line_for_each_call() {
    let text = GOOD.replace(
        "default }",
        "default }\n  pbx: { audio_socket: { listen: 127.0.0.1:9092, calls: 3 }, gain_in_db: 2 }",
    );
    let config = parse(&text).unwrap();
    let names: Vec<&str> = config.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["a", "pbx-1", "pbx-2", "pbx-3"]);
    let Source::AudioSocket { group, listener } = &config.lines[3].source else { panic!("a socket") };
    assert_eq!((group.as_str(), listener.calls, listener.from.len(), config.lines[3].gain_in_db), ("pbx", 3, 0, 2.0));
    let far =
        GOOD.replace("card: default", "audio_socket: { listen: \"[::]:9092\", from: [192.0.2.7, \"2001:db8::7\"] }");
    let config = parse(&far).unwrap();
    let Source::AudioSocket { listener, .. } = &config.lines[7].source else { panic!("a socket") };
    assert_eq!((config.lines.len(), listener.from.len()), (8, 2));
}

#[test]
fn a_dial_plan_that_hands_callers_over_has_a_page_to_ask() {
    let text = GOOD.replace("card: default", "audio_socket: { listen: 127.0.0.1:9092, calls: 2 }, hand_over: dialplan");
    let told = parse(&text).err().unwrap();
    assert!(told.contains("the dial plan of line a-1 has no status page to ask where callers go"), "{told}");
    let config = parse(&format!("{text}status: {{ listen: 127.0.0.1:8780 }}\n")).unwrap();
    assert!(config.lines.iter().all(|line| line.hand_over == Some(HandoverConfig::Asked)));
    let told = parse(&GOOD.replace("default }", "default, hand_over: dialplan }")).err().unwrap();
    assert!(told.contains("only an AudioSocket's calls come from a dial plan"), "{told}");
}

#[test]
fn problems_of_audio_sockets_are_told_with_their_places() {
    let text = "version: 1
lines:
  a: { audio_socket: { listen: 0.0.0.0:9092 } }
  b: { audio_socket: { listen: pbx, calls: 65, from: [pbx] }, hook: none, rings: 3, card: x }
  c: { audio_socket: { calls: 2, form: x } }
  d: { audio_socket: { listen: \"127.0.0.1:1\", from: [] } }
  e: { audio_socket: { listen: \"127.0.0.1:2\" }, hand_over: flash }
services: { demo: d }
";
    let told = parse(text).err().unwrap();
    for expected in [
        "box.yaml:3:8: others than this machine could call, and AudioSocket has no password",
        "box.yaml:4:32: expected an address and a port, found \"pbx\" (at lines.b.audio_socket.listen)",
        "box.yaml:4:44: expected a whole number from 1 to 64",
        "box.yaml:4:55: expected an address, found \"pbx\"",
        "box.yaml:4:63: hook is of lines with a sound card",
        "rings is of lines with a sound card",
        "card is of lines with a sound card",
        "\"listen\" is missing (at lines.c.audio_socket)",
        "did you mean \"from\"?",
        "nobody may call (at lines.d.audio_socket.from)",
        "box.yaml:7:49: an AudioSocket has no hook to flash",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
    let socket = "{ audio_socket: { listen: \"127.0.0.1:1\", calls: 40 } }";
    let told =
        parse(&format!("version: 1\nlines: {{ a: {socket}, b: {socket} }}\nservices: {{ demo: d }}\n")).err().unwrap();
    assert!(told.contains("box.yaml:2:1: 80 lines are too many"), "{told}");
    assert!(told.contains("another line listens on 127.0.0.1:1 already (at lines.b)"), "{told}");
    let told = parse(&format!("version: 1\nlines: {{ a: {socket}, a-2: {{ card: x }} }}\nservices: {{ demo: d }}\n"));
    let told = told.err().unwrap();
    assert!(told.contains("\"a-2\" is the name of another line's call, too"), "{told}");
}

/// Two threads took one card or one hook in turns, and the box was called good.
#[test]
fn what_a_line_has_to_itself_no_other_line_has() {
    let told = |lines: &str| parse(&format!("version: 1\nlines: {{ {lines} }}\nservices: {{ demo: target/demo }}\n"));
    let serial = "hook: { serial: /dev/ttyS0 }";
    let pins = |off_hook, ring| format!("hook: {{ gpio: /dev/gpiochip0, off_hook: {off_hook}, ring: {ring} }}");
    for (lines, problem) in [
        ("a: { card: x }, b: { card: x }".to_owned(), "line a has channel 0 of card x already (at lines.b)"),
        (
            format!("a: {{ card: x, {serial} }}, b: {{ card: y, {serial} }}"),
            "line a has the hook /dev/ttyS0 already (at lines.b)",
        ),
        (
            format!("a: {{ card: x, {} }}, b: {{ card: y, {} }}", pins(1, 2), pins(3, 2)),
            "line a has line 2 of /dev/gpiochip0 already (at lines.b)",
        ),
        (
            "a: { card: x, output: z }, b: { card: y, output: z }".to_owned(),
            "line a has channel 0 of card z to play on already (at lines.b)",
        ),
        (format!("a: {{ card: x, {} }}", pins(4, 4)), "line a has line 4 of /dev/gpiochip0 already (at lines.a)"),
    ] {
        let all = told(&lines).err().unwrap();
        assert!(all.contains(problem), "{problem} is not in {all}");
    }
    let apart = format!(
        "a: {{ card: x, {} }}, b: {{ card: x, channel: 1, {} }}, c: {{ audio_socket: {{ listen: '127.0.0.1:9092' }} }}",
        pins(1, 2),
        pins(3, 4)
    );
    assert_eq!(told(&apart).unwrap().lines.len(), 2 + 8);
}

#[test]
fn the_page_and_an_audio_socket_do_not_share_an_address() {
    let told = |listen: &str| {
        parse(&format!(
            "version: 1\nlines: {{ a: {{ audio_socket: {{ listen: \"{listen}\" }} }} }}\nservices: {{ demo: target/demo }}\n\
             status: {{ listen: \"127.0.0.1:8780\" }}\n"
        ))
    };
    let problem = told("127.0.0.1:8780").err().unwrap();
    assert!(problem.contains("box.yaml:4:1: line a-1 listens on 127.0.0.1:8780 already (at status)"), "{problem}");
    assert!(told("127.0.0.1:8781").is_ok() && told("127.0.0.2:8780").is_ok());
}

/// It counted for nothing, and nobody was told.
#[test]
fn a_setting_of_another_kind_of_line_is_a_problem() {
    for (line, problem) in [
        ("card: x, every: 5s", "every is of lines with simulated callers, and this one has a card (at lines.a.every)"),
        (
            "simulated: true, rate: 8000",
            "rate is of lines with a sound card, and this one is simulated (at lines.a.rate)",
        ),
        (
            "audio_socket: { listen: \"127.0.0.1:1\" }, every: 5s",
            "every is of lines with simulated callers, and this one has an AudioSocket (at lines.a.every)",
        ),
    ] {
        let told = parse(&format!("version: 1\nlines: {{ a: {{ {line} }} }}\nservices: {{ demo: target/demo }}\n"));
        let told = told.err().unwrap();
        assert!(told.contains(problem), "{problem} is not in {told}");
    }
}

/// Each was played on all channels of the card: a caller heard what was said to the other, amounts and references.
#[test]
fn lines_that_play_on_one_card_each_have_their_channel() {
    let shares = |lines: &str| {
        let text = format!("version: 1\nlines: {{ {lines} }}\nservices: {{ demo: target/demo }}\n");
        let lines = parse(&text).unwrap().lines;
        let cards = lines.into_iter().map(|line| match line.source {
            Source::Card(card) => (card.shares_output, card.channel),
            _ => panic!("a card"),
        });
        cards.collect::<Vec<_>>()
    };
    assert_eq!(
        shares("a: { card: x }, b: { card: x, channel: 1 }, c: { card: y }"),
        [(true, 0), (true, 1), (false, 0)]
    );
    assert_eq!(shares("a: { card: x, output: z }, b: { card: y, output: z, channel: 1 }"), [(true, 0), (true, 1)]);
    assert_eq!(shares("a: { card: x }, b: { card: x, channel: 1, output: y }"), [(false, 0), (false, 1)]);
}
