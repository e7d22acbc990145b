//! `tonopago authorizer ask`: one question to a merchant's authorizer, as a box asks it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tonopago::authorizer::AuthorizerClient;
use tonopago::clock::SystemClock;
use tonopago::service::{PaymentKey, Refusal};
use tonopago::station::{Config, Services};

use crate::cli::{FAILED, Failure, Outcome};

/// Ask a box's authorizer as the box does, and tell what it understands of the answer
///
/// For whoever writes an authorizer: it shows what is wrong with an answer where a caller would hear only that the service is
/// not available. Nothing is charged, and the box need not run.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago authorizer ask --config box.yaml 257139
  tonopago authorizer ask --config box.yaml 20230017 --with parte=500.00
  tonopago authorizer ask --config box.yaml --with monto=250.00

The key of a real order is no secret any more once it stands in a shell's history: ask about keys made for tests.

Exit codes: 0 authorized, 1 refused, or no answer that a box can use, 2 the command line is wrong.")]
pub(super) struct Ask {
    /// The payment key, or the number of an account; none for a question without one
    #[arg(value_name = "KEY", value_parser = digits)]
    key: Option<String>,
    /// The box's configuration, whose services: are asked
    #[arg(long, short, value_name = "FILE", default_value = "box.yaml")]
    config: PathBuf,
    /// What a menu would send along, as its with: names it; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    with: Vec<(String, String)>,
}

fn digits(text: &str) -> Result<String, String> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { Ok(text.to_owned()) } else { Err("write the digits that a caller keys".to_owned()) }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as monto=250.00")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Ask {
    pub(super) fn run(self) -> Outcome {
        let config = Config::read(&self.config).map_err(Failure::failed)?;
        let Services::Live(live) = config.services else {
            let file = self.config.display();
            return Err(Failure::failed(format!(
                "{file}: its services: are a demonstration: there is nobody to be asked"
            )));
        };
        let key = self.key.map_or_else(PaymentKey::none, PaymentKey::new);
        let client = AuthorizerClient::new(live.authorizer, Arc::new(SystemClock));
        match client.ask_unlogged(&key, &self.with).map_err(Failure::failed)? {
            Ok(allowed) => {
                tell!("authorized: {} for order {}, {:?}", allowed.amount, allowed.order_id, allowed.description);
                for (name, value) in &allowed.values {
                    tell!("tells: {name} = {value}");
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(refusal) => {
                tell!("refused: {}", name(refusal));
                Ok(ExitCode::from(FAILED))
            }
        }
    }
}

const fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "unknown",
        Refusal::Expired => "expired",
        Refusal::AlreadyPaid => "already paid",
        Refusal::Blocked => "blocked",
    }
}
