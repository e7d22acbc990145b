//! tonopago: a telephone payment box.

pub mod audio;
pub mod authorizer;
pub mod call;
pub mod card;
pub mod clock;
pub mod decode;
pub mod dtmf;
pub mod http;
pub mod ledger;
pub mod line;
pub mod media;
pub mod menu;
pub mod money;
pub mod openpay;
pub mod payment;
pub mod service;
pub mod simulator;
pub mod speech;
