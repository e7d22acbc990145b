//! What the box says and how: one module for each behaviour, in one binary.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code panics on failure")]

mod clips_are_current_and_equally_loud;
mod no_key_is_heard_in_the_clips;
mod numbers_agree_with_icu_and_num2words;
mod player_allocates_nothing;
