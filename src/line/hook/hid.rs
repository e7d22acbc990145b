//! The pins of a CM108-style USB sound controller as a hook.
//!
//! C-Media's data sheets (CM108, CM119): an output report of four bytes `HID_OR0..3`, of which the second is the level and
//! the third the direction of the eight GPIO pins; an input report of four bytes, of which the second is the pins' level,
//! sent whenever something changes. `hidraw` puts the report's number, 0, before an output report.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{Hook, HookError, Signals};

/// `O_NONBLOCK` of Linux: reading gives what is there and never waits.
const NONBLOCK: i32 = 0o4000;
/// The input report's byte with the pins' level.
const PINS: usize = 1;
const CURE: &str = "check that it is plugged in and that this user may use it (a udev rule for hidraw)";

/// The hook at a hidraw device.
pub(super) struct HidHook {
    device: File,
    name: String,
    off_hook: u8,
    ring: u8,
    ringing: bool,
}

impl HidHook {
    /// Pins count from 1. The line is on hook then.
    pub(super) fn open(device: &Path, off_hook: u8, ring: u8) -> Result<Self, HookError> {
        let mut hook = Self::attach(device, off_hook, ring)?;
        hook.set_off_hook(false)?;
        Ok(hook)
    }

    /// The same with no pin driven: whoever has the line may be in a call.
    pub(super) fn attach(device: &Path, off_hook: u8, ring: u8) -> Result<Self, HookError> {
        let name = device.display().to_string();
        let opened = OpenOptions::new().read(true).write(true).custom_flags(NONBLOCK).open(device);
        let device = opened.map_err(|error| failed(&name, &error))?;
        Ok(Self { device, name, off_hook: mask(off_hook), ring: mask(ring), ringing: false })
    }
}

const fn mask(pin: u8) -> u8 {
    1 << (pin.saturating_sub(1) & 7)
}

/// What drives the pin `mask`, and no other, to a level.
const fn output_report(mask: u8, high: bool) -> [u8; 5] {
    [0, 0, if high { mask } else { 0 }, mask, 0]
}

fn failed(device: &str, error: &std::io::Error) -> HookError {
    HookError { device: device.to_owned(), why: error.to_string(), cure: CURE }
}

impl Hook for HidHook {
    fn signals(&mut self) -> Result<Signals, HookError> {
        let mut report = [0; 64];
        loop {
            match self.device.read(&mut report) {
                Ok(length) if length > PINS => self.ringing = report[PINS] & self.ring != 0,
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(failed(&self.name, &error)),
            }
        }
        Ok(Signals { ringing: self.ringing, ..Signals::default() })
    }

    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError> {
        self.device.write_all(&output_report(self.off_hook, off_hook)).map_err(|error| failed(&self.name, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_drive_one_pin_and_no_other() {
        assert_eq!(output_report(mask(3), true), [0, 0, 0b100, 0b100, 0]);
        assert_eq!(output_report(mask(3), false), [0, 0, 0, 0b100, 0]);
        assert_eq!((mask(1), mask(8)), (1, 0x80));
    }

    #[test]
    fn a_device_that_is_not_there_is_named_with_a_cure() {
        let error = HidHook::open(Path::new("/dev/hidrawNONE"), 3, 1).err().unwrap().to_string();
        assert!(error.starts_with("/dev/hidrawNONE: ") && error.contains("udev"), "{error}");
    }

    /// The doctor opened the hook as a box does, and put a line on hook that was in a call.
    #[test]
    fn looking_at_a_hook_drives_no_pin() {
        let device = tempfile::NamedTempFile::new().unwrap();
        let plan = super::super::HookPlan::Hid { device: device.path().to_owned(), off_hook: 3, ring: 1 };
        assert_eq!(plan.look().map(|signals| signals.ringing), Ok(false));
        assert_eq!(std::fs::read(device.path()).unwrap(), [0; 0]);
        drop(plan.open().unwrap());
        assert_eq!(std::fs::read(device.path()).unwrap(), output_report(mask(3), false));
    }
}
