//! A serial port's control lines as a hook: RTS or DTR drives a relay, RI, CTS, DCD or DSR follows the ring detector.

use std::time::Duration;

use serialport::SerialPort;

use super::{Hook, HookError, Signals};

/// Nothing is sent or received; any rate will do.
const BAUD: u32 = 9600;
const CURE: &str = "check that it is plugged in and that this user is in the group `dialout`";

/// A control line the box drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputSignal {
    /// Request to send.
    Rts,
    /// Data terminal ready.
    Dtr,
}

/// A control line the box reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSignal {
    /// Ring indicator.
    Ri,
    /// Clear to send.
    Cts,
    /// Data carrier detect.
    Dcd,
    /// Data set ready.
    Dsr,
}

impl OutputSignal {
    /// All, with their names in configurations.
    pub const NAMED: [(&'static str, Self); 2] = [("rts", Self::Rts), ("dtr", Self::Dtr)];
}

impl InputSignal {
    /// All, with their names in configurations.
    pub const NAMED: [(&'static str, Self); 4] =
        [("ri", Self::Ri), ("cts", Self::Cts), ("dcd", Self::Dcd), ("dsr", Self::Dsr)];
}

/// The hook at a serial port.
pub(super) struct SerialHook {
    port: Box<dyn SerialPort>,
    name: String,
    off_hook: OutputSignal,
    ring: InputSignal,
}

impl SerialHook {
    pub(super) fn open(name: &str, off_hook: OutputSignal, ring: InputSignal) -> Result<Self, HookError> {
        let failed = |error: serialport::Error| failed(name, &error);
        let port = serialport::new(name, BAUD).timeout(Duration::from_millis(10)).open().map_err(failed)?;
        let mut hook = Self { port, name: name.to_owned(), off_hook, ring };
        hook.set_off_hook(false)?;
        hook.signals()?; // a port without control lines says so now
        Ok(hook)
    }
}

fn failed(device: &str, error: &serialport::Error) -> HookError {
    HookError { device: device.to_owned(), why: error.to_string(), cure: CURE }
}

impl Hook for SerialHook {
    fn signals(&mut self) -> Result<Signals, HookError> {
        let port = &mut self.port;
        let ringing = match self.ring {
            InputSignal::Ri => port.read_ring_indicator(),
            InputSignal::Cts => port.read_clear_to_send(),
            InputSignal::Dcd => port.read_carrier_detect(),
            InputSignal::Dsr => port.read_data_set_ready(),
        };
        let ringing = ringing.map_err(|error| failed(&self.name, &error))?;
        Ok(Signals { ringing, ..Signals::default() })
    }

    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError> {
        let set = match self.off_hook {
            OutputSignal::Rts => self.port.write_request_to_send(off_hook),
            OutputSignal::Dtr => self.port.write_data_terminal_ready(off_hook),
        };
        set.map_err(|error| failed(&self.name, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named_with_a_cure() {
        let error = SerialHook::open("/dev/ttyNOSUCH", OutputSignal::Rts, InputSignal::Ri).err().unwrap();
        assert!(error.to_string().starts_with("/dev/ttyNOSUCH: ") && error.to_string().contains("dialout"), "{error}");
    }
}
