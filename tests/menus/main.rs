//! Menus as their authors write them: what is accepted, what is refused and in which words.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on fails its test")]

mod broken_menus_are_explained;
mod odd_texts_are_refused;
