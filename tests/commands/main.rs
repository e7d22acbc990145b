//! The program as its users run it: one module for each behaviour, on one harness, in one binary.
#![expect(clippy::unwrap_used, reason = "a harness of tests: what it needs is there, or the test fails")]

#[cfg(feature = "sound-card")]
mod a_caller_is_handed_over;
mod a_log_that_stops_costs_no_call;
mod a_real_asterisk_calls_a_running_box;
mod a_running_box_is_called_by_an_asterisk;
#[cfg(feature = "sound-card")]
mod a_running_box_is_paid_over_a_sound_card;
#[cfg(feature = "sound-card")]
mod a_virtual_sound_card_is_heard;
mod an_authorizer_is_asked_as_a_box_asks;
mod asterisk;
mod conformance_measures_other_receivers;
mod conformance_reports_in_every_form;
mod decode_draws_what_it_heard;
mod decode_ends_every_file_where_asked;
mod decode_names_what_it_cannot_read;
mod decode_tells_digits_in_every_format;
mod generate_makes_what_decode_hears;
mod generate_refuses_what_makes_no_sense;
mod hard_samples_are_heard;
mod harness;
mod help_is_easy_to_read;
mod latency_is_told_by_block_and_part;
mod menus_are_tried_drawn_and_voiced;
mod merchant_documentation_is_true;
mod merchant_imports_keys;
mod merchant_is_told_and_served_safely;
mod merchant_issues_keys_and_sees_payments;
mod merchant_keeps_books;
mod mistakes_cost_no_data;
mod openpays_sdk_talks_to_the_sandbox;
mod output_goes_through_pipes;
mod prompts_lists_renders_and_checks;
mod real_asterisk;
mod run_checks_a_whole_configuration;
mod running_box;
mod service;
#[cfg(feature = "sound-card")]
mod simulate_plays_its_prompts;
mod the_package_is_set_up;
#[cfg(feature = "sound-card")]
mod virtual_card;
