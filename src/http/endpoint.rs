//! Base addresses of services, checked once.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

/// The base address of a service: `https`, or `http` on this machine only, where no network can listen in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

/// Why an address is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an absolute address.
    #[error("{0:?} is not an address: write https://host/path")]
    Malformed(String),
    /// Card data and passwords do not cross a network in the clear.
    #[error("{0:?} is not encrypted: use https (http is only for this machine, 127.0.0.1 or localhost)")]
    NotEncrypted(String),
    /// A user, a query or a fragment, which a base address cannot have.
    #[error("{0:?} must be scheme, host, port and path only; credentials have settings of their own")]
    NotABase(String),
}

impl Endpoint {
    /// Checks an address; a trailing slash is ignored.
    ///
    /// # Errors
    /// [`EndpointError`] says what to write instead.
    pub fn parse(address: &str) -> Result<Self, EndpointError> {
        let uri: Uri = address.parse().map_err(|_| EndpointError::Malformed(address.to_owned()))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(EndpointError::Malformed(address.to_owned()));
        };
        if authority.as_str().contains('@') {
            return Err(EndpointError::NotABase("(address with credentials)".to_owned()));
        }
        if uri.query().is_some() || address.contains('#') {
            return Err(EndpointError::NotABase(address.to_owned()));
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(authority.host()) => {}
            "http" => return Err(EndpointError::NotEncrypted(address.to_owned())),
            _ => return Err(EndpointError::Malformed(address.to_owned())),
        }
        Ok(Self(address.trim_end_matches('/').to_owned()))
    }

    /// The address of a resource under this base; `path` starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The address without trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_this_machine() {
        for good in [
            "https://api.openpay.mx",
            "https://h:8443/base/",
            "http://127.0.0.1:80",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Endpoint::parse("https://h/base/").unwrap().join("/v1"), "https://h/base/v1");
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in
            ["http://api.openpay.mx", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com"]
        {
            assert_eq!(Endpoint::parse(bad), Err(EndpointError::NotEncrypted(bad.into())));
        }
        for bad in ["", "api.openpay.mx", "/v1", "ftp://h", "file:///etc/passwd", "https://"] {
            assert!(matches!(Endpoint::parse(bad), Err(EndpointError::Malformed(_))), "{bad}");
        }
        for bad in ["https://h/?a=b", "https://h/#x"] {
            assert_eq!(Endpoint::parse(bad), Err(EndpointError::NotABase(bad.into())));
        }
        let leaky = Endpoint::parse("https://sk_secret@h").unwrap_err();
        assert!(!leaky.to_string().contains("sk_secret"));
    }
}
