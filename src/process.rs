//! What a process that has seen a card number leaves behind when it dies or is swapped out: nothing.

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;

/// Why pages are not locked. The process goes on; swap should be off or encrypted then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockRefused {
    /// The limit on locked memory is not "unlimited"; with any other one, allocations fail once it is reached.
    #[error("memory can't be locked: the limit is {0} KiB; set LimitMEMLOCK=infinity, or ulimit -l unlimited")]
    Limit(u64),
    /// The system said no.
    #[error("memory can't be locked: {0}")]
    System(String),
}

/// Everything this module can do, for a process that handles cards. What can't be done is logged, and is no reason to
/// stop.
pub fn protect() {
    quiet_panics();
    if let Err(error) = no_core_dumps() {
        tracing::warn!(%error, "core dumps can't be switched off");
    }
    match lock_pages() {
        Ok(()) => tracing::debug!("memory is locked: nothing of it is swapped out"),
        Err(refused) => tracing::info!("{refused}"),
    }
}

/// Core files off, for this process and the programs it starts; and no debugger of the same user may look into it.
///
/// # Errors
/// The system's.
#[cfg(target_os = "linux")]
pub fn no_core_dumps() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    no_core_files()?;
    // A handler that the kernel pipes core dumps to ignores the limit above, but not this.
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Core files off, for this process and the programs it starts.
///
/// # Errors
/// The system's.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn no_core_dumps() -> io::Result<()> {
    no_core_files()
}

/// There are none here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn no_core_dumps() -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn no_core_files() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

/// Keeps all memory of this process, present and future, out of swap, where the limit on locked memory allows it.
///
/// # Errors
/// [`LockRefused`]; nothing has changed then.
#[cfg(target_os = "linux")]
pub fn lock_pages() -> Result<(), LockRefused> {
    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // The superuser may raise the limit, and anybody whose hard limit is unlimited already.
    let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    if let Some(bytes) = getrlimit(Resource::Memlock).current {
        return Err(LockRefused::Limit(bytes / 1024));
    }
    // Pages are locked as they are used: reserved but untouched memory (thread stacks) costs nothing.
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .map_err(|error| LockRefused::System(error.to_string()))
}

/// Only done on Linux.
///
/// # Errors
/// [`LockRefused::System`].
#[cfg(not(target_os = "linux"))]
pub fn lock_pages() -> Result<(), LockRefused> {
    Err(LockRefused::System("only done on Linux".to_owned()))
}

/// From now on a panic says where it happened and in which thread, and not what with: its text could hold anything.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let place = panic.location().map_or_else(|| "unknown place".to_owned(), ToString::to_string);
    if tracing::dispatcher::has_been_set() {
        tracing::error!(place, thread, "internal error; its text is withheld, it could hold card data");
    } else {
        // A panic while a panic is told would end the whole process.
        let _ = writeln!(
            io::stderr(),
            "tonopago: internal error at {place} (thread {thread}); its text is withheld, it could hold card data"
        );
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    /// Makes this test binary run one test as a process that protects itself.
    const CHILD: &str = "TONOPAGO_TEST_CHILD";

    fn run(test: &str) -> Output {
        let test = format!("process::tests::{test}");
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &test, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap()
    }

    #[test]
    fn a_panic_tells_its_place_and_not_its_text() {
        if std::env::var_os(CHILD).is_some() {
            super::protect();
            let number = std::hint::black_box(String::from("4111111111111111"));
            panic!("card {number}");
        }
        let output = run("a_panic_tells_its_place_and_not_its_text");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("internal error at src/process.rs:"), "{said}");
        assert!(!said.contains("4111"), "{said}");
    }

    #[test]
    fn core_dumps_are_off_and_pages_locked_where_that_is_allowed() {
        let Ok(_) = std::env::var(CHILD) else {
            assert!(run("core_dumps_are_off_and_pages_locked_where_that_is_allowed").status.success());
            return;
        };
        super::no_core_dumps().unwrap();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
        let locked = super::lock_pages();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let amount = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
        println!("{locked:?}, {amount}");
        assert_eq!(locked.is_ok(), amount != "0 kB", "{locked:?} {amount}");
    }
}
