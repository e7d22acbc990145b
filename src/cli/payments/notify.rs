//! `tonopago payments notify`: tell the merchant how payments ended.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use tonopago::http::{Authorities, Endpoint, Secret, SigningSecret};
use tonopago::ledger::Notification;
use tonopago::payment::{Notifier, NotifierConfig, NotifyReport};

use super::super::merchant::LedgerArgs;
use super::super::{FAILED, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago payments notify --ledger ledger.sqlite --to https://merchant.example/openpay/result \\
           --secret-file report.secret
  tonopago payments notify --ledger ledger.sqlite --list

The first time, this switches notifications on: from then on every outcome and every refund recorded in this ledger leaves \
one, which is delivered when it is due. A failed delivery is due again after 5 s, 30 s, 2 min and so on up to 4 h, for three days.

Exit codes: 0 all that was due was delivered, 1 something was not.")]
pub(super) struct Notify {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The merchant's address, path and all
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    to: Option<String>,
    /// File with the secret shared with the merchant, readable by its owner only; else it is taken from
    /// TONOPAGO_REPORT_SECRET
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Trust only the certificates in this PEM file, not the public authorities
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Try everything undelivered now, what was given up too
    #[arg(long)]
    retry: bool,
    /// List the latest notifications and all that were not delivered, newest first, and stop
    #[arg(long, conflicts_with_all = ["to", "retry"])]
    list: bool,
}

impl Notify {
    pub(super) fn run(self) -> Outcome {
        let Some(to) = &self.to else {
            let mut output = std::io::stdout().lock();
            for notification in self.ledger.look(|ledger| ledger.latest_notifications(50))? {
                writeln!(output, "{}", line(&notification))?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        let endpoint = Endpoint::parse(to).map_err(|error| Failure::usage(format!("--to: {error}")))?;
        let secret = Secret::ReportSecret.read(self.secret_file.as_deref()).map_err(Failure::failed)?;
        let secret = SigningSecret::new(&secret).map_err(Failure::failed)?;
        let authorities = self.ca_file.as_deref().map(Authorities::from_file).transpose().map_err(Failure::failed)?;
        let ledger = self.ledger.open_existing()?;
        if self.retry {
            ledger.retry_notifications().map_err(Failure::failed)?;
        }
        let config = NotifierConfig { authorities, ..NotifierConfig::new(endpoint, secret) };
        let report = Notifier::new(ledger, config).and_then(|notifier| notifier.deliver()).map_err(Failure::failed)?;
        let NotifyReport { delivered, failed, given_up } = report;
        writeln!(std::io::stdout().lock(), "delivered {delivered}, to be tried again {failed}, given up {given_up}")?;
        Ok(if failed + given_up == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}

fn line(notification: &Notification) -> String {
    let Notification { event_id, event, order_id, created, tries, .. } = notification;
    let state = match (notification.delivered, notification.given_up) {
        (Some(at), _) => format!("delivered {at:.0}"),
        (None, true) => "given up".to_owned(),
        (None, false) => format!("due {:.0}", notification.due),
    };
    let error = notification.last_error.as_deref().unwrap_or_default();
    format!("{created:.0}  {event:<17} {order_id:<20}  {state:<30} tries {tries}  {event_id}  {error}")
}
