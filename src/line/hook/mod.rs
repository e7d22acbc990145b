//! Hooks: what takes and leaves a line, and tells that it rings.
//!
//! A [`HookPlan`] says which; [`HookPlan::open`] gets it ready. All of them are polled: once every 10 ms the line's thread
//! asks for the [`Signals`]; counting and debouncing is [`ring`](super::ring)'s business. A hook at work waits for nothing longer
//! than an `ioctl`; only [`Hook::close`] does, which is for a thread without sound.

mod command;
#[cfg(target_os = "linux")]
mod gpio;
#[cfg(target_os = "linux")]
mod hid;
mod serial;

use std::path::PathBuf;

use super::attendant::Signals;

pub use serial::{InputSignal, OutputSignal};

/// A hook at work.
pub trait Hook: Send {
    /// What the line tells now.
    ///
    /// # Errors
    /// If the device is gone.
    fn signals(&mut self) -> Result<Signals, HookError>;

    /// Takes the line (off hook), or lets go of it.
    ///
    /// # Errors
    /// If the device is gone.
    fn set_off_hook(&mut self, off_hook: bool) -> Result<(), HookError>;

    /// Lets go of the device or program, and waits until that is done: for a process that ends next. Dropping it does not
    /// wait.
    fn close(self: Box<Self>) {}
}

/// Which hook a line has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HookPlan {
    /// None: the adapter answers by itself.
    #[default]
    None,
    /// The operator's program and its arguments. A line each, it is told `answer` and `hangup` on its standard input, and tells
    /// `ring`, or `ringing on` and `ringing off`, and `gone` on its standard output.
    Command(Vec<String>),
    /// A serial port's control lines.
    Serial {
        /// The port, such as `/dev/ttyUSB0`.
        port: String,
        /// The line that takes the telephone line.
        off_hook: OutputSignal,
        /// The line that follows the ringing.
        ring: InputSignal,
    },
    /// Lines of a GPIO chip (Linux).
    Gpio {
        /// The chip, such as `/dev/gpiochip0`.
        chip: PathBuf,
        /// The output that takes the telephone line.
        off_hook: u32,
        /// The input that follows the ringing.
        ring: u32,
        /// Whether a low level means yes, at both.
        active_low: bool,
    },
    /// The pins of a USB sound card's controller (CM108 and its family), over `/dev/hidraw*` (Linux).
    Hid {
        /// The device.
        device: PathBuf,
        /// The pin that takes the telephone line, 1 to 8; 3 on most adapters.
        off_hook: u8,
        /// The pin that follows the ringing, 1 to 8.
        ring: u8,
    },
}

/// Why a hook does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device}: {why}; {cure}")]
pub struct HookError {
    /// The device or program.
    pub device: String,
    /// What happened.
    pub why: String,
    /// What to do.
    pub cure: &'static str,
}

impl HookPlan {
    /// Whether the line tells by signals that it rings.
    pub const fn has_signals(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Opens the device or starts the program; the line is on hook then.
    ///
    /// # Errors
    /// [`HookError`] if it is not there, or not allowed.
    pub fn open(&self) -> Result<Box<dyn Hook>, HookError> {
        match self {
            Self::None => Ok(Box::new(NoHook)),
            Self::Command(words) => Ok(Box::new(command::CommandHook::start(words)?)),
            Self::Serial { port, off_hook, ring } => Ok(Box::new(serial::SerialHook::open(port, *off_hook, *ring)?)),
            #[cfg(target_os = "linux")]
            Self::Gpio { chip, off_hook, ring, active_low } => {
                Ok(Box::new(gpio::GpioHook::open(chip, *off_hook, *ring, *active_low)?))
            }
            #[cfg(target_os = "linux")]
            Self::Hid { device, off_hook, ring } => Ok(Box::new(hid::HidHook::open(device, *off_hook, *ring)?)),
            #[cfg(not(target_os = "linux"))]
            Self::Gpio { chip: device, .. } | Self::Hid { device, .. } => Err(HookError {
                device: device.display().to_string(),
                why: "only Linux has such hooks".to_owned(),
                cure: "use a serial or a command hook",
            }),
        }
    }

    /// Gets the line's signals once, and lets go again. Pins of a USB controller are read and not driven, for anybody else
    /// may have it open. A program is started, though, and to open a serial port can take its line: only for a line that
    /// nobody has.
    ///
    /// # Errors
    /// [`HookError`] if it is not there, or not allowed.
    pub fn look(&self) -> Result<Signals, HookError> {
        let mut hook: Box<dyn Hook> = match self {
            #[cfg(target_os = "linux")]
            Self::Hid { device, off_hook, ring } => Box::new(hid::HidHook::attach(device, *off_hook, *ring)?),
            _ => self.open()?,
        };
        let signals = hook.signals();
        hook.close();
        signals
    }
}

/// The adapter does everything by itself.
struct NoHook;

impl Hook for NoHook {
    fn signals(&mut self) -> Result<Signals, HookError> {
        Ok(Signals::default())
    }

    fn set_off_hook(&mut self, _off_hook: bool) -> Result<(), HookError> {
        Ok(())
    }
}
