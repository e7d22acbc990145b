//! `tonopago authorizer`: the service a merchant runs.

mod ask;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tonopago::authorizer::{AuthorizerServer, GuessLimits, Profile, Protection, ServerConfig};
use tonopago::http::{Credentials, Secret, SigningSecret, Termination, TlsIdentity};
use tonopago::limits::VelocityLimit;
use tonopago::text_file;
use zeroize::Zeroizing;

use super::merchant::{GRACE, LedgerArgs};
use super::{Failure, Outcome};

/// Fewest characters of the password the box must know. Nothing locks the right password out, so it must be beyond guessing: 16
/// random hexadecimal digits are.
const MIN_PASSWORD_CHARACTERS: usize = 16;

/// The merchant's side: answer whether a payment key is good, and for how much
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  TONOPAGO_AUTHORIZER_PASSWORD=... tonopago authorizer serve --ledger ledger.sqlite
  tonopago authorizer serve --ledger ledger.sqlite --listen 127.0.0.1:8765 --user ivr \\
           --password-file password
  tonopago authorizer serve --ledger ledger.sqlite --listen 0.0.0.0:8443 --password-file password \\
           --tls-cert cert.pem --tls-key key.pem --report-secret-file report.secret

POST /openpay/authorizer answers about keys. POST /openpay/result takes boxes' signed reports of payments, if there is a \
report secret. GET /healthz says ok; GET /metrics (with user and password) is for Prometheus. SIGTERM or Ctrl-C let the \
answers under way end. SIGHUP reads certificate and key again: send it when they were renewed (certbot's --deploy-hook).

Wrong keys lock whoever tries them: more than 20 in a minute from one address, or 5 of one caller, for 15 minutes, and each \
time for twice as long, up to a day. While it is locked even right keys get no answer (HTTP 429). Behind a proxy all boxes have \
one address, and share --wrong-keys-per-hour and --requests-per-minute.

Wrong passwords are slowed down and locked likewise, but the right one is always taken: so it must be long. Make one with \
openssl rand -hex 32.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Serve POST /openpay/authorizer from the ledger's payment keys
    Serve(Box<Serve>),
    Ask(ask::Ask),
    /// Print the default wire contract as JSON, to be changed and given to serve --profile
    #[command(after_help = "Example:
  tonopago authorizer profile > profile.json")]
    Profile,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  tonopago authorizer serve --ledger ledger.sqlite --listen 127.0.0.1:8765 --user ivr \\
           --password-file password")]
struct Serve {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Where to listen; on anything but this machine with --tls-cert, or behind a proxy that speaks TLS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// User the box authenticates as
    #[arg(long, default_value = "ivr")]
    user: String,
    /// File with the box's password, 16 characters or more, readable by its owner only; else it is taken from
    /// TONOPAGO_AUTHORIZER_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// JSON file with names and codes of the wire contract that differ from the default
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Certificate chain, PEM, the server's own first
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM, readable by its owner only
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Take boxes' reports signed with the secret in this file (else in TONOPAGO_REPORT_SECRET; without either, none)
    #[arg(long, value_name = "FILE")]
    report_secret_file: Option<PathBuf>,
    /// Wrong keys an hour from one address until it is locked; a third of them in one minute lock it, too
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    wrong_keys_per_hour: u32,
    /// Requests a minute from one address
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_minute: u32,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Serve(serve) => serve.run(),
        Command::Ask(ask) => ask.run(),
        Command::Profile => {
            let json = serde_json::to_string_pretty(&Profile::default()).map_err(Failure::failed)?;
            writeln!(std::io::stdout().lock(), "{json}")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Serve {
    fn run(self) -> Outcome {
        if self.user.contains(':') {
            return Err(Failure::usage("--user can't contain a colon (RFC 7617)"));
        }
        let credentials = Credentials::new(&self.user, &self.password()?);
        let profile = self.profile.as_deref().map_or_else(|| Ok(Profile::default()), read_profile)?;
        let protection = self.protection()?;
        if !self.listen.ip().is_loopback() && protection.tls.is_none() {
            say!("tonopago: warning: {} is not encrypted; give --tls-cert, or put a TLS proxy in front", self.listen);
        }
        let config = ServerConfig { bind: self.listen, credentials, profile };
        let termination = Termination::listen().map_err(Failure::failed)?;
        let tls = protection.tls.clone();
        // Without a certificate there is nothing to read again.
        let termination = if tls.is_some() { termination.or_reload().map_err(Failure::failed)? } else { termination };
        let server = AuthorizerServer::start_with(config, self.ledger.open()?, protection).map_err(Failure::failed)?;
        std::io::stdout().write_all(format!("address {}\n", server.url()).as_bytes())?;
        termination.wait_reloading(&mut || tls.iter().for_each(show_anew));
        if !server.stop(GRACE) {
            say!("tonopago: an answer took too long and was cut off");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn password(&self) -> Result<Zeroizing<String>, Failure> {
        let password = Secret::AuthorizerPassword.read(self.password_file.as_deref()).map_err(Failure::failed)?;
        if password.chars().count() < MIN_PASSWORD_CHARACTERS {
            return Err(Failure::failed(format!(
                "the authorizer password has fewer than {MIN_PASSWORD_CHARACTERS} characters and could be guessed: make one \
                 with `openssl rand -hex 32`, for this service and its boxes"
            )));
        }
        Ok(password)
    }

    fn protection(&self) -> Result<Protection, Failure> {
        let tls = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        let tls = tls.map(|(cert, key)| TlsIdentity::from_files(cert, key)).transpose().map_err(Failure::failed)?;
        let defaults = GuessLimits::default();
        let per_minute = self.wrong_keys_per_hour.div_ceil(3);
        let per_source = VelocityLimit { per_minute, per_hour: self.wrong_keys_per_hour, ..defaults.per_source };
        let guesses = GuessLimits { per_source, requests_per_minute: self.requests_per_minute, ..defaults };
        Ok(Protection { tls, guesses, reports: self.report_secret()?, ..Protection::default() })
    }

    fn report_secret(&self) -> Result<Option<SigningSecret>, Failure> {
        if self.report_secret_file.is_none() && std::env::var_os(Secret::ReportSecret.variable()).is_none() {
            return Ok(None);
        }
        let text = Secret::ReportSecret.read(self.report_secret_file.as_deref()).map_err(Failure::failed)?;
        SigningSecret::new(&text).map(Some).map_err(Failure::failed)
    }
}

/// A certificate that was renewed is shown from now on; one that can't be used leaves the old one, and is told.
fn show_anew(tls: &TlsIdentity) {
    match tls.read_again() {
        Ok(()) => tracing::info!("certificate and key were read again"),
        Err(error) => tracing::error!("the old certificate is shown on: {error}"),
    }
}

fn read_profile(path: &Path) -> Result<Profile, Failure> {
    let text = text_file::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    Profile::parse(&text).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}
