//! Reading the menu a command was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tonopago::menu::Menu;
use tonopago::speech::Clips;

use super::Failure;

/// The payment menu that ships, for commands that are given none.
const PAGO: &str = include_str!("../../menus/pago.yaml");

/// Which menu a command runs.
#[derive(clap::Args)]
pub(super) struct MenuArgs {
    /// The menu, a YAML file [default: the payment menu built in, menus/pago.yaml]
    #[arg(long, short, value_name = "FILE")]
    menu: Option<PathBuf>,
    /// A folder of recordings that replace clips: es-MX/ID.wav, en-US/ID.wav
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
}

impl MenuArgs {
    /// The menu and the clips that are built in.
    pub(super) const fn built_in() -> Self {
        Self { menu: None, recordings: None }
    }

    /// The menu to be read rather than heard: clips that are yet to be made do not matter.
    pub(super) fn load_for_reading(&self) -> Result<(Arc<Menu>, Arc<Clips>), Failure> {
        self.load()
    }

    /// The menu and the clips it speaks with.
    pub(super) fn load(&self) -> Result<(Arc<Menu>, Arc<Clips>), Failure> {
        let clips = load_clips(self.recordings.as_deref())?;
        let menu = match &self.menu {
            Some(path) => read_menu(path, &clips)?,
            None => Menu::parse("menus/pago.yaml", PAGO, &*clips).map_err(Failure::failed)?,
        };
        Ok((menu, clips))
    }
}

/// The clips built in, with a folder's recordings in their places.
pub(super) fn load_clips(recordings: Option<&Path>) -> Result<Arc<Clips>, Failure> {
    recordings.map_or_else(|| Ok(Clips::embedded()), |folder| Clips::with_overrides(folder).map_err(Failure::failed))
}

/// Reads and checks a menu file.
fn read_menu(path: &Path, clips: &Arc<Clips>) -> Result<Arc<Menu>, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("{name}: cannot read the menu: {error}")))?;
    Menu::parse(&name, &text, &**clips).map_err(Failure::failed)
}
