//! Whole calls in virtual time: sound in, sound and effects out.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test code: a bench shared by the modules, which panics on failure"
)]

mod bench;
mod payment_is_made;
