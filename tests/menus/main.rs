//! Menus as their authors write them: what is accepted, what is refused and in which words.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on fails its test")]

mod broken_menus_are_explained;
mod json_schema;
mod odd_texts_are_refused;
mod opening_hours;
mod rare_things_are_warned_of;
mod shipped_menus_do_what_they_say;
