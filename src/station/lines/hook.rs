//! A line's hook: opened as soon as it can be, opened again when it has failed, and always set to what the line should be.

use std::sync::Arc;
use std::time::Instant;

use super::super::board::{Board, Count};
use super::upkeep::Upkeep;
use crate::line::attendant::Signals;
use crate::line::hook::{Hook, HookPlan};

/// The hook of one line of a board, which tells how it is.
pub(super) struct LineHook {
    plan: HookPlan,
    board: Arc<Board>,
    line: usize,
    hook: Option<Box<dyn Hook>>,
    upkeep: Upkeep,
    /// What the line should be, so that a hook that comes back is set right.
    off_hook: bool,
}

impl LineHook {
    pub(super) fn new(plan: HookPlan, board: Arc<Board>, line: usize) -> Self {
        Self { plan, board, line, hook: None, upkeep: Upkeep::default(), off_hook: false }
    }

    /// The hook's signals; none from a hook that does not work, which is opened again from time to time.
    pub(super) fn signals(&mut self, now: Instant) -> Signals {
        if !self.plan.has_signals() {
            return Signals::default();
        }
        if self.hook.is_none() && self.upkeep.is_due(now) {
            self.open(now);
        }
        let Some(hook) = &mut self.hook else { return Signals::default() };
        match hook.signals() {
            Ok(signals) => {
                if self.upkeep.works(now) {
                    self.show();
                }
                signals
            }
            Err(error) => {
                self.failed(now, &error.to_string());
                Signals::default()
            }
        }
    }

    pub(super) fn set_off_hook(&mut self, off_hook: bool, now: Instant) {
        self.off_hook = off_hook;
        if let Some(hook) = &mut self.hook
            && let Err(error) = hook.set_off_hook(off_hook)
        {
            self.failed(now, &error.to_string());
        }
    }

    /// Lets go of the line for good.
    pub(super) fn close(mut self, now: Instant) {
        self.set_off_hook(false, now);
        if let Some(hook) = self.hook {
            hook.close();
        }
    }

    fn open(&mut self, now: Instant) {
        match self.plan.open() {
            Ok(hook) => {
                self.hook = Some(hook);
                self.set_off_hook(self.off_hook, now);
            }
            Err(error) => {
                let why = error.to_string();
                let news = self.upkeep.is_absent(now, &why);
                self.tell(news, &why);
            }
        }
    }

    fn failed(&mut self, now: Instant, why: &str) {
        self.hook = None;
        self.board.lines[self.line].add(Count::HookFailures, 1);
        let news = self.upkeep.failed(now, why);
        self.tell(news, why);
    }

    fn tell(&self, news: bool, why: &str) {
        let name = &self.board.lines[self.line].name;
        if news {
            self.board.trouble(&format!("{name}: {why}"));
        } else {
            tracing::debug!(line = name, why, "still no hook");
        }
        self.show();
    }

    fn show(&self) {
        self.board.lines[self.line].state().hook_trouble = self.upkeep.trouble().map(str::to_owned);
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::super::super::board::LineBoard;
    use super::*;

    fn hook(words: &[&str]) -> (LineHook, Arc<Board>) {
        let board = Board::new("b", true, "h", Timestamp::UNIX_EPOCH, vec![LineBoard::new("l", "s")]);
        let (board, words) = (Arc::new(board), words.iter().map(|word| (*word).to_owned()).collect());
        (LineHook::new(HookPlan::Command(words), Arc::clone(&board), 0), board)
    }

    /// Polls until the hook has failed so often; `at` is the line's time, which stands still meanwhile. Bounded.
    fn poll_until_failures(hook: &mut LineHook, board: &Board, failures: u64, at: Instant) {
        for _ in 0..2000 {
            if board.lines[0].count(Count::HookFailures) >= failures {
                return;
            }
            hook.signals(at);
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{failures} failures did not come");
    }

    /// It was started once a second, each time its trouble was taken for mended, and told anew: day and night.
    #[test]
    fn a_program_that_dies_at_once_is_told_of_once_and_started_ever_more_seldom() {
        let (mut hook, board) = hook(&["sh", "-c", "exit 1"]);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        // Started at 0 s; then after pauses of 1, 2, 4 and 8 s.
        for (failures, seconds) in [(1, 0), (2, 1), (3, 3), (4, 7), (5, 15)] {
            poll_until_failures(&mut hook, &board, failures, at(seconds));
            assert!(!board.is_well() && hook.hook.is_none());
            hook.signals(at(seconds) + Duration::from_millis(900));
            assert!(hook.hook.is_none(), "it is left alone for a while");
        }
        assert_eq!(board.troubles(), 1);
    }

    #[test]
    fn a_program_that_stays_mends_the_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let (program, start) = (folder.path().join("hook"), Instant::now());
        let (mut hook, board) = hook(&["sh", program.to_str().unwrap()]);
        poll_until_failures(&mut hook, &board, 1, start);
        std::fs::write(&program, "while read word; do :; done\n").unwrap();
        for tenths in 10..100 {
            hook.signals(start + Duration::from_millis(100) * tenths);
        }
        assert!(board.is_well() && hook.hook.is_some());
        assert_eq!(board.lines[0].count(Count::HookFailures), 1);
    }
}
