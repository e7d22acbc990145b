//! Names that have no address are connections that were never made, whatever words the system has for it. (ureq's resolver
//! interface is marked as unversioned: a new minor version of ureq may ask for changes here.)

use std::io;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The system's resolver, whose failures are those of connecting.
#[derive(Debug, Default)]
pub(super) struct Resolving(DefaultResolver);

impl Resolver for Resolving {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            // The system's kinds of it are many, and none of them has a name.
            Error::Io(error) => Error::Io(io::Error::new(io::ErrorKind::HostUnreachable, error)),
            error => error,
        })
    }
}
