//! The demo: whole calls over real HTTP on loopback, and what they leave behind.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test code: a bench shared by the modules, which panics on failure"
)]

#[path = "../peers/mod.rs"]
mod peers;
mod recording_keeps_no_card;
mod samples_do_what_is_expected;
mod scenarios_end_as_named;
