//! The option that chooses the receiver's limits.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tonopago::dtmf::Profile;

/// Which receiver hears.
#[derive(clap::Args)]
pub(super) struct ProfileArgs {
    /// The receiver's limits
    #[arg(long = "profile", value_name = "PROFILE", default_value = "default", value_parser = parser())]
    chosen: Chosen,
}

#[derive(Clone, Copy)]
struct Chosen {
    name: &'static str,
    profile: Profile,
}

impl ProfileArgs {
    pub(super) const fn name(&self) -> &'static str {
        self.chosen.name
    }

    pub(super) const fn profile(&self) -> Profile {
        self.chosen.profile
    }
}

fn parser() -> impl TypedValueParser<Value = Chosen> {
    PossibleValuesParser::new(Profile::NAMES).try_map(|name| chosen(&name).ok_or("no such profile"))
}

fn chosen(text: &str) -> Option<Chosen> {
    let name = Profile::NAMES.into_iter().find(|name| *name == text)?;
    Some(Chosen { name, profile: Profile::named(name)? })
}
