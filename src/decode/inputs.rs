//! Which recordings a list of files, folders and `-` names.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Name endings of recordings looked for in folders.
const RECORDINGS: [&str; 13] =
    ["wav", "wave", "rf64", "bwf", "mp3", "ogg", "oga", "flac", "aif", "aiff", "aifc", "m4a", "mp4"];
/// Name endings of samples without a header, looked for only if their form is told.
const RAW: [&str; 9] = ["raw", "pcm", "sln", "ul", "ulaw", "mulaw", "al", "alaw", "sw"];
/// Folders inside folders are followed this deep; more is a loop.
const DEEPEST: usize = 64;

/// A recording to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file or a named pipe.
    File(PathBuf),
    /// Standard input.
    Standard,
}

impl Input {
    /// Which file it is, whatever it is called; `None` if that can't be told.
    pub fn identity(&self) -> Option<(u64, u64)> {
        match self {
            Self::File(path) => fs::metadata(path).ok(),
            Self::Standard => standard_input(),
        }
        .and_then(|metadata| file_identity(&metadata))
    }
}

/// Device and number of a file: all its names and links have the same. `None` where the system has no such thing.
#[cfg(unix)]
pub fn file_identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

/// Device and number of a file: all its names and links have the same. `None` where the system has no such thing.
#[cfg(not(unix))]
pub fn file_identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(unix)]
fn standard_input() -> Option<fs::Metadata> {
    use std::os::fd::AsFd as _;
    let file = io::stdin().as_fd().try_clone_to_owned().map(fs::File::from);
    file.and_then(|file| file.metadata()).ok()
}

#[cfg(not(unix))]
fn standard_input() -> Option<fs::Metadata> {
    None
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Standard => f.write_str("-"),
        }
    }
}

/// A folder that gives nothing.
#[derive(Debug, Error)]
pub enum InputError {
    /// It can't be listed.
    #[error("{path}: the folder cannot be listed ({source}): check its permissions")]
    Folder {
        /// The folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It holds no recording.
    #[error("{path}: the folder holds no recording (names ending in {endings}): name the files themselves")]
    Empty {
        /// The folder.
        path: String,
        /// What was looked for.
        endings: String,
    },
}

/// The recordings that `paths` name, in order: a folder stands for the recordings in it and its folders, by name, and `-` for
/// standard input. `raw` also takes files whose names say that they have no header.
///
/// A folder that can't be listed or holds nothing is told beside the recordings that were found.
pub fn gather(paths: &[PathBuf], raw: bool) -> (Vec<Input>, Vec<InputError>) {
    let (mut inputs, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::Standard);
        } else if path.is_dir() {
            let (found, refused) = (inputs.len(), errors.len());
            walk(path, raw, 0, &mut inputs, &mut errors);
            if inputs.len() == found && errors.len() == refused {
                errors.push(InputError::Empty { path: path.display().to_string(), endings: endings(raw).join(", ") });
            }
        } else {
            inputs.push(Input::File(path.clone()));
        }
    }
    (inputs, errors)
}

fn walk(folder: &Path, raw: bool, depth: usize, inputs: &mut Vec<Input>, errors: &mut Vec<InputError>) {
    let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(source) => return errors.push(InputError::Folder { path: folder.display().to_string(), source }),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder may lead back here; a link to a file is a file.
        let linked = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if path.is_dir() {
            if !linked && depth < DEEPEST {
                walk(&path, raw, depth + 1, inputs, errors);
            }
        } else if is_recording(&path, raw) {
            inputs.push(Input::File(path));
        }
    }
}

fn endings(raw: bool) -> Vec<&'static str> {
    RECORDINGS.iter().chain(RAW.iter().filter(|_| raw)).copied().collect()
}

fn is_recording(path: &Path, raw: bool) -> bool {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else { return false };
    endings(raw).iter().any(|known| known.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_recordings_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, b"x").unwrap();
            path
        };
        let (second, first, deep) = (put("b.WAV"), put("a.flac"), put("c/d/e.ogg"));
        put("notes.txt");
        let headerless = put("z.ul");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("c/loop")).unwrap();
        let paths = [folder.path().to_owned(), PathBuf::from("-"), PathBuf::from("any.name")];
        let expected = [first, second, deep].map(Input::File);
        let named = [Input::Standard, Input::File(PathBuf::from("any.name"))];
        let (inputs, errors) = gather(&paths, false);
        assert_eq!(inputs, [&expected[..], &named[..]].concat());
        assert!(errors.is_empty());
        let (inputs, _) = gather(&paths, true);
        assert_eq!(inputs, [&expected[..], &[Input::File(headerless)], &named[..]].concat());
    }

    #[test]
    fn an_empty_folder_is_told_and_the_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (inputs, errors) = gather(&[folder.path().to_owned(), PathBuf::from("a.wav")], false);
        assert_eq!(inputs, [Input::File(PathBuf::from("a.wav"))]);
        assert!(errors[0].to_string().contains("holds no recording (names ending in wav, "), "{}", errors[0]);
    }
}
