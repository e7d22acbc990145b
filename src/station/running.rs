//! Whether a box runs: it holds a name of its configuration's, which nobody else can have meanwhile and which goes with the
//! process, however it ends. So the doctor leaves a line alone that may be in a call.

use std::path::Path;

#[cfg(target_os = "linux")]
pub(super) use linux::{Mark, is_running};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{Mark, is_running};

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, ErrorKind};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::Path;

    /// Held for as long as a box runs. A socket in Linux's abstract namespace: no file that could stay behind.
    pub(in super::super) struct Mark {
        _socket: UnixDatagram,
    }

    impl Mark {
        /// Takes the name. Without one the box runs all the same.
        pub(in super::super) fn take(configuration: &Path) -> Option<Self> {
            bind(configuration).map(|socket| Self { _socket: socket }).ok()
        }
    }

    /// Whether a box with this configuration runs on this machine.
    pub(in super::super) fn is_running(configuration: &Path) -> bool {
        bind(configuration).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
    }

    /// By the file's whole path, which stays what it is when an editor replaces the file; hashed, for names are short.
    fn bind(configuration: &Path) -> io::Result<UnixDatagram> {
        let path = std::fs::canonicalize(configuration).unwrap_or_else(|_| configuration.to_owned());
        let hash = ring::digest::digest(&ring::digest::SHA256, path.as_os_str().as_encoded_bytes());
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(format!("tonopago/{hex}"))?)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::Path;

    /// Other systems have no such names.
    pub(in super::super) struct Mark;

    impl Mark {
        pub(in super::super) const fn take(_configuration: &Path) -> Option<Self> {
            None
        }
    }

    /// Not known.
    pub(in super::super) const fn is_running(_configuration: &Path) -> bool {
        false
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_known_by_its_configuration_for_as_long_as_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("box.yaml"), folder.path().join("other.yaml"));
        std::fs::write(&file, "").unwrap();
        let mark = Mark::take(&file).unwrap();
        assert!(is_running(&file) && is_running(&folder.path().join("./box.yaml")) && !is_running(&other));
        std::fs::write(&other, "edited").unwrap();
        std::fs::rename(&other, &file).unwrap();
        assert!(is_running(&file), "a configuration that was edited is still that box's");
        assert!(Mark::take(&file).is_none());
        drop(mark);
        assert!(!is_running(&file));
    }
}
