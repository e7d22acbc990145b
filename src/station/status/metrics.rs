//! The board and the ledger's open ends as Prometheus metrics (OpenMetrics text).

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::super::board::{Board, Count};
use super::super::recording::free_bytes;
use super::super::services::Shop;
use crate::line::attendant::Phase;
use crate::payment::Fault;

/// As OpenMetrics asks for.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A registry that reads the board whenever it is asked.
pub(super) fn registry(board: &Arc<Board>, shop: &Arc<Shop>) -> Registry {
    let mut registry = Registry::with_prefix("tonopago");
    registry.register_collector(Box::new(FromBoard(Arc::clone(board))));
    registry.register_collector(Box::new(FromLedger(Arc::clone(shop))));
    registry
}

/// All that is registered. Blocking: the ledger is read.
pub(super) fn text(registry: &Registry) -> Result<String, Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    Ok(text)
}

/// What of the ledger has not come to its end. Left out if it can't be read, which is a fault of its own.
struct FromLedger(Arc<Shop>);

impl std::fmt::Debug for FromLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FromLedger").finish_non_exhaustive()
    }
}

impl Collector for FromLedger {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let ledger = &self.0.ledger;
        let gauges = [
            ("open_attempts", "Charge attempts whose outcome is not known yet", ledger.open_attempts()),
            (
                "undelivered_notifications",
                "Outcomes the merchant has not acknowledged yet",
                ledger.undelivered_notifications(),
            ),
        ];
        let free = free_bytes(&self.0.folder).map(|free| ("free_bytes", "Bytes free on the ledger's disk", free));
        let gauges = gauges.into_iter().filter_map(|(name, help, count)| Some((name, help, count.ok()?)));
        for (name, help, count) in gauges.chain(free) {
            if let Ok(count) = i64::try_from(count) {
                let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(count).encode(gauge)?;
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct FromBoard(Arc<Board>);

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Collector for FromBoard {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let board = &self.0;
        let info = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("config", board.hash())];
        let mut one = encoder.encode_descriptor("build", "Version and configuration", None, MetricType::Gauge)?;
        ConstGauge::new(1_i64).encode(one.encode_family(&info)?)?;
        let troubles = ConstCounter::new(board.troubles());
        troubles.encode(encoder.encode_descriptor("troubles", "Troubles noted", None, MetricType::Counter)?)?;
        let started = ConstGauge::new(board.started.as_second());
        started.encode(encoder.encode_descriptor("start_seconds", "Start, Unix time", None, MetricType::Gauge)?)?;
        self.encode_faults(&mut encoder)?;
        self.encode_lines(&mut encoder)
    }
}

impl FromBoard {
    fn encode_faults(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let standing = self.0.faults();
        let mut family =
            encoder.encode_descriptor("fault", "Payments can't be taken, or not all", None, MetricType::Gauge)?;
        for fault in Fault::ALL {
            let stands = i64::from(standing.contains(&fault));
            ConstGauge::new(stands).encode(family.encode_family(&[("fault", fault.name())])?)?;
        }
        Ok(())
    }

    fn encode_lines(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        for (count, name, help) in Count::ALL {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for line in &self.0.lines {
                ConstCounter::new(line.count(count)).encode(family.encode_family(&[("line", line.name.as_str())])?)?;
            }
        }
        let mut family = encoder.encode_descriptor("line_up", "Sound and hook work", None, MetricType::Gauge)?;
        for line in &self.0.lines {
            let up = i64::from(line.state().trouble().is_none());
            ConstGauge::new(up).encode(family.encode_family(&[("line", line.name.as_str())])?)?;
        }
        let mut family = encoder.encode_descriptor("in_call", "A call is under way", None, MetricType::Gauge)?;
        for line in &self.0.lines {
            let busy = i64::from(line.phase() == Phase::InCall);
            ConstGauge::new(busy).encode(family.encode_family(&[("line", line.name.as_str())])?)?;
        }
        let mut family = encoder.encode_descriptor("heard_dbm0", "Level heard, dBm0", None, MetricType::Gauge)?;
        for line in &self.0.lines {
            let level = line.state().heard_dbm0;
            ConstGauge::new(level).encode(family.encode_family(&[("line", line.name.as_str())])?)?;
        }
        Ok(())
    }
}
