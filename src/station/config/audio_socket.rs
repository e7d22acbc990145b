//! The `audio_socket:` of a line: one entry that makes as many lines as there may be calls.

use std::net::{IpAddr, SocketAddr};

use super::document::whole;
use super::{LineConfig, Source};
use crate::line::audio_socket::ListenerConfig;
use crate::yaml::{Map, Value};

/// Settings of sound cards and hooks, and of simulated callers, which mean nothing here.
const OF_CARDS: [&str; 8] = ["card", "output", "rate", "channel", "period_ms", "hook", "rings", "sound_dbm0"];
const OF_SIMULATED: [&str; 2] = ["simulated", "every"];
/// Calls at once, if nothing is said.
const USUAL_CALLS: u64 = 8;

/// Reads the source of the entry named `group`.
pub(super) fn read(group: &str, value: &Value<'_>, line: &Map<'_>, most_calls: usize) -> Option<Source> {
    let mut fits = true;
    let of_cards = OF_CARDS.map(|name| (name, "a sound card"));
    for (name, theirs) in of_cards.into_iter().chain(OF_SIMULATED.map(|name| (name, "simulated callers"))) {
        if let Some(other) = line.optional(name) {
            other.problem_of_name(
                format!("{name} is of lines with {theirs}, and this one has an AudioSocket"),
                format!("remove {name}, or make it a line of its own"),
            );
            fits = false;
        }
    }
    let map = value.map(&["listen", "calls", "from"])?;
    let listen = map.required("listen").and_then(|listen| read_address(&listen));
    let calls = map.optional("calls").map_or(Some(USUAL_CALLS), |calls| whole(&calls, 1..=most_calls as u64));
    let from = map.optional("from").map_or(Some(Vec::new()), |from| read_from(&from));
    let (listen, calls, from) = (listen?, usize::try_from(calls?).ok()?, from?);
    if !listen.ip().is_loopback() && from.is_empty() {
        value.problem_of_name(
            "others than this machine could call, and AudioSocket has no password",
            "add from: [ADDRESS] with your Asterisk's address, or listen on 127.0.0.1",
        );
        return None;
    }
    fits.then(|| Source::AudioSocket { group: group.to_owned(), listener: ListenerConfig { listen, calls, from } })
}

fn read_address(value: &Value<'_>) -> Option<SocketAddr> {
    let address = value.text()?.parse().ok();
    if address.is_none() {
        value.expected("an address and a port", "write one such as 127.0.0.1:9092");
    }
    address
}

fn read_from(value: &Value<'_>) -> Option<Vec<IpAddr>> {
    let read = |item: &Value<'_>| {
        let address = item.text()?.parse::<IpAddr>().ok();
        if address.is_none() {
            item.expected("an address", "write your Asterisk's, such as 192.0.2.10, without a port");
        }
        address.map(|address| address.to_canonical())
    };
    let addresses = value.list()?.iter().map(read).collect::<Option<Vec<_>>>()?;
    if addresses.is_empty() {
        value.problem_of_name("nobody may call", "write your Asterisk's address, or remove from");
        return None;
    }
    Some(addresses)
}

/// The lines of an entry: one for each call, numbered from 1; others are as they are.
pub(super) fn spread(entry: LineConfig) -> Vec<LineConfig> {
    let Source::AudioSocket { listener, .. } = &entry.source else { return vec![entry] };
    let numbered = |number| LineConfig { name: format!("{}-{number}", entry.name), ..entry.clone() };
    (1..=listener.calls).map(numbered).collect()
}

/// Whether no two lines have one name, and no two entries one address.
pub(super) fn all_differ(entries: &Map<'_>, lines: &[LineConfig]) -> bool {
    let mut differ = true;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for (name, value) in entries.entries() {
        if lines.iter().filter(|line| line.name == name).count() > 1 {
            value.problem_of_name(format!("\"{name}\" is the name of another line's call, too"), "choose another name");
            differ = false;
        }
        let of_entry = lines.iter().find_map(|line| match &line.source {
            Source::AudioSocket { group, listener } if group == name => Some(listener.listen),
            _ => None,
        });
        let Some(address) = of_entry.filter(|address| address.port() != 0) else { continue };
        if addresses.contains(&address) {
            value.problem_of_name(format!("another line listens on {address} already"), "choose another port");
            differ = false;
        }
        addresses.push(address);
    }
    differ
}
