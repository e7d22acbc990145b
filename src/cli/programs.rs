//! Programs of the operator's own, when this one is told to end.

use std::thread;

use tonopago::http::Termination;
use tonopago::program;

/// What a shell makes of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C and SIGTERM end the program at work as well, and what it was given is removed.
pub(super) fn end_with_this_one() {
    // Where the system gives no signals, this one ends alone.
    let Ok(termination) = Termination::listen() else { return };
    thread::spawn(|| {
        termination.wait();
        program::exit_with_all(INTERRUPTED)
    });
}
