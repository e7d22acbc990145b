//! The demo: whole calls with no hardware and no network beyond loopback. A simulated caller's sound goes through the
//! real engine; authorizer and Openpay stand-in are served over real HTTP; the outcome is read back from the gateway.

mod files;
mod play;
mod samples;
mod scenario;
mod stage;

pub use files::{Leak, RECORDING, TIMELINE, remove_last_run, search_for_card_data, write_recording};
pub use play::{Played, Verdict, line, play, verdict};
pub use samples::{Sample, SampleError, make_samples};
pub use scenario::{CARD, Ending, Fault, KEY, SCENARIOS, Scenario, TestCard};
pub use stage::{Stage, StageError};
