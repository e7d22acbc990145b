//! A menu tried out by its author: keys typed or scripted, prompts as text, services by a stand-in, in media time.
//!
//! It drives the real engine ([`crate::call::Call`]); only the caller's telephone is missing. With [`Keying::Sound`] each
//! key is sent as tones through the detector, too.
//!
//! ```
//! use tonopago::menu::Menu;
//! use tonopago::speech::Clips;
//! use tonopago::tryout::{Setup, Tryout};
//!
//! let text = "{version: 1, name: hola, languages: [es-MX], start: pregunta, give_up: adios, states: {
//!              pregunta: {say: [otra_tarjeta], choose: {'1': pregunta, '2': adios}},
//!              adios: {say: [despedida], hang_up: true}}}";
//! let clips = Clips::embedded();
//! let menu = Menu::parse("hola.yaml", text, &*clips)?;
//! let mut tryout = Tryout::new(menu, clips, Setup::default());
//! tryout.until_it_listens();
//! tryout.press("2");
//! tryout.until_it_listens();
//! assert!(tryout.is_over());
//! let told: Vec<_> = tryout.take_events().iter().filter_map(|event| tryout.line(&event.kind)).collect();
//! assert_eq!(told.last().map(String::as_str), Some("hang-up by the box"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod at;
mod drive;
mod script;
mod stand_in;
mod words;

pub use at::At;
pub use drive::{Keying, Setup, Tryout};
pub use script::{Mismatch, Script, ScriptError};
pub use stand_in::{AuthorizerDoes, GatewayDoes, StandIn};
