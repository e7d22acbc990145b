//! The listeners of a box: each is shared by as many lines as it may have calls.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::board::{Board, Count};
use super::super::config::{Config, Source};
use crate::line::audio_socket::{Calls, Incident, Listener, ListenerConfig};

/// Incidents are told of so often at most, each with the number of those since: a port scanner must not fill the log.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A listener, or the wish for one: an address may come up later than the box.
pub(in super::super) struct Exchange {
    group: String,
    config: ListenerConfig,
    /// Index of its first line.
    first: usize,
    board: Arc<Board>,
    listener: Mutex<Option<Listener>>,
}

impl Exchange {
    /// One for each group of lines in the configuration.
    pub(in super::super) fn all(config: &Config, board: &Arc<Board>) -> Vec<Arc<Self>> {
        let mut all: Vec<Arc<Self>> = Vec::new();
        for (first, line) in config.lines.iter().enumerate() {
            if let Source::AudioSocket { group, listener } = &line.source
                && all.iter().all(|exchange| exchange.group != *group)
            {
                let (group, config) = (group.clone(), listener.clone());
                let (board, listener) = (Arc::clone(board), Mutex::default());
                all.push(Arc::new(Self { group, config, first, board, listener }));
            }
        }
        all
    }

    /// The entry's name.
    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// Where it listens, if it does.
    pub(in super::super) fn address(&self) -> Option<SocketAddr> {
        self.lock().as_ref().map(Listener::address)
    }

    /// Listens, if it does not yet.
    ///
    /// # Errors
    /// If the address can't be had, with it and a cure.
    pub(in super::super) fn open(&self) -> Result<Calls, String> {
        let mut listener = self.lock();
        if let Some(present) = listener.as_ref().filter(|present| !present.has_ended()) {
            return Ok(present.calls());
        }
        let address = self.config.listen;
        let new = Listener::start(&self.config, Box::new(Teller::new(&self.board, self.first).into_tell()))
            .map_err(|error| format!("can't listen on {address}: {error}; choose another address or port"))?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "calls come over the network unencrypted, keys of cards with them");
        }
        let calls = new.calls();
        *listener = Some(new);
        Ok(calls)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts incidents, and tells of them in bounds.
struct Teller {
    board: Arc<Board>,
    line: usize,
    told: Option<Instant>,
    since: u64,
}

impl Teller {
    fn new(board: &Arc<Board>, line: usize) -> Self {
        Self { board: Arc::clone(board), line, told: None, since: 0 }
    }

    fn into_tell(mut self) -> impl FnMut(Incident) + Send {
        move |incident| self.tell(&incident, Instant::now())
    }

    fn tell(&mut self, incident: &Incident, now: Instant) {
        let line = &self.board.lines[self.line];
        line.add(if matches!(incident, Incident::Busy { .. }) { Count::Refused } else { Count::NoCalls }, 1);
        self.since += 1;
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < TELL_EVERY) {
            return tracing::debug!("{incident}");
        }
        let more =
            if self.since > 1 { format!(" ({} such incidents since the last)", self.since) } else { String::new() };
        self.board.trouble(&format!("{}: {incident}{more}", line.name));
        (self.told, self.since) = (Some(now), 0);
    }
}
