//! Files for their owner's eyes only: ledgers, recordings.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::output_file;

/// Mode of a file only its owner can read and write.
#[cfg(unix)]
const OWNER_ONLY: u32 = 0o600;

/// Creates a file, or empties one that is there, and lets nobody but its owner read it, whoever could before.
///
/// # Errors
/// The system's, and as [`output_file::check`].
pub fn create(path: &Path) -> io::Result<File> {
    output_file::check(path)?;
    let file = open(path, true)?;
    restrict(&file)?;
    Ok(file)
}

/// Creates a file that is not there, for its owner only.
///
/// # Errors
/// The system's; [`io::ErrorKind::AlreadyExists`] leaves the file as it is.
pub fn create_new(path: &Path) -> io::Result<File> {
    owner_only(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Sees to it that the file exists; a new one is its owner's alone. One that is there stays as it is, and if others can
/// read it the log says so.
///
/// # Errors
/// The system's.
pub fn ensure(path: &Path) -> io::Result<()> {
    let file = open(path, false)?;
    if is_exposed(&file)? {
        tracing::warn!(path = %path.display(), "others can read this file; run chmod 600 on it");
    }
    Ok(())
}

fn open(path: &Path, truncate: bool) -> io::Result<File> {
    owner_only(OpenOptions::new().write(true).create(true).truncate(truncate)).open(path)
}

/// Lets a file that these options make be its owner's alone; one that is there keeps its mode.
pub fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, OWNER_ONLY);
    options
}

/// A device (`/dev/null`, a terminal) keeps its mode.
#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    file.set_permissions(std::fs::Permissions::from_mode(OWNER_ONLY))
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the folder's rights decide.
#[cfg(not(unix))]
fn restrict(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn new_and_old_files_become_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        create(&path).unwrap().write_all(b"new").unwrap();
        assert_eq!((mode(&path), std::fs::read(&path).unwrap()), (0o600, b"new".to_vec()));
        create(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_file_that_is_there_keeps_its_contents_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, "old").unwrap();
        std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o640)).unwrap();
        ensure(&old).unwrap();
        ensure(&new).unwrap();
        assert_eq!((mode(&old), std::fs::read(&old).unwrap(), mode(&new)), (0o640, b"old".to_vec(), 0o600));
    }
}
