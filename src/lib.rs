//! tonopago: a telephone payment box.

pub mod audio;
pub mod authorizer;
pub mod card;
pub mod conformance;
pub mod dtmf;
pub mod ledger;
pub mod line;
pub mod menu;
pub mod money;
pub mod openpay;
pub mod payment;
pub mod service;
pub mod simulator;
pub mod speech;
