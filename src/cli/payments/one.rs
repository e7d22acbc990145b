//! Which payment a command acts on: exactly one, whatever the text could mean.

use tonopago::ledger::{Attempt, Ledger, LedgerError, Naming};

use super::super::Failure;

/// The payment a command acts on.
#[derive(clap::Args)]
pub(super) struct OneArgs {
    /// Reference, order, charge id or authorization number of the attempt, or the account's number or payment key that was
    /// keyed; whatever it is, it must name one attempt only
    reference: String,
    /// What it is, if it could be several things: a key or an account nothing was paid under may be another payment's reference
    /// or authorization number
    #[arg(long, value_name = "WHAT", value_enum)]
    is: Option<By>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum By {
    /// This ledger's reference
    Reference,
    /// The merchant's order, or the attempt's order id at Openpay
    Order,
    /// Openpay's id of the charge
    Charge,
    /// The bank's authorization number
    Authorization,
    /// What the caller keyed: an account's number, or a payment key
    Keyed,
}

impl By {
    const fn naming(self) -> Naming {
        match self {
            Self::Reference => Naming::Reference,
            Self::Order => Naming::Order,
            Self::Charge => Naming::Charge,
            Self::Authorization => Naming::Authorization,
            Self::Keyed => Naming::Keyed,
        }
    }
}

impl OneArgs {
    /// The one attempt that is named, of whatever state. Where money or an order hangs on it, nothing is guessed: not
    /// even that of several only one could be meant.
    pub(super) fn find(&self, ledger: &Ledger) -> Result<Attempt, Failure> {
        let found = all(ledger, &self.reference, self.is).map_err(Failure::failed)?;
        match <[Attempt; 1]>::try_from(some(found, &self.reference)?) {
            Ok([attempt]) => Ok(attempt),
            Err(several) => Err(self.ambiguous(&several)),
        }
    }

    fn ambiguous(&self, several: &[Attempt]) -> Failure {
        let lines = several.iter().map(|attempt| format!("  {}, {}", named(attempt), attempt.state));
        Failure::failed(format!(
            "{:?} names {} payments, and nothing was done:\n{}\ngive the reference of the one you mean, with `--is reference` \
             if that names another payment, too",
            self.reference,
            several.len(),
            lines.collect::<Vec<_>>().join("\n")
        ))
    }
}

/// All attempts a text names.
pub(super) fn all(ledger: &Ledger, text: &str, by: Option<By>) -> Result<Vec<Attempt>, LedgerError> {
    match by {
        None => ledger.find_attempts(text),
        Some(by) => ledger.find_attempts_by(by.naming(), text),
    }
}

/// What was found, if there is anything.
pub(super) fn some<T>(found: Vec<T>, text: &str) -> Result<Vec<T>, Failure> {
    if found.is_empty() { Err(Failure::failed(format!("the ledger has no payment {text:?}"))) } else { Ok(found) }
}

/// Says what is about to be touched, beside what the command answers.
pub(super) fn tell(attempt: &Attempt) {
    say!("tonopago: {}", named(attempt));
}

fn named(attempt: &Attempt) -> String {
    format!("payment {}, order {:?}, {}", attempt.ledger_reference(), attempt.order_id, attempt.amount)
}
