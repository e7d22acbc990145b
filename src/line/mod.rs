//! Drivers of the call engine: each moves audio between a line and a [`Call`](crate::call::Call) and performs its
//! effects.

mod answers;
pub mod attendant;
pub mod audio_socket;
mod handover;
pub mod hook;
pub(crate) mod pace;
mod party;
pub mod ring;
mod signals;
#[cfg(feature = "sound-card")]
pub mod sound_card;
mod virtual_time;

pub use answers::{AnswersError, AnswersFile, is_table};
pub use handover::{FlashTimes, HandoverConfig};
pub use party::{Party, RecordedCaller, SimulatedCaller};
pub use virtual_time::{Latencies, Services, Transcript, run};
