use std::time::Duration;

use super::super::board::LineBoard;
use super::*;
use crate::http::{Credentials, HttpClient, Timeouts};

struct Bench {
    server: Server,
    board: Arc<Board>,
    shop: Arc<Shop>,
    folder: tempfile::TempDir,
}

fn bench(password: Option<&str>) -> Bench {
    bench_with(password, false)
}

fn bench_with(password: Option<&str>, https: bool) -> Bench {
    bench_looking(password, https, Duration::from_secs(60))
}

/// Looks whether payments can be taken every so often.
fn bench_looking(password: Option<&str>, https: bool, every: Duration) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let board =
        Arc::new(Board::new("caja", true, "abc", jiff::Timestamp::UNIX_EPOCH, vec![LineBoard::new("l1", "card")]));
    let services = super::super::Services::Demo(folder.path().join("demo"));
    let shop = Arc::new(Shop::start(&services, every).unwrap());
    board.watch(shop.cashier.till().alarms());
    let hash = password.map(|password| hash_password(password).unwrap());
    let settings = StatusConfig { listen: ([127, 0, 0, 1], 0).into(), password_hash: hash, https };
    Bench { server: serve(&settings, &board, &shop).unwrap(), board, shop, folder }
}

/// One request as it goes over the wire; the whole answer.
fn ask(bench: &Bench, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(bench.server.address()).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(bench: &Bench, path: &str, more: &str) -> String {
    ask(bench, &format!("GET {path} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n{more}\n"))
}

fn post(bench: &Bench, path: &str, cookie: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nCookie: {cookie}\n");
    ask(bench, &format!("{head}Content-Type: application/x-www-form-urlencoded\nContent-Length: {length}\n\n{body}"))
}

fn cookie_in(answer: &str, name: &str) -> String {
    let line = answer
        .lines()
        .find(|line| line.starts_with(&format!("set-cookie: {name}=")))
        .unwrap_or_else(|| panic!("{answer}"));
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
    line["set-cookie: ".len()..].split(';').next().unwrap().to_owned()
}

/// Gives the session's cookie.
fn sign_in(bench: &Bench, password: &str) -> String {
    let form = get(bench, "/login", "");
    let (cookie, token) = (cookie_in(&form, "tonopago-form"), token_in(&form).to_owned());
    let entered = post(bench, "/login", &cookie, &format!("password={password}&form={token}"));
    cookie_in(&entered, "tonopago")
}

fn token_in(page: &str) -> &str {
    page.split("name=\"form\" type=\"hidden\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn without_a_password_this_machine_may_look_and_a_foreign_name_may_not() {
    let bench = bench(None);
    let page = get(&bench, "/", "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<script src=\"/page.js\""), "{page}");
    for header in ["content-security-policy: default-src 'none'", "x-frame-options: DENY", "cache-control: no-store"] {
        assert!(page.contains(header), "{header} is not in {page}");
    }
    let foreign = ask(&bench, "GET /api/state HTTP/1.1\nHost: evil.example\nConnection: close\n\n");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    assert!(get(&bench, "/api/state", "").contains("\"config\":\"abc\""));
    assert!(get(&bench, "/api/payments", "").contains("\"approved\":0"));
    assert!(get(&bench, "/api/search?q=nothing", "").contains("\"payments\":[]"));
}

#[test]
fn with_a_password_nothing_is_seen_before_it_was_right() {
    let bench = bench(Some("correct horse"));
    for path in ["/api/state", "/api/events", "/api/payments", "/api/search?q=1"] {
        assert!(get(&bench, path, "").starts_with("HTTP/1.1 401"), "{path}");
        assert!(get(&bench, path, "Cookie: tonopago=guess\n").starts_with("HTTP/1.1 401"), "{path}");
    }
    assert!(get(&bench, "/", "").contains("location: /login"));
    let form = get(&bench, "/login", "Accept-Language: en-US\n");
    assert!(form.contains("Password") && get(&bench, "/login", "").contains("Contraseña"));
    let (form_cookie, token) = (cookie_in(&form, "tonopago-form"), token_in(&form).to_owned());
    // A form that is not ours, even with the right password.
    let forged = post(&bench, "/login", "", &format!("password=correct+horse&form={token}"));
    assert!(forged.starts_with("HTTP/1.1 403"), "{forged}");
    let body = format!("password=correct+horse&form={token}");
    let entered = post(&bench, "/login", &form_cookie, &body);
    let session = cookie_in(&entered, "tonopago");
    assert!(entered.contains("location: /"), "{entered}");
    let with = format!("Cookie: {session}\n");
    assert!(get(&bench, "/api/state", &with).starts_with("HTTP/1.1 200"));
    let page = get(&bench, "/", &with);
    // Leaving wants this session's own form.
    assert!(post(&bench, "/logout", &session, "form=wrong").starts_with("HTTP/1.1 403"));
    let left = post(&bench, "/logout", &session, &format!("form={}", token_in(&page)));
    assert!(left.contains("location: /login"), "{left}");
    assert!(get(&bench, "/api/state", &with).starts_with("HTTP/1.1 401"));
}

#[test]
fn a_wrong_password_is_refused_and_the_next_waits() {
    let bench = bench(Some("correct horse"));
    let form = get(&bench, "/login", "");
    let (cookie, token) = (cookie_in(&form, "tonopago-form"), token_in(&form).to_owned());
    let wrong = post(&bench, "/login", &cookie, &format!("password=wrong+password&form={token}"));
    assert!(wrong.starts_with("HTTP/1.1 401") && wrong.contains("Contraseña incorrecta"), "{wrong}");
    let again: Vec<String> =
        (0..3).map(|_| post(&bench, "/login", &cookie, &format!("password=x&form={token}"))).collect();
    assert!(again.iter().any(|answer| answer.starts_with("HTTP/1.1 429")), "{again:?}");
}

#[test]
fn what_changes_is_told_at_once() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let bench = bench(None);
    let mut stream = std::net::TcpStream::connect(bench.server.address()).unwrap();
    stream.write_all(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    let first = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("data: ")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&first[6..]).unwrap();
    assert_eq!((&state["name"], &state["lines"][0]["phase"]), (&"caja".into(), &"clearing".into()));
}

/// The session was looked at once, and who had signed out, or lost the right to look, went on looking.
#[test]
fn a_stream_ends_with_its_session() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let bench = bench(Some("correct horse"));
    let session = sign_in(&bench, "correct+horse");
    let mut stream = std::net::TcpStream::connect(bench.server.address()).unwrap();
    let head = "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    write!(stream, "{head}Cookie: {session}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("data: ")));
    let page = get(&bench, "/", &format!("Cookie: {session}\n"));
    post(&bench, "/logout", &session, &format!("form={}", token_in(&page)));
    // A stream that goes on says every 15 s that it does.
    assert_eq!(lines.filter(|line| line.starts_with(':')).take(2).count(), 0);
}

/// Everybody comes from this machine where a proxy stands in front: `/metrics` was open to the world.
#[test]
fn metrics_behind_a_proxy_want_the_password() {
    let behind = bench_with(Some("correct horse"), true);
    let metrics = |header: &str| get(&behind, "/metrics", header);
    let basic = |password: &str| format!("Authorization: {}\n", Credentials::new("prometheus", password).header());
    let refused = metrics("");
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("www-authenticate: Basic"), "{refused}");
    assert!(metrics(&basic("correct horse")).starts_with("HTTP/1.1 200"));
    assert!(metrics(&basic("correct horsf")).starts_with("HTTP/1.1 401"));
    let again: Vec<String> = (0..4).map(|_| metrics(&basic("correct horsg"))).collect();
    assert!(again.iter().any(|answer| answer.starts_with("HTTP/1.1 429")), "a guesser waits: {again:?}");
    assert!(metrics(&basic("correct horse")).ends_with("# EOF\n"), "and who was right before does not");
    assert!(get(&behind, "/api/state", &basic("correct horse")).starts_with("HTTP/1.1 401"), "no more than metrics");
    let plain = bench(Some("correct horse"));
    assert!(get(&plain, "/metrics", "").starts_with("HTTP/1.1 200"), "without a proxy this machine is trusted");
}

/// A dial plan takes the whole body for the number, whatever the status.
#[test]
fn a_dial_plan_asks_where_a_caller_goes() {
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    let uuid = "a1b2c3d4-a1a1-a1a1-a1a1-a1a1a1a1a1a1";
    let keep = |bench: &Bench| bench.board.handovers.keep(uuid, "+525512345678", Instant::now());
    let open = bench(None);
    keep(&open);
    for call in [uuid.to_owned(), uuid.to_uppercase()] {
        let answer = get(&open, &format!("/handover/{call}"), "");
        assert!(answer.starts_with("HTTP/1.1 200") && body(&answer) == "+525512345678", "{answer}");
    }
    let nowhere = get(&open, "/handover/a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1", "");
    assert!(nowhere.starts_with("HTTP/1.1 404") && body(&nowhere).is_empty(), "{nowhere}");

    // What was said in these was dialled.
    let foreign = ask(&open, &format!("GET /handover/{uuid} HTTP/1.1\nHost: pbx.example\nConnection: close\n\n"));
    assert!(foreign.starts_with("HTTP/1.1 403") && body(&foreign).is_empty(), "{foreign}");
    let no_name = get(&open, "/handover/%ff", "");
    assert!(no_name.starts_with("HTTP/1.1 400") && body(&no_name).is_empty(), "{no_name}");

    let behind = bench_with(Some("correct horse"), true);
    keep(&behind);
    let path = format!("/handover/{uuid}");
    let refused = get(&behind, &path, "");
    assert!(refused.starts_with("HTTP/1.1 401") && body(&refused).is_empty(), "{refused}");
    let basic = format!("Authorization: {}\n", Credentials::new("asterisk", "correct horse").header());
    assert_eq!(body(&get(&behind, &path, &basic)), "+525512345678");
}

/// Who asks in HTTP/1.0 names no host, and was taken for a foreign page.
#[test]
fn a_program_without_a_host_is_no_foreign_page() {
    let bench = bench(None);
    let answer = ask(&bench, "GET /healthz HTTP/1.0\n\n");
    assert!(answer.contains(" 200 OK") && answer.ends_with("ok\n"), "{answer}");
    assert!(ask(&bench, "GET /healthz HTTP/1.0\nHost: evil.example\n\n").contains(" 403 "));
    assert!(ask(&bench, "GET /healthz HTTP/1.0\nHost:\n\n").contains(" 403 "), "an empty one is no address");
}

#[test]
fn metrics_and_health_are_for_programs() {
    let bench = bench(None);
    let client = HttpClient::new(Credentials::new("", ""), Timeouts::answering_within(Duration::from_secs(5)));
    let text = |path: &str| {
        let answer = client.get(&format!("{}{path}", bench.server.url())).ok().unwrap();
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    let metrics = text("/metrics");
    for line in ["tonopago_calls_total{line=\"l1\"} 0", "tonopago_line_up{line=\"l1\"} 1", "# EOF", "config=\"abc\""] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert_eq!(text("/healthz"), "ok\n");
}

/// Waits for an answer that holds a text, far longer than it should take.
fn wait_for(bench: &Bench, path: &str, text: &str) -> String {
    for _ in 0..6000 {
        let answer = get(bench, path, "");
        if answer.contains(text) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{path} never said {text}: {}", get(bench, path, ""))
}

/// A box whose disk was full took no payment, said so in its log, and `/healthz` said `ok`.
#[test]
fn a_ledger_that_cannot_be_written_is_told_until_it_can() {
    let bench = bench_looking(None, false, Duration::from_millis(20));
    assert!(wait_for(&bench, "/healthz", "\r\n\r\nok\n").starts_with("HTTP/1.1 200"));
    // As a full disk answers whoever writes, from another connection.
    let disk = rusqlite::Connection::open(bench.folder.path().join("demo/ledger.sqlite")).unwrap();
    disk.busy_timeout(Duration::from_secs(60)).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON setting BEGIN SELECT RAISE(ABORT, 'disk is full'); END";
    disk.execute_batch(full).unwrap();
    let ill = wait_for(&bench, "/healthz", "the ledger can't be read or written");
    assert!(ill.starts_with("HTTP/1.1 503") && !ill.contains("disk is full"), "no more than it means: {ill}");
    // Rounds pass, and each would write.
    std::thread::sleep(Duration::from_millis(200));
    let state = get(&bench, "/api/state", "");
    assert_eq!(state.matches("disk is full").count(), 1, "told once, with the cause: {state}");
    let metrics = get(&bench, "/metrics", "");
    for line in ["tonopago_troubles_total 1\n", "tonopago_fault{fault=\"ledger\"} 1\n", "{fault=\"account\"} 0\n"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    disk.execute_batch("DROP TRIGGER full").unwrap();
    assert!(wait_for(&bench, "/healthz", "\r\n\r\nok\n").starts_with("HTTP/1.1 200"), "by itself");
    assert!(get(&bench, "/metrics", "").contains("tonopago_fault{fault=\"ledger\"} 0\n"));
}

#[test]
fn metrics_tell_what_has_not_come_to_its_end() {
    let bench = bench(None);
    let metrics = || get(&bench, "/metrics", "");
    assert!(
        metrics().contains("tonopago_open_attempts 0\n")
            && metrics().contains("tonopago_declined_total{line=\"l1\"} 0")
    );
    let key = bench.shop.demo_key().unwrap();
    let reply = bench.shop.perform(crate::service::Request::Authorize { key: key.clone(), values: Vec::new() });
    let crate::service::Reply::Authorize(crate::service::AuthorizeReply::Authorized(authorization)) = reply else {
        panic!("{reply:?}")
    };
    bench.shop.ledger.keep_notifications().unwrap();
    let new = crate::ledger::NewAttempt {
        key: &key,
        authorization: &authorization,
        brand: crate::card::Brand::Visa,
        last_four: crate::card::Pan::parse("4111111111111111").ok().unwrap().last_four(),
        months: None,
    };
    let attempt = bench.shop.ledger.prepare_attempt(&new).unwrap().ok().unwrap();
    assert!(metrics().contains("tonopago_open_attempts 1\n"), "{}", metrics());
    bench.shop.ledger.settle(attempt.id, &crate::ledger::Outcome::Declined { code: Some(3001), counts: true }).unwrap();
    let after = metrics();
    assert!(
        after.contains("tonopago_open_attempts 0\n") && after.contains("tonopago_undelivered_notifications 1\n"),
        "{after}"
    );
}
