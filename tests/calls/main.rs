//! Whole calls in virtual time: sound in, sound and effects out.
#![expect(unreachable_pub, reason = "the modules of a test binary share its bench")]

mod bench;
mod payment_is_made;
