//! `tonopago authorizer ask`: what a box makes of an authorizer's answer, for whoever writes one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use crate::harness::{Folder, tonopago};

/// A box whose authorizer gives this answer, once; gives the box's configuration and, at its end, the body it was asked with.
fn answering(folder: &Folder, answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut heard, mut part) = (String::new(), [0; 4096]);
        while !heard.ends_with('}') {
            let read = stream.read(&mut part).unwrap();
            heard.push_str(std::str::from_utf8(&part[..read]).unwrap());
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        stream.write_all((head + answer).as_bytes()).unwrap();
        heard.split("\r\n\r\n").nth(1).unwrap().to_owned()
    });
    for (name, secret) in [("password", "0123456789abcdef"), ("key", "sk_sandbox00000000000000000000000000")] {
        fs::write(folder.path(name), secret).unwrap();
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let config = folder.path("box.yaml").to_str().unwrap().to_owned();
    fs::write(
        &config,
        format!(
            "version: 1\nlines: {{ a: {{ audio_socket: {{ listen: 127.0.0.1:0, calls: 1 }} }} }}\nservices:\n  ledger: l.sqlite\n  \
             authorizer: {{ url: \"http://{address}/\", user: ivr, password_file: password }}\n  openpay: {{ url: sandbox, \
             merchant: mzdtln0bmtms6o3kck8f, key_file: key, payer: {{ name: C, email: c@example.com }} }}\n"
        ),
    )
    .unwrap();
    (config, asked)
}

#[test]
fn an_answer_is_told_as_the_box_understands_it() {
    let folder = Folder::new();
    let answer =
        r#"{"response_code":0,"amount":500,"order_id":"part-1","values":{"concepto":"colegiatura","saldo":3200.5}}"#;
    let (config, asked) = answering(&folder, answer);
    let run = tonopago(["authorizer", "ask", "--config", &config, "20230017", "--with", "parte=500.00"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (
            0,
            "authorized: 500.00 MXN for order part-1, \"part-1\"\ntells: concepto = colegiatura\ntells: saldo = 3200.5\n"
        ),
        "{run:?}"
    );
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with(r#"{"ivr_key":"20230017","#) && asked.ends_with(r#""values":{"parte":"500.00"}}"#),
        "{asked}"
    );
    assert!(!folder.path("l.sqlite").exists(), "nothing is written");
}

/// A caller hears of all of these that the service is not available.
#[test]
fn what_a_box_cannot_use_is_told_with_what_is_wrong() {
    for (answer, told) in [
        (r#"{"response_code":0,"amount":"500,00","order_id":"o"}"#, "the amount can't be charged"),
        (r#"{"response_code":0,"amount":500}"#, "field \"order_id\" is missing"),
        (r#"{"amount":500}"#, "field \"response_code\" is missing"),
        (r#"{"response_code":0,"amount":50000,"order_id":"o"}"#, "max_amount"),
        (r#"{"response_code":1}"#, ""),
    ] {
        let folder = Folder::new();
        let (config, _) = answering(&folder, answer);
        let run = tonopago(["authorizer", "ask", "--config", &config]);
        assert!(run.code == 1 && run.err.contains(told), "{answer}: {run:?}");
        assert_eq!(run.out, if told.is_empty() { "refused: unknown\n" } else { "" });
    }
    for wrong in [&["12a"][..], &["--with", "parte"]] {
        assert_eq!(tonopago([&["authorizer", "ask"], wrong].concat()).code, 2);
    }
}
