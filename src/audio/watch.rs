//! Whether a file changes while it is read: one that is still being recorded, or copied, or written over.

use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

/// A hand on a file, whatever becomes of its name, and how it was when it was opened.
pub(super) struct Watch {
    file: File,
    opened: State,
}

/// What is another after every change.
#[derive(PartialEq)]
struct State {
    bytes: u64,
    /// `None` where the system keeps no such time.
    modified: Option<SystemTime>,
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Watch {
    /// Watches a file from the time on when `metadata` was asked for.
    ///
    /// # Errors
    /// If the system has no more hands to give.
    pub(super) fn new(file: &File, metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { file: file.try_clone()?, opened: State::of(metadata) })
    }

    /// Whether somebody wrote into the file, or cut it, since.
    pub(super) fn has_changed(&self) -> bool {
        self.file.metadata().is_ok_and(|now| State::of(&now) != self.opened)
    }
}
