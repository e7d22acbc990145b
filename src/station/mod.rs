//! The box: lines, menus, services, status page and recording of one configuration, running unattended.
//!
//! [`Config`] is read from `box.yaml` with all its problems at once; [`Station`] runs it. Each line has a thread that owns
//! its card, its hook and its [`Attendant`](crate::line::attendant::Attendant); service requests run on threads of their
//! own, so that a call's sound never waits for them. What happens is on the [`Board`], which the status page, the metrics
//! and the log show.

mod board;
mod call_id;
mod config;
mod disk;
mod doctor;
mod handovers;
mod lines;
mod recording;
mod running;
mod services;
mod status;
#[cfg(test)]
mod tests;
mod watch;

pub use board::{Board, LineBoard};
pub use config::{
    CardConfig, Config, ConfigError, LineConfig, MenuConfig, Problem, Recording, Services, Source, StatusConfig,
};
pub use doctor::{Finding, Health, examine};
pub use recording::{CallRecorder, CallRecording, Retention};
pub use services::{Shop, ShopError};
pub use status::{PasswordError, hash_password};
pub use watch::{Station, StationError};
