//! Looks at what stands behind the lines: ledger, authorizer, gateway, and whoever is told of payments.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Finding, LEAST_FREE, disk, nearest};
use crate::authorizer::{AskError, AuthorizerClient, AuthorizerConfig};
use crate::clock::{SystemClock, disagreement};
use crate::http::{Answer, HttpClient, Timeouts, redirected};
use crate::ledger::{Condition, Ledger};
use crate::openpay::{self, ApiError, Client};
use crate::payment::NotifierConfig;
use crate::station::config::Services;

/// How long a service may take to answer.
const ANSWER: Duration = Duration::from_secs(15);
/// What to do where nothing answers.
const NO_ANSWER: &str = "see url, the network, the name server, and whether the service runs; for TLS its certificate, its \
                         version (1.2 or newer) and this machine's clock";

pub(super) fn examine(services: &Services, tell: &mut dyn FnMut(Finding)) {
    let live = match services {
        Services::Demo(folder) => {
            tell(Finding::doubtful(
                "services",
                "a demonstration: nothing is charged",
                "name ledger, authorizer and openpay",
            ));
            return tell(disk("disk", nearest(folder), LEAST_FREE));
        }
        Services::Live(live) => live,
    };
    tell(ledger(&live.ledger));
    tell(disk("disk", nearest(&live.ledger), LEAST_FREE));
    tell(authorizer(&live.authorizer));
    tell(gateway(&live.openpay));
    if let Some(config) = &live.notify {
        tell(notify(config));
    }
}

/// The box itself makes its ledger: a file of whoever asked first would not be its user's.
pub(super) fn ledger(file: &Path) -> Finding {
    let (what, seen) = ("ledger", file.display().to_string());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match Ledger::condition(file) {
        Ok(Condition::Absent) if !folder.is_dir() => {
            let cure = "make the folder, for the user the box runs as";
            Finding::bad(what, format!("{seen}: there is no such folder"), cure)
        }
        Ok(Condition::Absent) => Finding::doubtful(
            what,
            format!("{seen} is not there yet"),
            "a box makes it at its first start; if this one has run before, see whether the path is right",
        ),
        Ok(Condition::Older) => Finding::good(what, format!("{seen}, brought up to date at the next start")),
        Ok(Condition::Current) => Finding::good(what, seen),
        Err(error) => Finding::bad(what, format!("{seen}: {error}"), error.cure()),
    }
}

/// Asks Openpay about the account.
fn gateway(config: &openpay::Config) -> Finding {
    let error = match Client::new(config).merchant_and_date() {
        Ok((_, date)) => return beside_its_clock(config.endpoint.as_str(), date),
        Err(error) => error,
    };
    let cure = match &error {
        openpay::Error::Transport(_) => NO_ANSWER,
        error if error.api().is_none_or(ApiError::is_no_answer_of_openpays) => {
            "see url, and the network: what answers there is not Openpay's service, or it is out of order"
        }
        openpay::Error::Api(_) | openpay::Error::Unreadable(_) => {
            "see merchant and key_file: the private key of the same account, for the same address"
        }
    };
    Finding::bad("Openpay", error.to_string(), cure)
}

/// Openpay answers, and says what time it is.
fn beside_its_clock(address: &str, date: Option<Timestamp>) -> Finding {
    match date.and_then(|date| disagreement(Timestamp::now(), date)) {
        None => Finding::good("Openpay", address),
        Some(by) => Finding::bad(
            "Openpay",
            format!("{address}: this machine's clock is {by} Openpay's"),
            "set the clock, and keep it right: see `timedatectl`; turn on systemd-timesyncd or chrony",
        ),
    }
}

/// Shows it user and password, and asks about no key.
fn authorizer(config: &AuthorizerConfig) -> Finding {
    let (what, url) = ("authorizer", config.endpoint.as_str());
    let timeouts = Timeouts::answering_within(ANSWER);
    let client = AuthorizerClient::new(AuthorizerConfig { timeouts, ..config.clone() }, Arc::new(SystemClock));
    let shown = client.show_credentials();
    if shown.as_ref().is_ok_and(is_page) {
        return Finding::doubtful(
            what,
            format!("{url} answers with a page for people: the password was not tried"),
            "see whether url is the authorizer's whole address, and not a page of the same site",
        );
    }
    match shown.map(|answer| answer.status) {
        // A service that stumbles over an empty question (400, 422) has looked at the password before.
        Ok(200..=299 | 400 | 415 | 422) => Finding::good(what, format!("{url} takes user and password")),
        Ok(status) => Finding::doubtful(
            what,
            format!("{url} answers with status {status}{}: the password was not tried", redirected(status)),
            "see whether url is the authorizer's whole address; a call shows whether the password is right",
        ),
        Err(error @ AskError::Status(429)) => Finding::doubtful(
            what,
            format!("{url}: {error}: the password was not tried"),
            "wait, and ask again: the service has locked this address for wrong passwords or too many questions",
        ),
        Err(error @ AskError::Status(401 | 403)) => Finding::bad(
            what,
            format!("{url}: {error}"),
            "see user and password_file: the merchant's service has the same",
        ),
        Err(error @ AskError::Transport(_)) => Finding::bad(what, format!("{url}: {error}"), NO_ANSWER),
        Err(error) => Finding::bad(what, format!("{url}: {error}"), "see url, and the merchant's service"),
    }
}

/// Many a site shows the same page whatever it is asked, and calls that a success.
fn is_page(answer: &Answer) -> bool {
    (200..300).contains(&answer.status) && answer.body.trim_ascii_start().starts_with(b"<")
}

/// Any answer shows that name, network and TLS are right; only a payment has a report to be signed.
fn notify(config: &NotifierConfig) -> Finding {
    let (what, url) = ("notify", config.endpoint.as_str());
    let client = HttpClient::trusting(config.authorities.as_ref(), None, Timeouts::answering_within(ANSWER));
    match client.get(url) {
        Ok(Answer { status: status @ (300..=399 | 404 | 500..), .. }) => Finding::doubtful(
            what,
            format!("{url} answers with status {status}{}", redirected(status)),
            "see whether url is the whole address reports are taken at, and the merchant's service",
        ),
        Ok(_) => Finding::good(what, format!("{url} answers; the secret was not tried")),
        Err(error) => Finding::bad(what, format!("{url}: {error}"), NO_ANSWER),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;
    use crate::authorizer::{AuthorizerServer, Profile, ServerConfig};
    use crate::http::{Credentials, Endpoint, SigningSecret};
    use crate::payment::{Rehearsal, RehearsalConfig};

    /// All was good with a wrong password, and with nobody there to be told.
    #[test]
    fn the_authorizers_password_is_tried_and_somebody_is_there_to_be_told() {
        let shop = Rehearsal::start(RehearsalConfig::default()).unwrap();
        let url = shop.authorizer.as_ref().unwrap().url();
        let asked = |url: &str| {
            authorizer(&AuthorizerConfig::new(Endpoint::parse(url).unwrap(), Credentials::new("ivr", "wrong")))
        };
        let wrong = asked(&url);
        assert_eq!((wrong.health, wrong.seen.contains("401")), (Health::Bad, true), "{wrong:?}");
        let elsewhere = asked(&url.replace("/openpay", "/elsewhere"));
        assert_eq!((elsewhere.health, elsewhere.seen.contains("not tried")), (Health::Doubtful, true), "{elsewhere:?}");
        let told = |url: &str| {
            notify(&NotifierConfig::new(Endpoint::parse(url).unwrap(), SigningSecret::new(&"s".repeat(40)).unwrap()))
        };
        assert_eq!(told(&url).health, Health::Good);
        drop(shop);
        assert_eq!((told(&url).health, asked(&url).health), (Health::Bad, Health::Bad));
    }

    /// What is answered once, and what is asked for meanwhile.
    fn asking<T: Send + 'static>(answer: &str, ask: impl FnOnce(&str) -> T + Send + 'static) -> T {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || ask(&url));
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut request).unwrap();
        std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        drop(stream);
        asked.join().unwrap()
    }

    /// It was good, and no report was ever delivered there.
    #[test]
    fn an_address_that_leads_elsewhere_is_doubtful() {
        let moved = "HTTP/1.1 301 Moved\r\nlocation: https://shop.example/\r\ncontent-length: 0\r\n\r\n";
        let found = asking(moved, |url| {
            let secret = SigningSecret::new(&"s".repeat(40)).unwrap();
            notify(&NotifierConfig::new(Endpoint::parse(&format!("{url}/reports")).unwrap(), secret))
        });
        assert_eq!((found.health, found.seen.contains("is not followed")), (Health::Doubtful, true), "{found:?}");
    }

    /// Of a shop's home page it said that it takes user and password, and of a portal's to look at the key.
    #[test]
    fn a_page_is_neither_an_authorizer_nor_openpay() {
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n\n<!doctype html><p>Hola\n";
        let found = asking(page, |url| {
            authorizer(&AuthorizerConfig::new(Endpoint::parse(url).unwrap(), Credentials::new("ivr", "secret")))
        });
        assert_eq!((found.health, found.seen.contains("a page")), (Health::Doubtful, true), "{found:?}");
        for answer in [page, "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"] {
            let found = asking(answer, |url| {
                let key = openpay::PrivateKey::parse("sk_0123456789").unwrap();
                gateway(&openpay::Config::new(url, "mtonopagosandbox0001", key).unwrap())
            });
            assert_eq!((found.health, found.cure.contains("key_file")), (Health::Bad, false), "{found:?}");
        }
    }

    /// Of a name server that was down it said to look at merchant and key.
    #[test]
    fn where_nothing_answers_the_way_there_is_to_be_looked_at_and_not_the_key() {
        let key = || openpay::PrivateKey::parse("sk_0123456789").unwrap();
        let of = |url: &str| gateway(&openpay::Config::new(url, "mtonopagosandbox0001", key()).unwrap());
        assert!(of("https://a..b").cure.contains("name server"));
        let sandbox = openpay::sandbox::Sandbox::start(openpay::sandbox::SandboxConfig::default()).unwrap();
        let refused = of(&sandbox.base_url());
        assert_eq!((refused.health, refused.cure.contains("key_file")), (Health::Bad, true), "{refused:?}");
    }

    #[test]
    fn a_clock_beside_openpays_is_told() {
        let behind = beside_its_clock("https://a", Some(Timestamp::now() + jiff::SignedDuration::from_hours(50)));
        assert_eq!((behind.health, behind.seen.contains("2 days behind Openpay")), (Health::Bad, true), "{behind:?}");
        assert_eq!(beside_its_clock("https://a", Some(Timestamp::now())).health, Health::Good);
        assert_eq!(beside_its_clock("https://a", None).health, Health::Good);
    }

    #[test]
    fn a_good_password_is_good() {
        let credentials = Credentials::new("ivr", "pass-word-123");
        let ledger = Arc::new(Ledger::in_memory(Arc::new(SystemClock)).unwrap());
        let bind = ([127, 0, 0, 1], 0).into();
        let config = ServerConfig { bind, credentials: credentials.clone(), profile: Profile::default() };
        let server = AuthorizerServer::start(config, ledger).unwrap();
        let found = authorizer(&AuthorizerConfig::new(Endpoint::parse(&server.url()).unwrap(), credentials));
        assert_eq!((found.health, found.cure.as_str()), (Health::Good, ""), "{found:?}");
    }

    /// Of both it said "see the file's owner".
    #[test]
    fn a_newer_and_a_broken_ledger_have_cures_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.sqlite");
        drop(Ledger::open(&file, Arc::new(SystemClock)).unwrap());
        rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(ledger(&file).cure.contains("use the newer program"));
        std::fs::write(&file, "no database, and as long as a header is: ".repeat(10)).unwrap();
        assert!(ledger(&file).cure.contains("tonopago payments backup"));
    }
}
