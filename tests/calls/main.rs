//! Whole calls in virtual time: sound in, sound and effects out.
#![expect(unreachable_pub, reason = "the modules of a test binary share its bench")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on fails its test")]

mod barge_in_is_quick;
mod bench;
mod blocks_do_not_matter;
mod collection_rules_hold_in_sound;
mod every_key_is_accounted_for;
mod every_prompt_ends;
mod hang_up_tones_are_heard;
mod keys_told_beside_the_sound_count_once;
mod menu_documentation_is_true;
mod payment_is_made;
mod recording_keeps_no_card_digit;
mod sound;
