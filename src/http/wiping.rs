//! Send buffers that forget: ureq keeps a request's bytes until its buffer is used again or freed, and frees it as it is.
//! And connections that are not mistaken for none when their route is lost.

use std::fmt;
use std::io::{self, ErrorKind};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroize as _;

/// Goes last in a chain of connectors and wraps whatever transport the others made. (ureq's transport interface is
/// marked as unversioned: a new minor version of ureq may ask for changes here.)
#[derive(Debug)]
pub(super) struct WipingConnector;

/// A connected transport that overwrites what it has sent, at once.
pub(super) struct WipingTransport<T>(T);

impl<In: Transport> Connector<In> for WipingConnector {
    type Out = WipingTransport<In>;

    fn connect(&self, _details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(WipingTransport))
    }
}

impl<T: Transport> Transport for WipingTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let result = self.0.transmit_output(amount, timeout);
        self.0.buffers().output().zeroize();
        result.map_err(after_connecting)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout).map_err(after_connecting)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

/// A connection whose route is lost fails as one that could not be made does, and by then the request may have arrived.
fn after_connecting(error: Error) -> Error {
    match error {
        Error::Io(error) if is_of_connecting(error.kind()) => Error::Io(io::Error::other(error)),
        error => error,
    }
}

/// Whether an error is one of those that say that no connection could be made.
pub(super) const fn is_of_connecting(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable)
}

/// Nothing of the buffers.
impl<T> fmt::Debug for WipingTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WipingTransport")
    }
}

#[cfg(test)]
mod tests {
    use ureq::Timeout;
    use ureq::unversioned::transport::LazyBuffers;
    use ureq::unversioned::transport::time::Duration;

    use super::*;

    /// Takes everything and does nothing, and has no route for an answer.
    #[derive(Debug)]
    struct Sink(LazyBuffers);

    impl Transport for Sink {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, amount: usize, _timeout: NextTimeout) -> Result<(), Error> {
            if amount > 16 { Err(Error::ConnectionFailed) } else { Ok(()) }
        }

        fn await_input(&mut self, _timeout: NextTimeout) -> Result<bool, Error> {
            Err(Error::Io(ErrorKind::HostUnreachable.into()))
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    const NEVER: NextTimeout =
        NextTimeout { after: Duration::NotHappening, reason: Timeout::Global, per_read: None, per_write: None };

    #[test]
    fn a_route_lost_on_a_connection_is_no_connection_that_was_never_made() {
        let error = WipingTransport(Sink(LazyBuffers::new(64, 64))).await_input(NEVER).unwrap_err();
        assert!(matches!(&error, Error::Io(error) if !is_of_connecting(error.kind())), "{error:?}");
    }

    #[test]
    fn what_was_sent_is_overwritten_whether_it_arrived_or_not() {
        for amount in [16, 20] {
            let mut transport = WipingTransport(Sink(LazyBuffers::new(64, 64)));
            transport.buffers().output()[..amount].fill(b'4');
            assert_eq!(transport.transmit_output(amount, NEVER).is_ok(), amount == 16);
            assert!(transport.buffers().output().iter().all(|byte| *byte == 0));
            assert_eq!(format!("{transport:?}"), "WipingTransport");
        }
    }
}
