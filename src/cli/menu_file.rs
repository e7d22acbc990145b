//! Reading the menu a command was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tonopago::menu::{Catalog, Menu, Problems};
use tonopago::speech::Clips;
use tonopago::text_file;

use super::Failure;

/// The payment menu that ships, for commands that are given none.
const PAGO: &str = include_str!("../../menus/pago.yaml");

/// Which menu a command runs.
#[derive(clap::Args)]
pub(super) struct MenuArgs {
    /// The menu, a YAML file [default: the payment menu built in, menus/pago.yaml]
    #[arg(long, short, value_name = "FILE")]
    menu: Option<PathBuf>,
    /// A folder of recordings that replace clips: es-MX/ID.wav, en-US/ID.wav [default: the folder beside the menu with
    /// its name, if there is one]
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
}

impl MenuArgs {
    /// The menu and the clips that are built in.
    pub(super) const fn built_in() -> Self {
        Self { menu: None, recordings: None }
    }

    /// This menu with its own prompts.
    pub(super) fn of(menu: &Path) -> Self {
        Self { menu: Some(menu.to_owned()), recordings: None }
    }

    /// The menu and the clips it speaks with.
    pub(super) fn load(&self) -> Result<(Arc<Menu>, Arc<Clips>), Failure> {
        self.read(Menu::parse)
    }

    /// The menu to be read rather than heard: clips that are yet to be made are as long as their words.
    pub(super) fn load_for_reading(&self) -> Result<(Arc<Menu>, Arc<Clips>), Failure> {
        let (menu, clips) = self.read(Menu::parse_draft)?;
        let drafts = menu.own_texts().iter().map(|own| (own.language, own.id.as_str(), own.text.as_str()));
        let clips = clips.with_drafts(drafts);
        Ok((menu, clips))
    }

    fn read(&self, parse: Parse) -> Result<(Arc<Menu>, Arc<Clips>), Failure> {
        let clips = clips_of(self.menu.as_deref(), self.recordings.as_deref())?;
        let menu = match &self.menu {
            Some(path) => parse(&path.display().to_string(), &read_text(path)?, &*clips).map_err(Failure::failed)?,
            None => parse("menus/pago.yaml", PAGO, &*clips).map_err(Failure::failed)?,
        };
        Ok((menu, clips))
    }
}

type Parse = fn(&str, &str, &dyn Catalog) -> Result<Arc<Menu>, Problems>;

/// Where a menu's own clips are: beside it, in a folder of its name.
pub(super) fn prompts_folder(menu: &Path) -> PathBuf {
    menu.with_extension("")
}

/// The clips a menu speaks with: those built in, and over them the recordings given, or those beside the menu.
pub(super) fn clips_of(menu: Option<&Path>, recordings: Option<&Path>) -> Result<Arc<Clips>, Failure> {
    let beside = || menu.map(prompts_folder).filter(|folder| folder.is_dir() && Some(folder.as_path()) != menu);
    load_clips(recordings.map(Path::to_owned).or_else(beside).as_deref())
}

/// The clips built in, with a folder's recordings in their places.
pub(super) fn load_clips(recordings: Option<&Path>) -> Result<Arc<Clips>, Failure> {
    recordings.map_or_else(|| Ok(Clips::embedded()), |folder| Clips::with_overrides(folder).map_err(Failure::failed))
}

/// A menu file's text.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    text_file::read(path).map_err(|error| Failure::unreadable(path, &error))
}
