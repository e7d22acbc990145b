//! `tonopago payments settle`: a person ends what the gateway's answers can't decide.

use std::io::Write as _;
use std::process::ExitCode;

use tonopago::ledger::{Attempt, ByHand, Ledger, RefundState, State};

use super::super::merchant::LedgerArgs;
use super::super::{Failure, Outcome};
use super::find;

/// Variables that say who is logged in, the first that is set.
const LOGIN: [&str; 3] = ["SUDO_USER", "USER", "LOGNAME"];

#[derive(clap::Args)]
#[command(after_help = "\
For an attempt that stays open whatever `payments reconcile` asks: Openpay has another amount under its order id, or an entry
that can't be read. It blocks its key and its order until somebody decides. The state must be sent or unknown (`payments
show`), and unpaid is not taken until 30 minutes after it was sent, as the charge may still be on its way.

First look the order up in Openpay's dashboard, by the order id that `payments show` gives as gateway_order_id:
  paid    there is a completed charge under it that is this payment: amount, card's last digits, time. Take its id.
  unpaid  every charge under it failed, or is not this payment, or there is none; and none is in progress or pending.
Unpaid lets the order be charged again, under another order id: if it was paid after all, the customer pays twice. Paid is
final; to give money back use `payments refund`.

A refund whose outcome is not known (`refund_open` in `payments show`) keeps others of its payment from being sent. Where
`payments reconcile` can't decide it, look at the charge's refunds in the dashboard; not-refunded is not taken for 30 minutes:
  refunded      a refund of that amount and time is there.
  not-refunded  none is: the next `payments refund` is sent, and if it was made after all, the customer is paid twice.

Who settled it and why stand in the audit trail; the merchant is notified of payments, not of refunds.

Examples:
  tonopago payments settle --ledger ledger.sqlite 100017 --as unpaid --reason \"only a charge of 99.00 of another order there\"
  tonopago payments settle --ledger ledger.sqlite 100017 --as paid --charge trzjaozcik8msyqshka4 --reason \"seen in dashboard\"")]
pub(super) struct Settle {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Reference or order of the attempt
    reference: String,
    /// What it is
    #[arg(long = "as", value_name = "WHAT", value_enum)]
    verdict: Verdict,
    /// How it was found out, one line without card numbers
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Openpay's id of the charge that paid
    #[arg(long, value_name = "ID", required_if_eq("verdict", "paid"))]
    charge: Option<String>,
    /// The bank's authorization number, if Openpay shows one
    #[arg(long, value_name = "NUMBER", requires = "charge")]
    authorization: Option<String>,
    /// Who says so; the login name, if not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Verdict {
    /// The charge exists and is completed
    Paid,
    /// No charge took money or will
    Unpaid,
    /// The refund whose outcome is not known was made
    Refunded,
    /// The refund whose outcome is not known was not made and will not be
    NotRefunded,
}

impl Settle {
    pub(super) fn run(self) -> Outcome {
        if self.verdict != Verdict::Paid && self.charge.is_some() {
            return Err(Failure::usage("--charge is what paid: it goes with --as paid only"));
        }
        let login = || LOGIN.iter().find_map(|name| std::env::var(name).ok().filter(|login| !login.is_empty()));
        let who = self.by.clone().or_else(login);
        let who = who.ok_or_else(|| Failure::usage("nobody is logged in: say who you are with --by"))?;
        let ledger = self.ledger.open_existing()?;
        let found = find(&ledger, &self.reference)?;
        if matches!(self.verdict, Verdict::Refunded | Verdict::NotRefunded) {
            return self.settle_refund(&ledger, &found, &who);
        }
        let attempt = only_open(found, &self.reference)?;
        let paid = self.charge.as_deref().map(|charge| (charge, self.authorization.as_deref()));
        let found = ByHand { who: &who, reason: &self.reason, paid };
        let settled = ledger.settle_by_hand(attempt.id, &found).map_err(Failure::failed)?;
        writeln!(std::io::stdout().lock(), "{} is {} now", settled.ledger_reference(), settled.state)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Settle {
    fn settle_refund(&self, ledger: &Ledger, found: &[Attempt], who: &str) -> Outcome {
        let mut open = found.iter().filter(|attempt| attempt.refund_open.centavos > 0);
        let (Some(attempt), None) = (open.next(), open.next()) else {
            return Err(Failure::failed(format!(
                "{:?} is not exactly one payment with an open refund",
                self.reference
            )));
        };
        let found = ByHand { who, reason: &self.reason, paid: None };
        let made = self.verdict == Verdict::Refunded;
        let refund = ledger.settle_refund_by_hand(attempt.id, made, &found).map_err(Failure::failed)?;
        let (amount, payment) = (refund.amount, attempt.ledger_reference());
        let outcome = if refund.state == RefundState::Refunded { "made" } else { "not made" };
        writeln!(std::io::stdout().lock(), "the refund of {amount} of {payment} counts as {outcome} now")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The attempt that waits for a decision, of those a reference finds.
fn only_open(found: Vec<Attempt>, reference: &str) -> Result<Attempt, Failure> {
    let states = found.iter().map(|attempt| format!("{} {}", attempt.ledger_reference(), attempt.state));
    let states = states.collect::<Vec<_>>().join(", ");
    let mut open = found.into_iter().filter(|attempt| matches!(attempt.state, State::Sent | State::Unknown));
    match (open.next(), open.next()) {
        (Some(attempt), None) => Ok(attempt),
        _ => {
            Err(Failure::failed(format!("{reference:?} is not exactly one payment that is sent or unknown: {states}")))
        }
    }
}
