//! Card data: parsing, checks and secrecy.

/// Placeholder until the card room lands.
pub struct Pan;
/// Placeholder until the card room lands.
pub struct Cvv;
/// Placeholder until the card room lands.
pub struct Expiry;
