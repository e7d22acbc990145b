//! `tonopago payments settle`: a person ends what the gateway's answers can't decide.

use std::io::Write as _;
use std::process::ExitCode;

use tonopago::ledger::{Attempt, ByHand, Ledger, RefundState, Seen};

use super::super::merchant::LedgerArgs;
use super::super::{Failure, Outcome};
use super::one::{OneArgs, tell};

/// Variables that say who is logged in, the first that is set.
const LOGIN: [&str; 3] = ["SUDO_USER", "USER", "LOGNAME"];

#[derive(clap::Args)]
#[command(after_help = "\
For an attempt that stays open whatever `payments reconcile` asks: Openpay has another amount under its order id, an entry that \
can't be read, or a charge of which nobody can tell whether it is the attempt's. It blocks its key and its order until somebody \
decides. The state must be sent or unknown (`payments show`), and unpaid is not taken until 30 minutes after it was sent, as the \
charge may still be on its way.

First look the order up in Openpay's dashboard, by the order id that `payments show` gives as gateway_order_id:
  paid       there is a completed charge under it that is this payment: amount, card's last digits,
             time. Take its id.
  elsewhere  there is a completed charge under it that is not this payment, but paid the order:
             another box's, or one made by other means. The order is charged no more, and this
             ledger books no payment. Take its id.
  unpaid     every charge under it failed, or is not this payment, or there is none; and none is in
             progress or pending.
Unpaid lets the order be charged again, under another order id: if it was paid after all, the customer pays twice. Paid is \
final, and so is elsewhere; to give money back use `payments refund`.

A refund whose outcome is not known (`refund_open` in `payments show`) keeps others of its payment from being sent. Where \
`payments reconcile` can't decide it, look at the charge's refunds in the dashboard; not-refunded is not taken for 30 minutes:
  refunded      a refund of that amount and time is there.
  not-refunded  none is: the next `payments refund` is sent, and if it was made after all, the
                customer is paid twice.

Who settled it and why stand in the audit trail; the merchant is notified of it, but of no refund that was not made.

Examples:
  tonopago payments settle --ledger ledger.sqlite 100017 --as unpaid \\
           --reason \"only a charge of 99.00 of another order there\"
  tonopago payments settle --ledger ledger.sqlite 100017 --as paid --charge trzjaozcik8msyqshka4 \\
           --reason \"seen in dashboard\"")]
pub(super) struct Settle {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    payment: OneArgs,
    /// What it is
    #[arg(long = "as", value_name = "WHAT", value_enum)]
    verdict: Verdict,
    /// How it was found out, one line without card numbers
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Openpay's id of the charge that paid
    #[arg(long, value_name = "ID", required_if_eq_any([("verdict", "paid"), ("verdict", "elsewhere")]))]
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
    /// Another charge, which is completed, paid the order
    Elsewhere,
    /// No charge took money or will
    Unpaid,
    /// The refund whose outcome is not known was made
    Refunded,
    /// The refund whose outcome is not known was not made and will not be
    NotRefunded,
}

impl Settle {
    pub(super) fn run(self) -> Outcome {
        if !matches!(self.verdict, Verdict::Paid | Verdict::Elsewhere) && self.charge.is_some() {
            return Err(Failure::usage("--charge is what paid: it goes with --as paid and --as elsewhere only"));
        }
        let login = || LOGIN.iter().find_map(|name| std::env::var(name).ok().filter(|login| !login.is_empty()));
        let who = self.by.clone().or_else(login);
        let who = who.ok_or_else(|| Failure::usage("nobody is logged in: say who you are with --by"))?;
        let ledger = self.ledger.open_existing()?;
        let attempt = self.payment.find(&ledger)?;
        tell(&attempt);
        if matches!(self.verdict, Verdict::Refunded | Verdict::NotRefunded) {
            return self.settle_refund(&ledger, &attempt, &who);
        }
        let by = ByHand { who: &who, reason: &self.reason };
        let settled = ledger.settle_by_hand(attempt.id, self.seen(), by).map_err(Failure::failed)?;
        writeln!(std::io::stdout().lock(), "{} is {} now", settled.ledger_reference(), settled.state)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Settle {
    fn seen(&self) -> Seen<'_> {
        match (self.charge.as_deref(), self.authorization.as_deref()) {
            (Some(charge), number) if self.verdict == Verdict::Elsewhere => Seen::Elsewhere(charge, number),
            (Some(charge), number) => Seen::Paid(charge, number),
            (None, _) => Seen::Unpaid,
        }
    }

    fn settle_refund(&self, ledger: &Ledger, attempt: &Attempt, who: &str) -> Outcome {
        let by = ByHand { who, reason: &self.reason };
        let made = self.verdict == Verdict::Refunded;
        let refund = ledger.settle_refund_by_hand(attempt.id, made, by).map_err(Failure::failed)?;
        let (amount, payment) = (refund.amount, attempt.ledger_reference());
        let outcome = if refund.state == RefundState::Refunded { "made" } else { "not made" };
        writeln!(std::io::stdout().lock(), "the refund of {amount} of {payment} counts as {outcome} now")?;
        Ok(ExitCode::SUCCESS)
    }
}
