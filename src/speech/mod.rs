//! Spoken prompts: clips, numbers and amounts in words, and the player that joins them.
//!
//! The box speaks with clips rendered beforehand (`make prompts`) and embedded in the program: no text-to-speech and no
//! files at run time. [`Clips`] holds them, [`amount`], [`digits`], [`date`] and their kind say which clips to play one
//! after the other, and [`Player`] turns that into samples at [`SAMPLE_RATE`].
//!
//! The Spanish voice is SVOX Pico's es-ES, respelled so that it speaks with the Mexican s; there is no free Mexican
//! voice as small. A merchant replaces any clip with a recording of its own: see [`Clips::with_overrides`].
//!
//! ```
//! use tonopago::money::Money;
//! use tonopago::speech::{Clips, Language, Player, Spoken, amount, words};
//!
//! let clips = Clips::embedded();
//! let price = Money::mxn(20_050);
//! assert_eq!(words(Language::EsMx, price), "doscientos pesos con cincuenta centavos");
//!
//! let mut player = Player::new();
//! player.enqueue(&[Spoken::clip("el_importe_es")], &clips, Language::EsMx)?;
//! player.enqueue(&amount(Language::EsMx, price), &clips, Language::EsMx)?;
//! let mut block = [0.0; 80];
//! let mut blocks = 0;
//! while !player.is_idle() {
//!     player.fill(&mut block); // to the line
//!     blocks += 1;
//! }
//! assert!((200..800).contains(&blocks), "2 to 8 s in blocks of 10 ms");
//! # Ok::<(), tonopago::speech::UnknownClip>(())
//! ```

mod clips;
mod currency;
mod english;
mod language;
mod level;
mod overrides;
mod player;
mod recording;
mod rendering;
mod spanish;
mod spoken;

pub use clips::{Clip, Clips};
pub use language::Language;
pub use level::active_speech_level_dbm0;
pub use overrides::{ClipsError, Concern, Finding, check_recordings};
pub use player::{Player, UnknownClip, render};
pub use recording::RecordingError;
pub use rendering::{RenderError, Rendered, Renderer};
pub use spoken::{Spoken, amount, date, digits, number, reference, text_of, words};

/// Samples per second of every clip: the engine's.
pub use crate::media::SAMPLE_RATE;
