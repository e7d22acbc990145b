//! `tonopago sandbox`: the local Openpay.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use tonopago::http::Termination;
use tonopago::money::{Currency, Money};
use tonopago::openpay::sandbox::{OrderIds, Sandbox, SandboxConfig};

use super::merchant::GRACE;
use super::{Failure, Outcome};

/// Run a local stand-in for Openpay
///
/// It serves what tonopago uses of Openpay's API over HTTP, with Openpay's test cards. Any expiry in the future and any
/// CVV of the right length are good. Faults are ordered with POST /admin/faults and the private key.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago sandbox
  tonopago sandbox --listen 127.0.0.1:8770 --file sandbox.sqlite --secure-from 10000
  curl -u sk_sandbox00000000000000000000000000: \\
       -d '{\"operation\":\"charge\",\"fault\":{\"kind\":\"drop_after\"}}' \\
       http://127.0.0.1:8770/admin/faults")]
pub(super) struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8770")]
    listen: SocketAddr,
    /// SQLite file, so that a restart forgets nothing; else everything is kept in memory
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What an order id is unique among
    #[arg(long, value_enum, default_value_t = Unique::All)]
    order_ids: Unique,
    /// Ask for 3-D Secure, which a telephone can't do, from this amount in MXN
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    secure_from: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Unique {
    /// All transactions
    All,
    /// Successful transactions
    Successful,
}

pub(super) fn run(args: Args) -> Outcome {
    let amount = args.secure_from.map(|text| Money::parse(&text, Currency::Mxn)).transpose();
    let order_ids = match args.order_ids {
        Unique::All => OrderIds::AmongAll,
        Unique::Successful => OrderIds::AmongSuccessful,
    };
    let config = SandboxConfig {
        bind: args.listen,
        file: args.file,
        order_ids,
        three_d_secure_from: amount.map_err(|error| Failure::usage(format!("--secure-from: {error}")))?,
        ..SandboxConfig::default()
    };
    let (merchant, private, public) =
        (config.merchant_id.clone(), config.private_key.clone(), config.public_key.clone());
    let termination = Termination::listen().map_err(Failure::failed)?;
    let sandbox = Sandbox::start(config).map_err(Failure::failed)?;
    let address = sandbox.base_url();
    let told = format!("address {address}\nmerchant {merchant}\nprivate key {private}\npublic key {public}\n");
    std::io::stdout().write_all(told.as_bytes())?; // at once: whoever reads may go after the first line
    termination.wait();
    sandbox.stop(GRACE);
    Ok(ExitCode::SUCCESS)
}
