//! Which sound cards there are, and which one is meant.

use cpal::traits::{DeviceTrait, HostTrait};
use serde::Serialize;

use super::CardError;

/// Rates cards are asked about, in Hz.
const USUAL_RATES: [u32; 7] = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000];

/// A sound card of one of the systems (ALSA, PulseAudio).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its id, stable as far as the system can make it, such as `alsa:hw:CARD=PCH,DEV=0`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it records by itself; `None` if it can't.
    pub input: Option<Form>,
    /// What it plays by itself; `None` if it can't.
    pub output: Option<Form>,
    /// Whether it records where nothing else is asked for.
    pub default_input: bool,
    /// Whether it plays where nothing else is asked for.
    pub default_output: bool,
}

/// The form of a card's samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Hz, as it works by itself.
    pub rate: u32,
    /// Interleaved channels.
    pub channels: u16,
    /// How samples are written.
    pub format: String,
    /// The usual rates it can also work at, in Hz.
    pub rates: Vec<u32>,
}

/// Which way sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Input,
    Output,
}

/// The sound cards of every system there is; with `all` also ALSA's plug-ins, which are no cards but can be opened by id.
///
/// A system may list a card (ALSA's `default` for one) that can't be opened: only opening tells.
///
/// # Errors
/// [`CardError::NoSystem`] if there is no sound system.
pub fn cards(all: bool) -> Result<Vec<Card>, CardError> {
    let mut cards = Vec::new();
    for host in hosts()? {
        let id = |device: Option<cpal::Device>| device.and_then(|device| device.id().ok());
        let (input, output) = (id(host.default_input_device()), id(host.default_output_device()));
        for device in devices(&host)? {
            let Ok(device_id) = device.id() else { continue };
            // Asking a plug-in what it can do makes some of them (JACK's) look for a server, loudly.
            if !all && is_plug_in(&device_id.to_string()) {
                continue;
            }
            cards.push(Card {
                id: device_id.to_string(),
                name: device.to_string(),
                input: form(&device, Direction::Input),
                output: form(&device, Direction::Output),
                default_input: input.as_ref() == Some(&device_id),
                default_output: output.as_ref() == Some(&device_id),
            });
        }
    }
    Ok(cards)
}

/// Whether an id is one of ALSA's ways to a card (or to none), not the card itself.
fn is_plug_in(id: &str) -> bool {
    let Some(name) = id.strip_prefix("alsa:") else { return false };
    let cards = ["default", "hw:", "plughw:", "sysdefault"];
    !cards.iter().any(|card| name.starts_with(card))
}

/// The device `wanted` means, with its id.
pub(super) fn find(wanted: &str, direction: Direction) -> Result<(String, cpal::Device), CardError> {
    let mut known = Vec::new();
    for host in hosts()? {
        if wanted == "default" {
            let device = match direction {
                Direction::Input => host.default_input_device(),
                Direction::Output => host.default_output_device(),
            };
            known.extend(device.and_then(named));
            continue;
        }
        // Asking an ALSA device what it can do opens it, so only those that are meant are asked.
        known.extend(devices(&host)?.into_iter().filter_map(named));
    }
    choose(wanted, direction, known)
}

fn choose(
    wanted: &str,
    direction: Direction,
    mut known: Vec<(String, cpal::Device)>,
) -> Result<(String, cpal::Device), CardError> {
    let ids: Vec<(String, String)> = known.iter().map(|(id, device)| (id.clone(), device.to_string())).collect();
    let mut found = matching(wanted, &ids);
    found.retain(|&index| able(&known[index].1, direction));
    let listed = |indexes: &[usize]| indexes.iter().map(|&index| ids[index].0.as_str()).collect::<Vec<_>>().join(", ");
    match found[..] {
        [index] => Ok(known.swap_remove(index)),
        // The default of the first system that has one.
        [index, ..] if wanted == "default" || ids[index].0 == wanted => Ok(known.swap_remove(index)),
        [] => {
            let all: Vec<usize> = (0..ids.len()).filter(|&index| able(&known[index].1, direction)).collect();
            let known = if all.is_empty() { "none".to_owned() } else { listed(&all) };
            let direction = if direction == Direction::Input { "record" } else { "play" };
            Err(CardError::Unknown { wanted: wanted.to_owned(), direction, known })
        }
        _ => Err(CardError::Ambiguous { wanted: wanted.to_owned(), found: listed(&found) }),
    }
}

/// The cards `wanted` may mean: the one with this id, or else those with it in their id or name.
fn matching(wanted: &str, cards: &[(String, String)]) -> Vec<usize> {
    if wanted == "default" {
        return (0..cards.len()).collect();
    }
    let all = |fits: &dyn Fn(&(String, String)) -> bool| -> Vec<usize> {
        cards.iter().enumerate().filter(|(_, card)| fits(card)).map(|(index, _)| index).collect()
    };
    let exact = all(&|(id, _)| id == wanted);
    if !exact.is_empty() {
        return exact;
    }
    let wanted = wanted.to_lowercase();
    all(&|(id, name)| id.to_lowercase().contains(&wanted) || name.to_lowercase().contains(&wanted))
}

fn able(device: &cpal::Device, direction: Direction) -> bool {
    match direction {
        Direction::Input => device.supports_input(),
        Direction::Output => device.supports_output(),
    }
}

fn named(device: cpal::Device) -> Option<(String, cpal::Device)> {
    device.id().ok().map(|id| (id.to_string(), device))
}

fn hosts() -> Result<Vec<cpal::Host>, CardError> {
    // libasound tells standard error about each card that is not there; what it can't open is told by our own errors.
    #[cfg(target_os = "linux")]
    let _kept_by_alsa = alsa::Output::local_error_handler();
    let mut why = "cpal knows none".to_owned();
    let mut hosts = Vec::new();
    for id in cpal::available_hosts() {
        match cpal::host_from_id(id) {
            Ok(host) => hosts.push(host),
            Err(error) => why = format!("{id}: {error}"),
        }
    }
    if hosts.is_empty() { Err(CardError::NoSystem { why }) } else { Ok(hosts) }
}

fn devices(host: &cpal::Host) -> Result<Vec<cpal::Device>, CardError> {
    Ok(host.devices().map_err(|error| CardError::NoSystem { why: error.to_string() })?.collect())
}

fn form(device: &cpal::Device, direction: Direction) -> Option<Form> {
    let own = own_config(device, direction).ok()?;
    let ranges = ranges(device, direction);
    let can = |rate: &u32| ranges.iter().any(|range| range.contains_rate(*rate));
    Some(Form {
        rate: own.sample_rate(),
        channels: own.channels(),
        format: own.sample_format().to_string(),
        rates: USUAL_RATES.into_iter().filter(can).collect(),
    })
}

/// How the device works by itself.
pub(super) fn own_config(device: &cpal::Device, way: Direction) -> Result<cpal::SupportedStreamConfig, cpal::Error> {
    match way {
        Direction::Input => device.default_input_config(),
        Direction::Output => device.default_output_config(),
    }
}

/// All it can do.
pub(super) fn ranges(device: &cpal::Device, direction: Direction) -> Vec<cpal::SupportedStreamConfigRange> {
    match direction {
        Direction::Input => device.supported_input_configs().map(Iterator::collect).unwrap_or_default(),
        Direction::Output => device.supported_output_configs().map(Iterator::collect).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plug_ins_are_no_cards() {
        for id in ["alsa:default", "alsa:hw:CARD=PCH,DEV=0", "alsa:sysdefault:CARD=PCH", "pulseaudio:line.monitor"] {
            assert!(!is_plug_in(id), "{id}");
        }
        for id in ["alsa:null", "alsa:jack", "alsa:dmix:CARD=PCH,DEV=0", "alsa:surround51:CARD=PCH,DEV=0"] {
            assert!(is_plug_in(id), "{id}");
        }
    }

    #[test]
    fn a_card_is_meant_by_its_id_or_by_a_part_that_fits() {
        let card = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        let cards = [
            card("alsa:hw:CARD=Device,DEV=0", "USB Audio Device"),
            card("alsa:hw:CARD=PCH,DEV=0", "HDA Intel PCH"),
            card("pulseaudio:line", "Null Output"),
            card("pulseaudio:line.monitor", "Monitor of Null Output"),
        ];
        assert_eq!(matching("pulseaudio:line", &cards), [2], "an id that is the beginning of another");
        assert_eq!(matching("usb", &cards), [0]);
        assert_eq!(matching("null", &cards), [2, 3]);
        assert_eq!(matching("default", &cards), [0, 1, 2, 3]);
        assert!(matching("modem", &cards).is_empty());
    }
}
