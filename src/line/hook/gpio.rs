//! GPIO lines as a hook.

use std::path::Path;

use gpiocdev::Request;
use gpiocdev::line::Value;

use super::{Hook, HookError, Signals};

const CURE: &str = "check the chip's name and lines with gpioinfo, and that this user is in the group `gpio`";

/// The hook at a GPIO chip.
pub(super) struct GpioHook {
    request: Request,
    chip: String,
    off_hook: u32,
    ring: u32,
}

impl GpioHook {
    pub(super) fn open(chip: &Path, off_hook: u32, ring: u32, active_low: bool) -> Result<Self, HookError> {
        let name = chip.display().to_string();
        let mut builder = Request::builder();
        builder.on_chip(chip).with_consumer("tonopago").with_line(ring).as_input();
        if active_low {
            builder.as_active_low();
        }
        builder.with_line(off_hook).as_output(Value::Inactive);
        if active_low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|error| failed(&name, &error))?;
        Ok(Self { request, chip: name, off_hook, ring })
    }
}

fn failed(chip: &str, error: &gpiocdev::Error) -> HookError {
    HookError { device: chip.to_owned(), why: error.to_string(), cure: CURE }
}

impl Hook for GpioHook {
    fn signals(&mut self) -> Result<Signals, HookError> {
        let value = self.request.value(self.ring).map_err(|error| failed(&self.chip, &error))?;
        Ok(Signals { ringing: value == Value::Active, ..Signals::default() })
    }

    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError> {
        let value = if off_hook { Value::Active } else { Value::Inactive };
        self.request.set_value(self.off_hook, value).map(drop).map_err(|error| failed(&self.chip, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_that_is_not_there_is_named_with_a_cure() {
        let error = GpioHook::open(Path::new("/dev/gpiochipNONE"), 1, 2, false).err().unwrap().to_string();
        assert!(error.starts_with("/dev/gpiochipNONE: ") && error.contains("gpioinfo"), "{error}");
    }
}
