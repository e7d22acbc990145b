//! Keys and passwords: from the environment, or from a file only its owner can read. Never from a configuration file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::regular_file;

/// Longest secret, in bytes; anything longer is the wrong file.
const MAX_BYTES: u64 = 4096;
/// Room for a longest secret and what shows that it goes on.
const ROOM: usize = MAX_BYTES as usize + 1;

/// What is kept secret, and where it is looked for if no file is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// Openpay's private key of the merchant.
    OpenpayKey,
    /// The password with which boxes ask the merchant's authorizer.
    AuthorizerPassword,
    /// What boxes sign their reports of payments with.
    ReportSecret,
    /// The hash of the status page's password.
    StatusPasswordHash,
}

impl Secret {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::OpenpayKey, Self::AuthorizerPassword, Self::ReportSecret, Self::StatusPasswordHash];

    /// The environment variable.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::OpenpayKey => "TONOPAGO_OPENPAY_KEY",
            Self::AuthorizerPassword => "TONOPAGO_AUTHORIZER_PASSWORD",
            Self::ReportSecret => "TONOPAGO_REPORT_SECRET",
            Self::StatusPasswordHash => "TONOPAGO_STATUS_PASSWORD_HASH",
        }
    }

    /// Reads it from `file` if one is named, else from its environment variable.
    ///
    /// # Errors
    /// [`SecretError`] says where it was looked for and how to mend it.
    pub fn read(self, file: Option<&Path>) -> Result<Zeroizing<String>, SecretError> {
        read(self.what(), self.variable(), file)
    }

    const fn what(self) -> &'static str {
        match self {
            Self::OpenpayKey => "Openpay private key",
            Self::AuthorizerPassword => "authorizer password",
            Self::ReportSecret => "report secret",
            Self::StatusPasswordHash => "hash of the status page's password",
        }
    }
}

/// Why a secret can't be had. Never contains it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Neither a file was named nor the variable set.
    #[error("no {what}: set {variable}, or name a file that only you can read")]
    Missing {
        /// What the secret is.
        what: &'static str,
        /// The environment variable.
        variable: &'static str,
    },
    /// The file can't be read.
    #[error("{}: cannot be read ({source}): see whether the path is right and the file yours", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than the owner may read it.
    #[error("{}: others can read this file (mode {mode:03o}); run chmod 600 on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Empty, too long, or more than one line.
    #[error("{place}: a secret is one line of text, neither empty nor longer than {MAX_BYTES} bytes")]
    Malformed {
        /// The file or variable.
        place: String,
    },
}

fn read(what: &'static str, variable: &'static str, file: Option<&Path>) -> Result<Zeroizing<String>, SecretError> {
    let (place, text) = match file {
        Some(path) => (path.display().to_string(), read_file(path)?),
        None => {
            let text = std::env::var(variable).map_err(|_| SecretError::Missing { what, variable })?;
            (variable.to_owned(), Zeroizing::new(text))
        }
    };
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains(['\r', '\n']) {
        return Err(SecretError::Malformed { place });
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let file = regular_file::open(path).map_err(unreadable)?;
    check_mode(path)?;
    // All the room it can take, so that it is not copied while it is read.
    let mut text = Zeroizing::new(String::with_capacity(ROOM));
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(SecretError::Malformed { place: path.display().to_string() });
    }
    Ok(text)
}

/// Refuses a file that others than its owner can read.
#[cfg(unix)]
pub(super) fn check_mode(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata =
        std::fs::metadata(path).map_err(|source| SecretError::Unreadable { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(SecretError::Exposed { path: path.to_owned(), mode }) }
}

/// Elsewhere the folder's rights decide.
#[cfg(not(unix))]
pub(super) fn check_mode(_path: &Path) -> Result<(), SecretError> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn read_file_of(contents: &str, mode: u32) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let secret = read("key", "TONOPAGO_NOT_SET", Some(&path));
        secret.map(|secret| secret.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_ones_own_is_read_to_its_line_end() {
        assert_eq!(read_file_of("sk_1\n", 0o600), Ok("sk_1".into()));
        assert_eq!(read_file_of("sk_1", 0o400), Ok("sk_1".into()));
    }

    /// Nobody writes into the pipe: it once was waited for, for ever.
    #[test]
    fn pipes_and_devices_are_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let error = read("key", "TONOPAGO_NOT_SET", Some(path)).unwrap_err().to_string();
            assert!(error.contains(", not a file"), "{error}");
        }
    }

    #[test]
    fn exposed_empty_and_strange_files_are_refused_without_repeating_them() {
        for (contents, mode, cure) in [
            ("hunter2", 0o640, "chmod 600"),
            ("hunter2", 0o604, "chmod 600"),
            ("", 0o600, "one line"),
            ("\n", 0o600, "one line"),
            ("hunter2\nmore", 0o600, "one line"),
            (&"hunter2".repeat(1_000), 0o600, "one line"),
        ] {
            let error = read_file_of(contents, mode).unwrap_err();
            assert!(error.contains(cure) && !error.contains("hunter2"), "{error}");
        }
        let missing_file = read("key", "TONOPAGO_NOT_SET", Some(Path::new("/no/such/file"))).unwrap_err();
        assert!(matches!(missing_file, SecretError::Unreadable { .. }));
        let missing = read("private key", "TONOPAGO_NOT_SET", None).unwrap_err().to_string();
        assert_eq!(missing, "no private key: set TONOPAGO_NOT_SET, or name a file that only you can read");
    }
}
