//! tonopago: a telephone payment box.
//!
//! It hears DTMF keys on a phone line, runs a voice menu written in YAML, collects a payment key and card data, asks the
//! merchant's authorizer, charges through Openpay (Mexico), and speaks the result.
//!
//! # One engine, many drivers
//! [`call::Call`] is a pure state machine: samples of line audio in, samples and effects out, time is the count of
//! samples; see its contract and the loop that honours it. A recording, a simulated caller, a sound card, an AudioSocket and
//! a test are drivers of the same engine ([`mod@line`]), and give the same trace for the same audio.
//!
//! # The rooms
//! Dependencies point one way: a room uses only rooms that stand before it here, and a test sees to that.
//!
//! | room | what it holds |
//! |---|---|
//! | [`dtmf`], [`money`], [`order_id`], [`media`], [`card`], [`clock`] | digits and their detector; amounts; which order ids there may be; media time; card data in wiping types; wall time |
//! | [`process`], [`program`], [`regular_file`], [`text_file`] | a process that leaves no card data behind; programs of the operator's own; files that are no devices; files that people write |
//! | [`output_file`], [`private_file`], `svg` | files that commands write, never over a ledger; files for their owner only; what drawings share |
//! | [`audio`], [`progress`] | samples and files, the echo canceller; call-progress tones |
//! | `yaml` | what people write, read with every problem's place and cure |
//! | [`http`], [`limits`] | exchanges that are never repeated; how often one may be wrong |
//! | [`service`], [`speech`] | what a call asks of the world; the spoken prompts |
//! | [`menu`] | the menu language, its checks and its runtime; knows no audio |
//! | [`ledger`], [`openpay`], [`authorizer`] | what is persisted; the gateway and its local stand-in; the merchant's side; know no calls |
//! | [`payment`] | the rule that nobody is charged twice and no outcome is lost |
//! | [`call`] | the engine: detector, menu, player and recorder put together; nothing else does |
//! | [`simulator`], [`mod@line`] | callers and lines that do not exist; drivers of the engine |
//! | [`decode`], [`demo`], [`conformance`], [`latency`] | digits in recordings; whole calls for show and for tests; the detector measured |
//! | [`tryout`], [`station`] | a menu tried out by its author, at the keyboard or by scripts; the box with its lines, for months |

pub mod audio;
pub mod authorizer;
pub mod call;
pub mod card;
pub mod clock;
pub mod conformance;
pub mod decode;
pub mod demo;
pub mod dtmf;
pub mod http;
pub mod latency;
pub mod ledger;
pub mod limits;
pub mod line;
pub mod media;
pub mod menu;
pub mod money;
pub mod openpay;
pub mod order_id;
pub mod output_file;
pub mod payment;
pub mod private_file;
pub mod process;
pub mod program;
pub mod progress;
pub mod regular_file;
#[cfg(test)]
mod rooms;
pub mod service;
pub mod simulator;
pub mod speech;
pub mod station;
mod svg;
pub mod text_file;
pub mod tryout;
mod yaml;
