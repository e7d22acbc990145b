//! The demo: whole calls over real HTTP on loopback, and what they leave behind.
#![expect(unreachable_pub, reason = "the modules of a test binary share its bench")]

#[path = "../peers/mod.rs"]
mod peers;
mod recording_keeps_no_card;
mod samples_do_what_is_expected;
mod scenarios_end_as_named;
