//! Card data: parsing, checks and secrecy. Knows no other room.
//!
//! The number, the expiry and the CVV live on the heap in one place each, so that moving a value moves a pointer and
//! leaves no copy behind, and they are overwritten with zeros when dropped. None of them is `Debug`, `Display`,
//! `Clone` or `Serialize`: the only way to the digits is a method called `expose`, which a reviewer can search for.

mod brand;
mod cvv;
mod expiry;
mod pan;
mod secret;
mod seen;

pub use brand::Brand;
pub use cvv::{Cvv, CvvError};
pub use expiry::{Expiry, ExpiryError, YearMonth};
pub use pan::{LastFour, Pan, PanError};
pub use secret::SecretDigits;
pub use seen::SeenCard;

#[cfg(test)]
mod secrecy_tests {
    use std::fmt::{Debug, Display};

    use super::{Cvv, Expiry, Pan, SecretDigits};
    use crate::service::{Card, Request};

    /// Fails to compile when the type implements the trait: both blanket impls then apply and `_` is ambiguous.
    macro_rules! assert_not_impl {
        ($bound:path; $($secret:ty),+) => {$(
            const _: fn() = || {
                trait AmbiguousIfImplemented<A> { fn here() {} }
                impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
                impl<T: ?Sized + $bound> AmbiguousIfImplemented<u8> for T {}
                let _ = <$secret as AmbiguousIfImplemented<_>>::here;
            };
        )+};
    }

    assert_not_impl!(Debug; SecretDigits, Pan, Cvv, Expiry, Card, Request);
    assert_not_impl!(Display; SecretDigits, Pan, Cvv, Expiry, Card, Request);
    assert_not_impl!(Clone; SecretDigits, Pan, Cvv, Expiry, Card, Request);
    assert_not_impl!(serde::Serialize; SecretDigits, Pan, Cvv, Expiry, Card, Request);

    #[test]
    fn moving_a_secret_moves_a_pointer_not_the_digits() {
        let pan = Pan::parse("4111111111111111").ok().unwrap();
        let before = pan.expose().as_ptr();
        let moved = Box::new(pan);
        assert_eq!(before, moved.expose().as_ptr());
    }
}
