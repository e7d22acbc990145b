//! Which recordings a list of files, folders and `-` names.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Name;
use crate::audio::{ENDINGS, RawFormat};

/// Name endings of samples without a header that tell no form: looked for only if it is told.
const RAW: [&str; 3] = ["raw", "pcm", "sw"];
/// Names told of files that are left out.
const NAMES_TOLD: usize = 3;

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

/// As [`Name`] tells it, so that the recording can be told from any other; standard input is `-`.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => Name(path).fmt(f),
            Self::Standard => f.write_str("-"),
        }
    }
}

/// A folder that gives nothing.
#[derive(Debug, Error)]
#[error("{path}: {problem}")]
pub struct InputError {
    path: String,
    #[source]
    problem: FolderProblem,
}

impl InputError {
    /// The folder, as [`Name`] tells it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &FolderProblem {
        &self.problem
    }
}

/// Why a folder gives nothing, with the cure.
#[derive(Debug, Error)]
pub enum FolderProblem {
    /// It can't be listed.
    #[error("the folder cannot be listed ({source}): check its permissions")]
    Unlisted {
        /// The system's reason.
        source: io::Error,
    },
    /// It holds no recording.
    #[error("the folder holds no recording (names ending in {endings}): name the files themselves")]
    Empty {
        /// What was looked for.
        endings: String,
    },
}

/// What [`gather`] found.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The recordings, in order.
    pub inputs: Vec<Input>,
    /// Folders that can't be listed or hold no recording.
    pub errors: Vec<InputError>,
    /// Files in folders that are no recordings by their names, or are pipes, devices and the like.
    pub left_out: LeftOut,
}

/// Files in folders that are not read. Displays how many, and some of their names.
#[derive(Debug, Default)]
pub struct LeftOut {
    count: usize,
    names: Vec<Input>,
}

impl LeftOut {
    /// Whether every file is read.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, path: PathBuf) {
        self.count += 1;
        if self.names.len() < NAMES_TOLD {
            self.names.push(Input::File(path));
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (files, them) = if self.count == 1 { ("file", "it") } else { ("files", "them") };
        write!(f, "left out {} {files} not named as a recording: ", self.count)?;
        for (n, name) in self.names.iter().enumerate() {
            write!(f, "{}{name}", if n == 0 { "" } else { ", " })?;
        }
        if self.count > self.names.len() {
            write!(f, " and {} more", self.count - self.names.len())?;
        }
        write!(f, " (name {them} to decode {them})")
    }
}

/// The recordings that `paths` name, in order: a folder stands for the recordings in it and its folders, by name, and `-` for
/// standard input. `raw` also takes files whose names say that they have no header.
///
/// Links to folders are followed, each folder once. What is no regular file is not looked for in folders: a pipe would wait
/// for its writer.
pub fn gather(paths: &[PathBuf], raw: bool) -> Gathered {
    let mut gathered = Gathered::default();
    for path in paths {
        if path.as_os_str() == "-" {
            gathered.inputs.push(Input::Standard);
        } else if let Some(metadata) = fs::metadata(path).ok().filter(fs::Metadata::is_dir) {
            let (found, refused) = (gathered.inputs.len(), gathered.errors.len());
            Walk { raw, seen: HashSet::new(), gathered: &mut gathered }.folder(path, &metadata);
            if gathered.inputs.len() == found && gathered.errors.len() == refused {
                let problem = FolderProblem::Empty { endings: endings(raw).join(", ") };
                gathered.errors.push(InputError { path: Name(path).to_string(), problem });
            }
        } else {
            gathered.inputs.push(Input::File(path.clone()));
        }
    }
    gathered
}

/// The way through a folder and those in it.
struct Walk<'a> {
    raw: bool,
    /// Folders that were entered, by their identity: a link may lead back to one.
    seen: HashSet<(u64, u64)>,
    gathered: &'a mut Gathered,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, metadata: &fs::Metadata) {
        if !self.is_new(folder, metadata) {
            return;
        }
        let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(source) => {
                let (path, problem) = (Name(folder).to_string(), FolderProblem::Unlisted { source });
                return self.gathered.errors.push(InputError { path, problem });
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        entries.into_iter().for_each(|entry| self.entry(entry.path()));
    }

    fn entry(&mut self, path: PathBuf) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.folder(&path, &metadata),
            Ok(metadata) if !metadata.is_file() => self.gathered.left_out.add(path),
            // A link that leads nowhere is told when it is opened.
            _ if is_recording(&path, self.raw) => self.gathered.inputs.push(Input::File(path)),
            _ => self.gathered.left_out.add(path),
        }
    }

    /// Whether a folder was not entered before. Where folders have no identity, links are not followed.
    fn is_new(&mut self, folder: &Path, metadata: &fs::Metadata) -> bool {
        match file_identity(metadata) {
            Some(identity) => self.seen.insert(identity),
            None => !folder.is_symlink(),
        }
    }
}

fn endings(raw: bool) -> Vec<&'static str> {
    let of_no_form = RAW.iter().filter(|_| raw).copied();
    ENDINGS.iter().copied().chain(RawFormat::endings()).chain(of_no_form).collect()
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
        let (second, first, deep) = (put("b.WAV"), put("a.flac"), put("c/d/e.sln16"));
        put("notes.txt");
        let headerless = put("z.pcm");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("c/loop")).unwrap();
        let paths = [folder.path().to_owned(), PathBuf::from("-"), PathBuf::from("any.name")];
        let expected = [first, second, deep].map(Input::File);
        let named = [Input::Standard, Input::File(PathBuf::from("any.name"))];
        let gathered = gather(&paths, false);
        assert_eq!(gathered.inputs, [&expected[..], &named[..]].concat());
        assert!(gathered.errors.is_empty());
        let told = gathered.left_out.to_string();
        assert!(
            told.starts_with("left out 2 files not named as a recording: ") && told.contains("notes.txt, "),
            "{told}"
        );
        let gathered = gather(&paths, true);
        assert_eq!(gathered.inputs, [&expected[..], &[Input::File(headerless)], &named[..]].concat());
    }

    #[test]
    fn linked_folders_are_entered_once_and_pipes_are_left_out() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("far.mov"), b"x").unwrap();
        fs::write(folder.path().join("near.aac"), b"x").unwrap();
        for (target, name) in [(elsewhere.path(), "a"), (elsewhere.path(), "b"), (folder.path(), "loop")] {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", folder.path().join("gone.wav")).unwrap();
        let pipe = folder.path().join("pipe.wav");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        let gathered = gather(&[folder.path().to_owned()], false);
        let expected = ["a/far.mov", "gone.wav", "near.aac"].map(|name| Input::File(folder.path().join(name)));
        assert_eq!(gathered.inputs, expected);
        assert!(gathered.left_out.to_string().contains("left out 1 file not named as a recording: "));
        assert!(gathered.left_out.to_string().contains("pipe.wav (name it to decode it)"));
    }

    #[test]
    fn an_empty_folder_is_told_and_the_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let Gathered { inputs, errors, .. } = gather(&[folder.path().to_owned(), PathBuf::from("a.wav")], false);
        assert_eq!(inputs, [Input::File(PathBuf::from("a.wav"))]);
        assert!(errors[0].to_string().contains("holds no recording (names ending in wav, "), "{}", errors[0]);
    }
}
