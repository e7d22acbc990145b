//! The option that chooses the receiver's limits.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tonopago::dtmf::Profile;

/// Which receiver hears.
#[derive(clap::Args)]
pub(super) struct ProfileArgs {
    /// The receiver's limits
    #[arg(long, value_name = "PROFILE", default_value = "default", value_parser = parser())]
    profile: Profile,
}

impl ProfileArgs {
    pub(super) const fn profile(&self) -> Profile {
        self.profile
    }
}

fn parser() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::NAMES).try_map(|name| Profile::named(&name).ok_or("no such profile"))
}
