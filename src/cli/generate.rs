//! `tonopago generate`: DTMF audio.

mod onward;

use std::io::{self, BufWriter, IsTerminal, Seek, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use tonopago::audio::g711::Law;
use tonopago::audio::level::dbm0_of_sum;
use tonopago::audio::wav::{Encoding, WavForm, WavWriter};
use tonopago::dtmf::level::amplitude;
use tonopago::dtmf::{Digit, GeneratorConfig};
use tonopago::output_file;
use tonopago::simulator::line::{Line, LineBuilder};

use super::{Failure, Outcome};
use onward::{Beginning, Onward};

/// Samples written at a time.
const BLOCK: usize = 1024;

/// Write a WAV file of DTMF digits
///
/// Levels are in dBm0: a sine that fills the scale has +3.14 dBm0.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  tonopago generate 5551234# -o keys.wav
  tonopago generate 0123456789 -o hard.wav --tone 40 --pause 40 --level -25 --twist 6 --snr 15
  tonopago generate 42 -o right.wav --channels 2 --channel right --rate 44100 --encoding mulaw
  tonopago generate '*69#' -o - | tonopago decode -"
)]
pub(super) struct Args {
    /// Digits 0-9, *, #, A-D; spaces between them are ignored
    #[arg(value_parser = parse_digits)]
    digits: Digits,
    /// File to write, or - for standard output
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Length of each digit, in ms
    #[arg(long, value_name = "MS", default_value_t = 80.0)]
    tone: f64,
    /// Pause after each digit, in ms
    #[arg(long, value_name = "MS", default_value_t = 80.0)]
    pause: f64,
    /// Silence (or noise) before the first digit, in ms
    #[arg(long, value_name = "MS", default_value_t = 100.0)]
    lead: f64,
    /// Level of the stronger tone, in dBm0
    #[arg(long, value_name = "DBM0", default_value_t = -10.0)]
    level: f64,
    /// Weaken the high tone by this many dB (the low one where negative)
    #[arg(long, value_name = "DB", default_value_t = 0.0)]
    twist: f64,
    /// Add white noise: power of both tones over power of the noise, from 0 Hz to half the rate, in dB
    #[arg(long, value_name = "DB")]
    snr: Option<f64>,
    /// The noise's seed: the same seed gives the same file
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Samples per second, in Hz
    #[arg(long, value_name = "HZ", default_value_t = 8000)]
    rate: u32,
    /// Channels of the file
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=2))]
    channels: u16,
    /// The channel that holds the digits
    #[arg(long, value_enum, default_value_t = ChannelName::All)]
    channel: ChannelName,
    /// How samples are written
    #[arg(long, value_enum, default_value_t = EncodingName::Pcm16)]
    encoding: EncodingName,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ChannelName {
    /// Every channel
    All,
    /// The first of two
    Left,
    /// The second of two
    Right,
}

#[derive(Clone, Copy, ValueEnum)]
enum EncodingName {
    /// 16-bit linear
    Pcm16,
    /// G.711 mu-law
    Mulaw,
    /// G.711 A-law
    Alaw,
    /// 32-bit floating point
    Float,
}

/// At least one digit.
#[derive(Clone)]
struct Digits(Vec<Digit>);

pub(super) fn run(args: Args) -> Outcome {
    let config = args.config()?;
    let form = WavForm { sample_rate: args.rate, channels: args.channels, encoding: args.encoding.into() };
    if amplitude(config.low_dbm0) + amplitude(config.high_dbm0) > 1.0 {
        say!("tonopago: warning: the tones together exceed full scale and are clipped");
    }
    if args.output.as_os_str() == "-" {
        if io::stdout().is_terminal() {
            return Err(Failure::usage("standard output is a terminal: name a file, or send the output into a pipe"));
        }
        // Made twice, the first time for its header only: what is kept would be as long as the sound.
        let mut beginning = Beginning::default();
        args.write(&mut beginning, form, &config)?;
        let mut onward = Onward::new(io::stdout().lock(), &beginning.bytes())?;
        args.write(&mut onward, form, &config)?;
        onward.finish()?;
        return Ok(ExitCode::SUCCESS);
    }
    let failed = |error: io::Error| Failure::unwritable(&args.output, &error);
    let file = output_file::create(&args.output).map_err(failed)?;
    args.write(&mut BufWriter::new(file), form, &config).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn config(&self) -> Result<GeneratorConfig, Failure> {
        if self.channel != ChannelName::All && self.channels == 1 {
            return Err(Failure::usage("--channel left and right need --channels 2"));
        }
        if self.snr.is_some_and(|snr| !(-60.0..=120.0).contains(&snr)) {
            return Err(Failure::usage("--snr takes -60 to 120 dB"));
        }
        if !(-60.0..=60.0).contains(&self.twist) {
            return Err(Failure::usage("--twist takes -60 to 60 dB"));
        }
        let config = GeneratorConfig { sample_rate: self.rate, lead_ms: self.lead, ..GeneratorConfig::default() };
        let config = config.level(self.level).twist(self.twist).timing(self.tone, self.pause);
        config.tone(self.digits.0[0]).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(config)
    }

    fn write(&self, file: &mut (impl Write + Seek), form: WavForm, config: &GeneratorConfig) -> io::Result<()> {
        let mut writer = WavWriter::new(file, form)?;
        let mut lines: Vec<Line> = (0..u64::from(self.channels)).map(|channel| self.line(config, channel)).collect();
        let mut sound = self.sound(config);
        let (mut clean, silence) = (Vec::with_capacity(BLOCK), [0.0; BLOCK]);
        let mut heard = vec![vec![0.0; BLOCK]; lines.len()];
        loop {
            clean.clear();
            clean.extend(sound.by_ref().take(BLOCK));
            if clean.is_empty() {
                return writer.finish();
            }
            let length = clean.len();
            for (channel, (line, heard)) in lines.iter_mut().zip(&mut heard).enumerate() {
                let sent = if self.channel.has(channel) { &clean[..] } else { &silence[..length] };
                line.process(sent, &silence[..length], &mut heard[..length]);
            }
            let planes: Vec<&[f32]> = heard.iter().map(|heard| &heard[..length]).collect();
            writer.write(&planes)?;
        }
    }

    /// The digits' clean samples, one by one: their number is limited by the disk only.
    fn sound<'a>(&'a self, config: &'a GeneratorConfig) -> impl Iterator<Item = f32> + 'a {
        let silence = |ms: f64| {
            let samples = (ms * f64::from(config.sample_rate) / 1000.0).round() as usize;
            std::iter::repeat_n(0.0, samples)
        };
        // The configuration was checked, so that no tone fails.
        let tones = self.digits.0.iter().flat_map(|digit| config.tone(*digit));
        silence(config.lead_ms).chain(tones.flat_map(move |tone| tone.chain(silence(config.pause_ms))))
    }

    fn line(&self, config: &GeneratorConfig, channel: u64) -> Line {
        let line = LineBuilder::new(self.seed.wrapping_add(channel));
        let noisy = match self.snr {
            Some(snr) => line.noise_dbm0(dbm0_of_sum(&[config.low_dbm0, config.high_dbm0]) - snr),
            None => line,
        };
        noisy.build(self.rate)
    }
}

impl ChannelName {
    fn has(self, channel: usize) -> bool {
        match self {
            Self::All => true,
            Self::Left => channel == 0,
            Self::Right => channel == 1,
        }
    }
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Pcm16 => Self::Pcm16,
            EncodingName::Mulaw => Self::G711(Law::Mu),
            EncodingName::Alaw => Self::G711(Law::A),
            EncodingName::Float => Self::Float32,
        }
    }
}

fn parse_digits(text: &str) -> Result<Digits, String> {
    let wrong = |character| format!("`{character}` is no DTMF digit: use 0-9, *, # and A-D");
    let keys = text.chars().filter(|character| !character.is_whitespace());
    let digits: Vec<Digit> =
        keys.map(|character| Digit::from_char(character).ok_or_else(|| wrong(character))).collect::<Result<_, _>>()?;
    if digits.is_empty() { Err("name at least one digit".to_owned()) } else { Ok(Digits(digits)) }
}
