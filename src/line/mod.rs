//! Drivers of the call engine.

#[cfg(feature = "sound-card")]
pub mod sound_card;
