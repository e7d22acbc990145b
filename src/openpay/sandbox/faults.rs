//! Faults on demand: what a network and a busy gateway do to a request.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Reading the merchant.
    Merchant,
    /// Making a token.
    Token,
    /// Making a charge.
    Charge,
    /// Reading one charge.
    GetCharge,
    /// Listing charges.
    ListCharges,
    /// Giving a charge back.
    Refund,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Fault {
    /// The connection closes; nothing was processed.
    DropBefore,
    /// Processed; the connection closes instead of an answer.
    DropAfter,
    /// Processed; the answer comes this much later.
    DelayAfter {
        /// Delay in milliseconds.
        ms: u64,
    },
    /// Not processed; nothing happens for this long, then the connection closes.
    StallBefore {
        /// Silence in milliseconds.
        ms: u64,
    },
    /// Something on the way sent it twice; the second answer is the one that arrives.
    Duplicate,
    /// This status with an HTML body; not processed.
    ErrorBefore {
        /// HTTP status.
        status: u16,
    },
    /// Openpay's own error object with this code; not processed.
    ApiError {
        /// HTTP status.
        status: u16,
        /// Openpay's error code.
        code: u32,
    },
    /// Processed; the answer is this status with an HTML body.
    ErrorAfter {
        /// HTTP status.
        status: u16,
    },
    /// Processed; 200 with a body that is no JSON.
    Garbage,
    /// Processed; 200 with the first half of the answer, then the connection closes.
    Truncated,
    /// Processed; the body arrives in ten pieces, this far apart.
    SlowBody {
        /// Milliseconds between pieces.
        ms: u64,
    },
}

/// Faults waiting for their request.
#[derive(Default)]
pub(super) struct Faults(Mutex<VecDeque<(Operation, Fault)>>);

impl Faults {
    pub(super) fn push(&self, operation: Operation, fault: Fault) {
        self.lock().push_back((operation, fault));
    }

    /// The first fault waiting for this kind of request.
    pub(super) fn take(&self, operation: Operation) -> Option<Fault> {
        let mut waiting = self.lock();
        let place = waiting.iter().position(|(wanted, _)| *wanted == operation)?;
        waiting.remove(place).map(|(_, fault)| fault)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Operation, Fault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // a queue is whole after every push and remove
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_for_its_operation() {
        let faults = Faults::default();
        faults.push(Operation::Charge, Fault::DropBefore);
        faults.push(Operation::Token, Fault::Garbage);
        faults.push(Operation::Charge, Fault::DropAfter);
        assert_eq!(faults.take(Operation::Merchant), None);
        assert_eq!(faults.take(Operation::Token), Some(Fault::Garbage));
        assert_eq!(faults.take(Operation::Charge), Some(Fault::DropBefore));
        assert_eq!(faults.take(Operation::Charge), Some(Fault::DropAfter));
        assert_eq!(faults.take(Operation::Charge), None);
    }
}
