//! `box.yaml`: one configuration for a whole box, resolved in one step that tells all problems at once.

mod audio_socket;
mod document;
mod hand_over;
mod lines;
mod places;
mod services;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::dtmf::Profile;
use crate::line::HandoverConfig;
use crate::line::attendant::Begins;
use crate::line::audio_socket::ListenerConfig;
use crate::line::hook::HookPlan;
use crate::menu::{Menu, Problems};
use crate::progress::Country;
use crate::speech::Clips;
use crate::text_file::{self, TextError};

pub use crate::menu::Problem;
pub use services::Services;

/// A box's configuration, checked.
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// The box's name, for the status page and metrics.
    pub name: String,
    /// Identifies the configuration's text and the menus' texts together (FNV-1a, 64 bits), for logs and audits.
    pub hash: String,
    /// Identifies the configuration's own text, without the menus.
    pub own_hash: String,
    /// The lines, at least one. One entry of the file may make several.
    pub lines: Vec<LineConfig>,
    /// The menus by name.
    pub menus: Vec<MenuConfig>,
    /// Authorizer, gateway, ledger.
    pub services: Services,
    /// The status page, if there is one.
    pub status: Option<StatusConfig>,
    /// Recording, if calls are recorded.
    pub recording: Option<Recording>,
    /// Where callers' answers are kept, if a menu asks for any.
    pub answers: Option<PathBuf>,
    /// How often open payments are looked for.
    pub reconcile_every: Duration,
    /// How long a stop waits for calls under way.
    pub stop_within: Duration,
    /// What is allowed, but seldom meant, in the configuration itself; its menus have warnings of their own.
    pub warnings: Vec<Problem>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct LineConfig {
    /// Its name.
    pub name: String,
    /// Where its sound comes from.
    pub source: Source,
    /// What takes the line.
    pub hook: HookPlan,
    /// Answer after so many rings, where the hook tells of rings.
    pub rings: u32,
    /// Level from which sound is sound, in dBm0.
    pub sound_dbm0: f64,
    /// What is heard is multiplied by so many dB.
    pub gain_in_db: f64,
    /// What is said is multiplied by so many dB.
    pub gain_out_db: f64,
    /// Index of its menu in [`Config::menus`].
    pub menu: usize,
    /// The network's tones.
    pub tones: &'static Country,
    /// The detector's profile.
    pub profile: Profile,
    /// How callers are handed over to a person, where the line can do it.
    pub hand_over: Option<HandoverConfig>,
}

impl LineConfig {
    /// How calls begin on it.
    pub const fn begins(&self) -> Begins {
        match self.source {
            Source::AudioSocket { .. } => Begins::WithCaller,
            Source::Card(_) | Source::Simulated { .. } if self.hook.has_signals() => Begins::AfterRings(self.rings),
            Source::Card(_) | Source::Simulated { .. } => Begins::WithSound,
        }
    }
}

/// Where a line's sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A sound card.
    Card(CardConfig),
    /// An Asterisk, by AudioSocket. The lines of one listener share it.
    AudioSocket {
        /// The entry's name, which is that of its lines without their numbers.
        group: String,
        /// The listener.
        listener: ListenerConfig,
    },
    /// Simulated callers who pay with test cards: for trying a box without hardware. Only with demo services.
    Simulated {
        /// From the end of one call to the next.
        every: Duration,
    },
}

/// A sound card's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardConfig {
    /// The card that listens.
    pub device: String,
    /// The card that plays, where it is another.
    pub output: Option<String>,
    /// Its rate in Hz, where it is not to choose.
    pub rate: Option<u32>,
    /// The input channel that is the line, from 0.
    pub channel: u16,
    /// Whether another line plays on the same card: then each plays on the channel of its number, and on no other.
    pub shares_output: bool,
    /// Its buffer, in ms.
    pub period_ms: u32,
}

impl CardConfig {
    /// The card that plays.
    pub fn player(&self) -> &str {
        self.output.as_deref().unwrap_or(&self.device)
    }
}

#[cfg(feature = "sound-card")]
impl CardConfig {
    /// What to ask the sound system for.
    pub(super) fn request(&self) -> crate::line::sound_card::Request {
        let Self { device, output, rate, channel, shares_output, period_ms } = self.clone();
        let output_channel = shares_output.then_some(channel);
        crate::line::sound_card::Request { device, output, rate, channel, output_channel, period_ms }
    }
}

/// One menu.
pub struct MenuConfig {
    /// Its name in the configuration.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The menu, checked.
    pub menu: Arc<Menu>,
    /// The clips it speaks with: those built in, over them its own, which are in the folder beside it with its name, and
    /// over those the operator's recordings.
    pub clips: Arc<Clips>,
}

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The password's hash; without it whoever reaches the address may look, and only this machine reaches it.
    pub password_hash: Option<String>,
    /// Whether browsers reach it by `https` (a proxy in front of it): then its cookie is for `https` only, and who comes
    /// from this machine may be anybody.
    pub https: bool,
}

/// Where recordings go, and how long they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The folder.
    pub folder: PathBuf,
    /// Older ones are removed.
    pub keep: Duration,
    /// The oldest are removed when all together are more, in bytes.
    pub most_bytes: u64,
    /// None is begun when the disk has less left, in bytes.
    pub least_free_bytes: u64,
}

/// Why a configuration can't be used.
#[derive(Debug)]
pub enum ConfigError {
    /// The file can't be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: TextError,
    },
    /// Everything wrong with it and its menus, by file.
    Problems(Vec<Problems>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, source } => {
                write!(f, "{}: {source}: {}; box.example.yaml is one to copy", file.display(), source.cure())
            }
            Self::Problems(files) => {
                for (index, problems) in files.iter().enumerate() {
                    write!(f, "{}{problems}", if index == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a configuration and everything it names: menus, recordings, secrets. Paths in it count from its own folder.
    ///
    /// # Errors
    /// All problems at once, with line, column and cure.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = text_file::read(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        document::read(file, &text)
    }

    /// The same from a text, as if it stood in `file`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        document::read(file, text)
    }
}
