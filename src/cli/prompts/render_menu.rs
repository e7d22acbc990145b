//! Rendering a menu's own prompts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tonopago::speech::{Language, Rendered, Renderer};

use crate::cli::menu_file::{MenuArgs, prompts_folder};
use crate::cli::{FAILED, Failure, Outcome, programs};

/// What a program that speaks is called by, where the command line does not say.
const VARIABLE: &str = "TONOPAGO_TTS";

/// Where a menu's own prompts come from and go to.
#[derive(clap::Args)]
pub(super) struct RenderMenu {
    /// Render the texts under `prompts:` of this menu instead, those that are not rendered yet
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "amount", "digits", "reference"])]
    menu: Option<PathBuf>,
    /// With --menu: the program that speaks, with {text}, {language}, {voice} and {out} in its arguments; without {text}
    /// the text is on its standard input, without {out} the WAV file on its standard output [env: TONOPAGO_TTS]
    #[arg(long, value_name = "COMMAND", requires = "menu")]
    command: Option<String>,
    /// With --menu: what {voice} stands for in a language, as es-MX=NAME; the language, if not given
    #[arg(long, value_name = "LANGUAGE=NAME", requires = "menu", value_parser = voice)]
    voice: Vec<(Language, String)>,
    /// With --menu: where the clips go [default: a folder beside the menu with its name]
    #[arg(long, value_name = "FOLDER", requires = "menu")]
    folder: Option<PathBuf>,
}

impl RenderMenu {
    pub(super) const fn menu(&self) -> Option<&PathBuf> {
        self.menu.as_ref()
    }

    pub(super) fn run(&self, path: &Path) -> Outcome {
        let (menu, _) = MenuArgs::of(path).load_for_reading()?;
        let command = self.command.clone().or_else(|| std::env::var(VARIABLE).ok());
        let command = command.ok_or_else(|| {
            let example = "--command 'espeak-ng -v {voice} -w {out} {text}' --voice es-MX=es-419";
            Failure::usage(format!("no program that speaks is given: for example {example}"))
        })?;
        let renderer =
            Renderer::new(&command, self.voice.clone()).map_err(|error| Failure::usage(error.to_string()))?;
        let folder = self.folder.clone().unwrap_or_else(|| prompts_folder(path));
        programs::end_with_this_one();
        let mut failed = 0;
        for own in menu.own_texts() {
            let name = format!("{}/{}", own.language, own.id);
            match renderer.render(&folder, own.language, &own.id, &own.text) {
                Ok(Rendered::Made) => tell!("{name}: rendered"),
                Ok(Rendered::Current) => {}
                Ok(Rendered::Recording) => tell!("{name}: left alone, it is a recording of yours"),
                Err(error) => {
                    failed += 1;
                    say!("tonopago: {}: prompt {name}: {error}", path.display());
                }
            }
        }
        tell!("{} prompts in {}", menu.own_texts().len() - failed, folder.display());
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}

fn voice(text: &str) -> Result<(Language, String), String> {
    let parts = text.split_once('=').and_then(|(code, name)| Some((Language::parse(code)?, name.to_owned())));
    parts.ok_or_else(|| "write es-MX=NAME or en-US=NAME".to_owned())
}
