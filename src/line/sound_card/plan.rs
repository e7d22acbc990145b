//! How a card's stream will work: rate, channels, sample form, buffer.

use cpal::{BufferSize, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

use super::devices::{Direction, own_config, ranges};
use super::{CardError, Request};

/// Sample forms the callbacks convert.
const FORMATS: [SampleFormat; 8] = [
    SampleFormat::I16,
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::U8,
    SampleFormat::I8,
    SampleFormat::U16,
    SampleFormat::F64,
];
/// Rates tried, in Hz, where a card's two directions work at different ones by themselves.
const COMMON_RATES: [u32; 4] = [48_000, 44_100, 16_000, 8_000];

/// A card's device with its id and the direction it is used in.
pub(super) struct Chosen<'a> {
    pub(super) card: &'a str,
    pub(super) device: &'a cpal::Device,
    pub(super) direction: Direction,
}

/// What a stream is opened with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) config: StreamConfig,
    pub(super) format: SampleFormat,
}

impl Plan {
    /// A plan at the rate asked for, or else at the device's own.
    pub(super) fn new(chosen: &Chosen<'_>, rate: Option<u32>, request: &Request) -> Result<Self, CardError> {
        let own = own_config(chosen.device, chosen.direction).map_err(|error| CardError::of(chosen.card, &error))?;
        let rate = rate.unwrap_or_else(|| own.sample_rate());
        let form = |what: String| CardError::Form { card: chosen.card.to_owned(), what };
        let config = if fits(&own, rate) { Some(own) } else { closest(chosen, &own, rate) };
        let config = config
            .ok_or_else(|| form(format!("does not work at {rate} Hz by itself: try {} Hz", own.sample_rate())))?;
        let wanted = match chosen.direction {
            Direction::Input => Some(request.channel),
            Direction::Output => request.output_channel,
        };
        if let Some(channel) = wanted.filter(|channel| *channel >= config.channels()) {
            return Err(form(format!(
                "has {} channels, numbered from 0: no channel {channel} to {}",
                config.channels(),
                if chosen.direction == Direction::Input { "listen to" } else { "play on" },
            )));
        }
        let frames = u64::from(rate) * u64::from(request.period_ms) / 1000;
        let buffer_size = BufferSize::Fixed(period(u32::try_from(frames).unwrap_or(u32::MAX), config.buffer_size()));
        let config = (StreamConfig { buffer_size, ..config.config() }, config.sample_format());
        Ok(Self { config: config.0, format: config.1 })
    }

    /// Plans for both directions at one rate.
    pub(super) fn both(input: &Chosen<'_>, output: &Chosen<'_>, request: &Request) -> Result<(Self, Self), CardError> {
        let at = |rate| Ok((Self::new(input, rate, request)?, Self::new(output, rate, request)?));
        if request.rate.is_some() {
            return at(request.rate);
        }
        let own = |chosen: &Chosen<'_>| own_config(chosen.device, chosen.direction).ok().map(|own| own.sample_rate());
        let candidates = own(input).into_iter().chain(own(output)).chain(COMMON_RATES);
        let mut plans = candidates.map(|rate| at(Some(rate)));
        let first = plans.next().unwrap_or_else(|| at(None));
        first.or_else(|error| plans.find_map(Result::ok).ok_or(error))
    }
}

fn fits(config: &SupportedStreamConfig, rate: u32) -> bool {
    config.sample_rate() == rate && FORMATS.contains(&config.sample_format())
}

/// The device's form at `rate` that is most like its own.
fn closest(chosen: &Chosen<'_>, own: &SupportedStreamConfig, rate: u32) -> Option<SupportedStreamConfig> {
    let usable = |range: &cpal::SupportedStreamConfigRange| FORMATS.contains(&range.sample_format());
    let at_rate = ranges(chosen.device, chosen.direction)
        .into_iter()
        .filter(usable)
        .filter_map(|range| range.try_with_sample_rate(rate));
    at_rate.min_by_key(|config| {
        let form = FORMATS.iter().position(|format| *format == config.sample_format());
        (config.channels().abs_diff(own.channels()), config.sample_format() != own.sample_format(), form)
    })
}

/// Without being asked, some systems buffer for two seconds.
fn period(wanted: u32, supported: &SupportedBufferSize) -> u32 {
    match *supported {
        SupportedBufferSize::Range { min, max } if min <= max => wanted.clamp(min.max(1), max.max(1)),
        _ => wanted.max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_always_asked_for_and_within_what_the_card_can() {
        let range = |min, max| SupportedBufferSize::Range { min, max };
        assert_eq!(period(160, &range(1, 100_000)), 160);
        assert_eq!(period(160, &range(256, 4096)), 256);
        assert_eq!(period(9600, &range(256, 4096)), 4096);
        assert_eq!(period(160, &SupportedBufferSize::Unknown), 160);
        assert_eq!(period(0, &range(0, 0)), 1);
    }
}
