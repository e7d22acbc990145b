//! How long a key takes from the onset of its tones to its report: in synthetic calls, and through a real or virtual card.
//!
//! A receiver can't know a key before it has heard enough of it; what comes on top is the block it has to wait for, and the
//! buffers of the card. Each is told apart here.
//!
//! ```
//! use tonopago::dtmf::Profile;
//! use tonopago::latency::{Call, by_block};
//!
//! let call = Call::new(1, 50, None);
//! let at_once = by_block(&call, &Profile::default(), 1);
//! let in_blocks = by_block(&call, &Profile::default(), 160);
//! assert_eq!((at_once.missed, in_blocks.missed), (0, 0));
//! assert!(in_blocks.latency.part(0.5) > at_once.latency.part(0.5));
//! ```

#[cfg(feature = "sound-card")]
pub mod card_loop;
mod distribution;
mod synthetic;

pub use distribution::Distribution;
pub use synthetic::{Call, Measured, by_block};
