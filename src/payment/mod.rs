//! The payment rule: never charged twice, never a lost outcome.
