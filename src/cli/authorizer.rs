//! `tonopago authorizer`: the service a merchant runs.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tonopago::authorizer::{AuthorizerServer, Profile, ServerConfig};
use tonopago::http::{Credentials, read_secret};

use super::merchant::LedgerArgs;
use super::{Failure, Outcome};

/// Environment variable of the password the box must know.
const PASSWORD: &str = "TONOPAGO_AUTHORIZER_PASSWORD";

/// The merchant's side: answer whether a payment key is good, and for how much
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  TONOPAGO_AUTHORIZER_PASSWORD=... tonopago authorizer serve --ledger ledger.sqlite
  tonopago authorizer serve --ledger ledger.sqlite --listen 127.0.0.1:8765 --user ivr --password-file password")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Serve POST /openpay/authorizer from the ledger's payment keys
    Serve(Serve),
    /// Print the default wire contract as JSON, to be changed and given to serve --profile
    Profile,
}

#[derive(clap::Args)]
struct Serve {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Where to listen; put a TLS proxy before anything but this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// User the box authenticates as
    #[arg(long, default_value = "ivr")]
    user: String,
    /// File with the box's password, readable by its owner only; else it is taken from TONOPAGO_AUTHORIZER_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// JSON file with names and codes of the wire contract that differ from the default
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Serve(serve) => serve.run(),
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
        let password = read_secret("authorizer password", PASSWORD, self.password_file.as_deref());
        let credentials = Credentials::new(&self.user, &password.map_err(Failure::failed)?);
        let profile = self.profile.as_deref().map_or_else(|| Ok(Profile::default()), read_profile)?;
        if !self.listen.ip().is_loopback() {
            eprintln!("tonopago: warning: {} is not encrypted; put a TLS proxy in front of it", self.listen);
        }
        let config = ServerConfig { bind: self.listen, credentials, profile };
        let server = AuthorizerServer::start(config, self.ledger.open()?).map_err(Failure::failed)?;
        std::io::stdout().write_all(format!("address {}\n", server.url()).as_bytes())?;
        server.wait();
        Ok(ExitCode::from(super::FAILED)) // it never stops by itself, unless serving failed
    }
}

fn read_profile(path: &Path) -> Result<Profile, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    serde_json::from_str(&text).map_err(|error| named(&error))
}
