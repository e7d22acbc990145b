//! Order ids: which ones a merchant may use, and what the gateway is given for an order's later attempts.
//!
//! Another attempt of an order needs an order id of its own at the gateway. It ends as no merchant's order id may, so that
//! one order's second attempt is never taken for the payment of another order.

/// Most characters of a merchant's order id: the gateway takes 100, another attempt adds its suffix.
pub const MAX_CHARS: usize = 90;
/// What comes between the order id and the number of a later attempt: letters and dashes, which the gateway takes.
const LATER: &str = "-retry";

/// Why a merchant's order id can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderIdError {
    /// Empty, or too long.
    #[error("an order id has 1 to {MAX_CHARS} characters")]
    Length,
    /// Line breaks and the like.
    #[error("an order id is plain text, without line breaks and control characters")]
    Controls,
    /// A key issued for it would be for another order than it seems to be.
    #[error("an order id has no blanks at its ends and no characters that can't be seen")]
    Unseen,
    /// It looks like a later attempt of another order.
    #[error("an order id does not end in {LATER} and digits: later attempts of an order have such ids at Openpay")]
    Reserved,
}

/// Checks a merchant's order id.
///
/// # Errors
/// [`OrderIdError`].
pub fn check(order_id: &str) -> Result<(), OrderIdError> {
    match () {
        () if !(1..=MAX_CHARS).contains(&order_id.chars().count()) => Err(OrderIdError::Length),
        () if order_id.chars().any(char::is_control) => Err(OrderIdError::Controls),
        () if is_later_attempt(order_id) => Err(OrderIdError::Reserved),
        () => Ok(()),
    }
}

/// Checks an order id for which a key is to be issued: people tell it from others by what they see. What a merchant's own
/// service calls its orders is taken as it is.
///
/// # Errors
/// [`OrderIdError`].
pub fn check_new(order_id: &str) -> Result<(), OrderIdError> {
    check(order_id)?;
    if order_id != order_id.trim() || order_id.chars().any(is_unseen) {
        return Err(OrderIdError::Unseen);
    }
    Ok(())
}

/// Characters without width, and those that turn the direction of writing.
const fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// The order id at the gateway of an order's attempt with this number, from 1: the first has the order's own.
pub fn at_gateway(order_id: &str, number: u32) -> String {
    if number <= 1 { order_id.to_owned() } else { format!("{order_id}{LATER}{number}") }
}

/// Capital letters and blanks at the end don't make another id: a gateway may not tell them apart.
fn is_later_attempt(order_id: &str) -> bool {
    let text = order_id.trim_end().to_ascii_lowercase();
    let before = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    before.len() < text.len() && before.ends_with(LATER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_id_of_a_merchant_is_another_orders_later_attempt() {
        for order_id in
            ["234", "234-2", "ord-234-r2", "retry2", "ord-retry", "ord-retry-2", "ord-retry2a", &"ñ".repeat(90)]
        {
            assert_eq!(check(order_id), Ok(()), "{order_id}");
            for number in 2..30 {
                assert!(check(&at_gateway(order_id, number)).is_err(), "{order_id}, {number}");
            }
            assert_eq!(at_gateway(order_id, 1), order_id);
        }
    }

    #[test]
    fn what_can_not_be_used_says_why() {
        for (order_id, error) in [
            ("", OrderIdError::Length),
            (&"o".repeat(91), OrderIdError::Length),
            ("a\nb", OrderIdError::Controls),
            ("234-retry2", OrderIdError::Reserved),
            ("234-RETRY02 ", OrderIdError::Reserved),
        ] {
            assert_eq!(check(order_id), Err(error), "{order_id}");
        }
    }

    #[test]
    fn no_two_orders_that_keys_are_issued_for_look_alike() {
        for order_id in ["ord-1", "ord 1", "ñandú", "=1+1", "注文"] {
            assert_eq!(check_new(order_id), Ok(()), "{order_id}");
        }
        for order_id in ["ord-1 ", " ord-1", " ", "\u{a0}1", "ord\u{200b}-1", "\u{202e}1-dro", "ord-1\u{feff}"] {
            assert_eq!(check_new(order_id), Err(OrderIdError::Unseen), "{order_id:?}");
            assert_eq!(check(order_id), Ok(()), "a merchant's service may call it so: {order_id:?}");
        }
    }

    #[test]
    fn what_is_added_is_plain_and_keeps_within_the_gateways_100_characters() {
        let longest = at_gateway(&"o".repeat(MAX_CHARS), 9_999);
        assert_eq!((longest.len(), &longest[MAX_CHARS..]), (100, "-retry9999"));
    }
}
