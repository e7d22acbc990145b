//! The states of an attempt and the steps between them.

use std::fmt;

use crate::card::SeenCard;

/// The states of [`State::is_open`], for a query.
pub(super) const OPEN: &str = "('prepared', 'sent', 'unknown')";
/// Those of [`State::is_in_doubt`].
pub(super) const IN_DOUBT: &str = "('sent', 'unknown')";
/// Those of [`State::is_paid`].
pub(super) const PAID: &str = "('approved', 'elsewhere')";
/// Those that are open or paid: of a key's attempts, and of an order's, at most one is, by a unique index of these very words.
pub(super) const LIVE: &str = "('prepared', 'sent', 'unknown', 'approved', 'elsewhere')";

/// Where a charge attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Its order id is reserved; nothing that costs money has been sent.
    Prepared,
    /// The charge is on its way, or its answer is.
    Sent,
    /// Paid. Final.
    Approved,
    /// Not paid by it: its order is, by a charge that is not this ledger's. Final.
    Elsewhere,
    /// Not paid.
    Declined,
    /// Asked for and not found out; reconciliation goes on.
    Unknown,
    /// The gateway never heard of it, long after it could have: not paid. Its order id is used again, so that a charge
    /// turning up after all still can't be made twice.
    Lapsed,
    /// The charge was never sent, or never arrived, or was refused before any bank was asked: not paid, and its order id
    /// is used again.
    Abandoned,
}

/// How an attempt ends, or stays open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Paid, under the gateway's charge id.
    Approved {
        /// Openpay's id of the charge.
        charge_id: String,
        /// The bank's authorization number.
        authorization: Option<String>,
    },
    /// Its order is paid by another charge, so that this one was not made and never will be.
    Elsewhere {
        /// Openpay's id of the charge that paid.
        charge_id: String,
        /// The bank's authorization number of it.
        authorization: Option<String>,
        /// The card that paid, if the gateway told.
        card: Option<SeenCard>,
    },
    /// Not paid; the gateway's error code, if it gave one.
    Declined {
        /// Openpay's error code.
        code: Option<u32>,
        /// Whether it counts towards the payment key's lock.
        counts: bool,
    },
    /// Not known yet.
    Unknown,
    /// Given up: the gateway does not know it, long after it was sent.
    Lapsed,
    /// Certainly not made, sent or not.
    Abandoned,
}

impl State {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Prepared,
        Self::Sent,
        Self::Approved,
        Self::Elsewhere,
        Self::Declined,
        Self::Unknown,
        Self::Lapsed,
        Self::Abandoned,
    ];

    /// Its name in the ledger and in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Approved => "approved",
            Self::Elsewhere => "elsewhere",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Lapsed => "lapsed",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the attempt still blocks another one for its key.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Prepared | Self::Sent | Self::Unknown)
    }

    /// Whether it was sent, and nobody knows yet how it ended.
    pub const fn is_in_doubt(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown)
    }

    /// Whether its order is paid, by it or by another charge.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Approved | Self::Elsewhere)
    }

    /// Whether a step from this state to `next` may be taken. A state may always be confirmed.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Prepared => matches!(next, Self::Prepared | Self::Sent | Self::Declined | Self::Abandoned),
            Self::Sent => !matches!(next, Self::Prepared),
            Self::Unknown => !matches!(next, Self::Prepared | Self::Sent | Self::Abandoned),
            Self::Lapsed => matches!(next, Self::Lapsed | Self::Approved | Self::Declined),
            Self::Approved => matches!(next, Self::Approved),
            Self::Elsewhere => matches!(next, Self::Elsewhere),
            Self::Declined => matches!(next, Self::Declined),
            Self::Abandoned => matches!(next, Self::Abandoned),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Outcome {
    /// The state it leaves the attempt in.
    pub const fn state(&self) -> State {
        match self {
            Self::Approved { .. } => State::Approved,
            Self::Elsewhere { .. } => State::Elsewhere,
            Self::Declined { .. } => State::Declined,
            Self::Unknown => State::Unknown,
            Self::Lapsed => State::Lapsed,
            Self::Abandoned => State::Abandoned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for state in State::ALL {
            assert_eq!(State::parse(state.name()), Some(state));
        }
        assert_eq!(State::parse("paid"), None);
    }

    /// A state that is left out of a query is charged a second time, or never looked for.
    #[test]
    fn queries_mean_the_states_that_the_program_means() {
        let is_live = |state: State| state.is_open() || state.is_paid();
        let sets: [(&str, &dyn Fn(State) -> bool); 4] =
            [(OPEN, &State::is_open), (IN_DOUBT, &State::is_in_doubt), (PAID, &State::is_paid), (LIVE, &is_live)];
        for (set, belongs) in sets {
            let names = State::ALL.into_iter().filter(|state| belongs(*state)).map(|state| format!("'{state}'"));
            let mut listed: Vec<&str> = set.trim_matches(['(', ')']).split(", ").collect();
            let mut names: Vec<String> = names.collect();
            listed.sort_unstable();
            names.sort_unstable();
            assert_eq!(listed, names);
        }
    }

    /// The table in the ledger's documentation, step by step.
    #[test]
    fn the_steps_are_the_documented_ones() {
        use State::{Abandoned, Approved, Declined, Elsewhere, Lapsed, Prepared, Sent, Unknown};
        for (from, to) in [
            (Prepared, &[Sent, Declined, Abandoned][..]),
            (Sent, &[Approved, Elsewhere, Declined, Unknown, Lapsed, Abandoned]),
            (Unknown, &[Approved, Elsewhere, Declined, Lapsed]),
            (Lapsed, &[Approved, Declined]),
            (Approved, &[]),
            (Elsewhere, &[]),
            (Declined, &[]),
            (Abandoned, &[]),
        ] {
            for next in State::ALL {
                assert_eq!(from.may_become(next), next == from || to.contains(&next), "{from} to {next}");
            }
        }
    }

    #[test]
    fn a_success_is_never_downgraded_and_a_sent_charge_is_never_forgotten() {
        for next in State::ALL {
            assert_eq!(State::Approved.may_become(next), next == State::Approved);
        }
        assert!(!State::Sent.may_become(State::Prepared));
        assert!(!State::Unknown.may_become(State::Abandoned));
        assert!(State::Lapsed.may_become(State::Approved), "a charge that turns up late is recorded");
    }
}
