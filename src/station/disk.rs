//! Whether the ledger's disk fills up, told while there is still room: on a full one no payments are taken.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::board::Board;
use super::config::Services;
use super::doctor::{LEAST_FREE, nearest};
use super::recording::free_bytes;
use crate::payment::Background;

/// Between two looks: no disk fills up sooner that was looked at before it was left alone.
const EVERY: Duration = Duration::from_secs(600);

/// The folder that the ledger is in, or will be.
pub(super) fn of_ledger(services: &Services) -> PathBuf {
    match services {
        Services::Demo(folder) => nearest(folder).to_owned(),
        Services::Live(live) => nearest(&live.ledger).to_owned(),
    }
}

/// Looks at a folder's disk, for as long as this lives.
pub(super) fn watching(folder: &Path, board: &Arc<Board>) -> io::Result<Background> {
    let (folder, board, mut is_low) = (folder.to_owned(), Arc::clone(board), false);
    Background::every(EVERY, "disk", move |_| is_low = look(free_bytes(&folder), is_low, &board))
}

/// Whether it has become too little, which is told once until there is more again.
fn look(free: Option<u64>, was_low: bool, board: &Board) -> bool {
    let Some(free) = free else { return was_low };
    let is_low = free < LEAST_FREE;
    if is_low && !was_low {
        let free = free / 1_000_000;
        board.trouble(&format!("the ledger's disk fills up: {free} MB free; make room: a full disk stops payments"));
    }
    is_low
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// The first that was heard of it was that no payments were taken.
    #[test]
    fn a_disk_that_fills_up_is_told_of_once_until_there_is_room_again() {
        let board = Board::new("b", true, "h", Timestamp::UNIX_EPOCH, Vec::new());
        let told = [Some(1 << 40), Some(150_000_000), Some(0), None, Some(LEAST_FREE), Some(LEAST_FREE - 1)];
        let counts = told.into_iter().scan(false, |is_low, free| {
            *is_low = look(free, *is_low, &board);
            Some(board.troubles())
        });
        assert_eq!(counts.collect::<Vec<_>>(), [0, 1, 1, 1, 1, 2]);
        let page = board.snapshot()["troubles"].to_string();
        assert!(page.contains("150 MB free") && page.contains("199 MB free"), "{page}");
    }
}
