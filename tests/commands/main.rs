//! The program as its users run it: one module for each behaviour, on one harness, in one binary.
#![expect(clippy::unwrap_used, reason = "a harness of tests: what it needs is there, or the test fails")]

#[cfg(feature = "sound-card")]
mod a_virtual_sound_card_is_heard;
mod decode_names_what_it_cannot_read;
mod decode_tells_digits_in_every_format;
mod generate_makes_what_decode_hears;
mod generate_refuses_what_makes_no_sense;
mod harness;
mod menus_are_tried_drawn_and_voiced;
mod merchant_issues_keys_and_sees_payments;
mod mistakes_cost_no_data;
mod output_goes_through_pipes;
mod prompts_lists_renders_and_checks;
