//! `tonopago schema`: the JSON Schema of menus, for editors.

use std::process::ExitCode;

use tonopago::menu::schema;

use super::{Failure, Outcome};

/// Print the JSON Schema of menus, so that editors complete and check them
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  tonopago schema > menu.schema.json

With the YAML extension of VS Code and its kin, this line at the top of a menu is enough:
  # yaml-language-server: $schema=menu.schema.json")]
pub(super) struct Args {}

pub(super) fn run(_args: Args) -> Outcome {
    let text = serde_json::to_string_pretty(&schema()).map_err(Failure::failed)?;
    tell!("{text}");
    Ok(ExitCode::SUCCESS)
}
