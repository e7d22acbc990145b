//! Real TLS on loopback: who is believed, and who is not.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::super::{Credentials, HttpClient, Server, ServerLimits, Timeouts, TransportError};
use super::*;

struct Files {
    folder: TempDir,
}

impl Files {
    /// A self-signed certificate for a name, expired or not, and its key.
    fn make(name: &str, expired: bool) -> Self {
        Self::make_as(name, expired, IsCa::NoCa)
    }

    fn make_as(name: &str, expired: bool, is_ca: IsCa) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = is_ca;
        if expired {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }
        let certificate = params.self_signed(&key).unwrap();
        let files = Self { folder };
        std::fs::write(files.certificate(), certificate.pem()).unwrap();
        std::fs::write(files.key(), key.serialize_pem()).unwrap();
        files.allow(0o600);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn allow(&self, mode: u32) {
        std::fs::set_permissions(self.key(), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn identity(&self) -> Result<TlsIdentity, TlsError> {
        TlsIdentity::from_files(&self.certificate(), &self.key())
    }

    fn serve(&self) -> Server {
        let routes = Router::new().route("/", get(async || "ok").merge(post(async |body: String| body)));
        let limits = ServerLimits { head: Duration::from_secs(2), ..ServerLimits::default() };
        Server::start_with("tls", "127.0.0.1:0".parse().unwrap(), routes, limits, Some(self.identity().unwrap()))
            .unwrap()
    }

    fn trusting(&self) -> HttpClient {
        let authorities = Authorities::from_file(&self.certificate()).unwrap();
        HttpClient::trusting(Some(&authorities), None, patient())
    }
}

fn patient() -> Timeouts {
    Timeouts::answering_within(Duration::from_secs(20))
}

#[test]
fn a_trusted_certificate_is_believed_and_carries_requests() {
    let files = Files::make("127.0.0.1", false);
    let server = files.serve();
    assert!(server.url().starts_with("https://"));
    assert_eq!(files.trusting().post(&server.url(), b"{}").map(|answer| answer.body), Ok(b"{}".to_vec()));
}

#[test]
fn strangers_wrong_names_and_expired_certificates_are_sent_nothing() {
    let not_sent = |client: HttpClient, server: &Server| {
        let error = client.post(&server.url(), b"{}").err().unwrap();
        assert!(matches!(&error, TransportError::NotSent(text) if text.contains("ertificate")), "{error:?}");
    };
    let good = Files::make("127.0.0.1", false);
    let server = good.serve();
    not_sent(HttpClient::new(Credentials::new("", ""), patient()), &server); // the public authorities know it not
    not_sent(Files::make("127.0.0.1", false).trusting(), &server); // another's certificate of the same name
    let other_name = Files::make("merchant.example", false);
    not_sent(other_name.trusting(), &other_name.serve());
    let expired = Files::make("127.0.0.1", true);
    not_sent(expired.trusting(), &expired.serve());
}

/// It said `Other(OtherError(CaUsedAsEndEntity))`, of what `openssl req -x509` makes.
#[test]
fn an_authoritys_own_certificate_is_told_as_what_it_is() {
    let authority = Files::make_as("127.0.0.1", false, IsCa::Ca(BasicConstraints::Unconstrained));
    let own = authority.trusting().post(&authority.serve().url(), b"{}").err().unwrap().to_string();
    assert!(own.contains("basicConstraints CA:FALSE"), "{own}");
    let server = Files::make("127.0.0.1", false).serve();
    let stranger = HttpClient::new(Credentials::new("", ""), patient()).get(&server.url()).err().unwrap().to_string();
    assert!(stranger.contains("no authority that is trusted here"), "{stranger}");
}

#[test]
fn a_server_that_shakes_no_hands_was_sent_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let timeouts = Timeouts { connect: Duration::from_millis(200), ..patient() };
    let client = HttpClient::new(Credentials::new("", ""), timeouts);
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let error = client.post(&url, b"{}").err().unwrap();
    assert!(matches!(&error, TransportError::NotSent(text) if text.contains("connect")), "{error:?}");
}

#[test]
fn a_client_that_speaks_no_tls_is_shown_the_door_and_others_are_served() {
    let files = Files::make("127.0.0.1", false);
    let server = files.serve();
    let plain = HttpClient::new(Credentials::new("", ""), patient());
    assert!(plain.get(&server.url().replace("https", "http")).is_err());
    assert!(files.trusting().get(&server.url()).is_ok());
}

/// A server had to be started again for it, every few weeks: until then it showed the one that had expired.
#[test]
fn a_renewed_certificate_is_shown_once_it_was_read_and_one_that_is_no_good_is_not() {
    let (old, renewed) = (Files::make("127.0.0.1", true), Files::make("127.0.0.1", false));
    let identity = old.identity().unwrap();
    let (routes, limits) = (Router::new().route("/", get(async || "ok")), ServerLimits::default());
    let bind = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_with("tls", bind, routes, limits, Some(identity.clone())).unwrap();
    let is_believed = || renewed.trusting().get(&server.url()).is_ok();
    assert!(!is_believed());
    std::fs::copy(renewed.certificate(), old.certificate()).unwrap();
    let half = identity.read_again().unwrap_err().to_string();
    assert!(half.contains("cert.pem") && half.contains("key.pem") && !is_believed(), "{half}");
    std::fs::copy(renewed.key(), old.key()).unwrap();
    identity.read_again().unwrap();
    assert!(is_believed());
    std::fs::write(old.certificate(), "half writ").unwrap();
    assert!(identity.read_again().is_err() && is_believed(), "what was shown is shown on");
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let files = Files::make("127.0.0.1", false);
    let problem = |files: &Files| files.identity().err().unwrap().to_string();
    files.allow(0o644);
    assert!(problem(&files).contains("chmod 600"));
    files.allow(0o600);
    std::fs::write(files.key(), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(problem(&files).contains("key.pem"), "{}", problem(&files));
    std::fs::write(files.certificate(), "hello").unwrap();
    assert!(problem(&files).contains("cert.pem: there is no certificate in it"), "{}", problem(&files));
    // Who trusted this believed nobody, and heard of authorities that are not trusted.
    std::fs::write(files.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let junk = Authorities::from_file(&files.certificate()).err().unwrap().to_string();
    assert!(junk.ends_with("cert.pem: none of its certificates can be read"), "{junk}");
    std::fs::remove_file(files.certificate()).unwrap();
    assert!(problem(&files).contains("cert.pem"), "{}", problem(&files));
    assert!(Authorities::from_file(&files.certificate()).is_err());
}
