//! Whether the files and folders a box writes can be where the configuration says: looked at without making anything.

use std::path::{Path, PathBuf};

use super::document::Context;
use crate::line::is_table;
use crate::yaml::Value;

/// Why a box could not write here.
#[derive(Debug, PartialEq, Eq)]
enum Unfit {
    /// It makes files, and no folder for them.
    NoFolder(PathBuf),
    /// Something else has a folder's name, or a folder a file's.
    Other(PathBuf),
    NotWritable(PathBuf),
}

impl Unfit {
    fn tell(self, value: &Value<'_>) {
        let (place, seen, cure) = match self {
            Self::NoFolder(place) => (place, "there is no such folder", "make it, for the user the box runs as"),
            Self::Other(place) => (place, "something else is there", "name another place, or move it away"),
            Self::NotWritable(place) => {
                (place, "can't be written", "give it to the user the box runs as, and ask as that user")
            }
        };
        value.problem(format!("{}: {seen}", place.display()), cure);
    }
}

/// The path of a file the box makes, or adds to.
pub(super) fn file(value: &Value<'_>, context: &Context<'_>) -> Option<PathBuf> {
    place(value, context, file_fits)
}

/// The path of a folder the box makes where it is not there.
pub(super) fn folder(value: &Value<'_>, context: &Context<'_>) -> Option<PathBuf> {
    place(value, context, folder_fits)
}

/// The path of a demonstration's folder, which is made where it is not there, by whoever runs it.
pub(super) fn demo(value: &Value<'_>, context: &Context<'_>) -> Option<PathBuf> {
    let no_other = |path: &Path| {
        if path.exists() && !path.is_dir() { Err(Unfit::Other(path.to_owned())) } else { Ok(()) }
    };
    place(value, context, no_other)
}

fn place(value: &Value<'_>, context: &Context<'_>, fits: fn(&Path) -> Result<(), Unfit>) -> Option<PathBuf> {
    let text = value.text()?;
    if text.is_empty() {
        value.expected("a path", "write one from this file's folder");
        return None;
    }
    let path = context.path(text);
    fits(&path).map_err(|unfit| unfit.tell(value)).ok().map(|()| path)
}

/// The file for callers' answers; its name says how they stand in it.
pub(super) fn answers(value: &Value<'_>, context: &Context<'_>) -> Option<PathBuf> {
    let path = file(value, context)?;
    let is_lines = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl"));
    if !is_table(&path) && !is_lines {
        let message = "the name does not say whether answers are kept as a table or as JSON lines";
        value.problem(message, "let it end in .csv or in .jsonl");
        return None;
    }
    Some(path)
}

fn file_fits(path: &Path) -> Result<(), Unfit> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if path.is_dir() {
        return Err(Unfit::Other(path.to_owned()));
    }
    if path.exists() {
        return if is_writable(path) { Ok(()) } else { Err(Unfit::NotWritable(path.to_owned())) };
    }
    if !folder.exists() {
        return Err(Unfit::NoFolder(folder.to_owned()));
    }
    folder_fits(folder)
}

/// The folder itself, or the nearest above it that is there.
fn folder_fits(path: &Path) -> Result<(), Unfit> {
    let above = path.ancestors().map(|place| if place.as_os_str().is_empty() { Path::new(".") } else { place });
    let Some(there) = above.into_iter().find(|place| place.exists()) else { return Ok(()) };
    if !there.is_dir() {
        return Err(Unfit::Other(there.to_owned()));
    }
    if is_writable(there) { Ok(()) } else { Err(Unfit::NotWritable(there.to_owned())) }
}

#[cfg(unix)]
fn is_writable(place: &Path) -> bool {
    rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(place: &Path) -> bool {
    std::fs::metadata(place).is_ok_and(|found| !found.permissions().readonly())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_its_folder_and_a_folder_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a file"), "").unwrap();
        assert_eq!((file_fits(&at("new")), file_fits(&at("a file"))), (Ok(()), Ok(())));
        assert_eq!(file_fits(&at("no/new")), Err(Unfit::NoFolder(at("no"))));
        assert_eq!(file_fits(&at("a file/new")), Err(Unfit::Other(at("a file"))));
        assert_eq!(file_fits(folder.path()), Err(Unfit::Other(folder.path().to_owned())));
        assert_eq!((folder_fits(&at("a/b/c")), folder_fits(folder.path())), (Ok(()), Ok(())));
        assert_eq!(folder_fits(&at("a file/b")), Err(Unfit::Other(at("a file"))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made");
    }

    /// The superuser may write everywhere.
    #[cfg(unix)]
    #[test]
    fn what_may_not_be_written_is_no_place() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
        let allowed = rustix::process::geteuid().is_root();
        assert_eq!(folder_fits(&folder.path().join("calls")).is_ok(), allowed);
        assert_eq!(file_fits(&folder.path().join("ledger.sqlite")).is_ok(), allowed);
    }
}
