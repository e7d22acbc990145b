//! The verification example of `docs/merchant.md`, run as it stands there.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use tonopago::http::SigningSecret;

/// The one block of Python in the documentation.
fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/merchant.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn is_genuine(header: &str, body: &str) -> Option<String> {
    let program =
        example() + "\nimport sys\nprint(is_genuine('0123456789abcdef', sys.argv[1], sys.argv[2].encode()))\n";
    let python = Command::new("python3").args(["-", header, body]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut python = python.ok()?;
    python.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn the_verification_example_tells_genuine_from_forged() {
    let secret = SigningSecret::new("0123456789abcdef").unwrap();
    let body = r#"{"order_id":"ord-234","description":"café"}"#;
    let now = Timestamp::now();
    let header = secret.sign(body.as_bytes(), now);
    let Some(said) = is_genuine(&header, body) else { return println!("left out: there is no python3 here") };
    assert_eq!(said, "True");
    let old = secret.sign(body.as_bytes(), now.checked_sub(SignedDuration::from_mins(6)).unwrap());
    let forged = [(header.as_str(), "{}"), (&old, body), ("t=1,v1=00", body)];
    assert_eq!(forged.map(|(header, body)| is_genuine(header, body).unwrap()), ["False"; 3]);
}
