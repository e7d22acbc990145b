//! The payer as the merchant tells of them, made to fit what the gateway takes: it refuses a whole charge for one bad
//! field, and a merchant's bad data must not stop a payment.

use crate::service::Customer;

/// Longest name and e-mail address the gateway takes, in characters.
pub const MAX_CUSTOMER_CHARACTERS: usize = 100;
/// Longest telephone number, in characters: 15 digits (ITU-T E.164), and what people write between them.
const MAX_PHONE_CHARACTERS: usize = 25;

/// Cuts names that are too long, and leaves out what is not what its name says; without a name there is no customer.
pub(super) fn fitted(customer: Customer) -> Option<Customer> {
    let Customer { name, last_name, email, phone_number } = customer;
    Some(Customer {
        name: fitted_name(&name)?,
        last_name: last_name.as_deref().and_then(fitted_name),
        email: email.filter(|text| is_email(text)),
        phone_number: phone_number.filter(|text| is_phone_number(text)),
    })
}

/// Whether a text can be an e-mail address the gateway takes: `name@host.domain` in plain ASCII, at most 100 characters.
pub fn is_email(text: &str) -> bool {
    let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    text.len() <= MAX_CUSTOMER_CHARACTERS
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text
            .split_once('@')
            .is_some_and(|(name, host)| dotted(name) && dotted(host) && host.contains('.') && !host.contains('@'))
}

/// A name has a letter or a digit, no control characters and no more characters than the gateway takes.
fn fitted_name(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| !c.is_control()).take(MAX_CUSTOMER_CHARACTERS).collect();
    name.chars().any(char::is_alphanumeric).then_some(name)
}

fn is_phone_number(text: &str) -> bool {
    let written = |byte: u8| byte.is_ascii_digit() || b" +-().".contains(&byte);
    text.len() <= MAX_PHONE_CHARACTERS && text.bytes().all(written) && text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_as_it_is() {
        let customer = Customer {
            name: "José \"Pepe\"".into(),
            last_name: Some("Muñoz".into()),
            email: Some("pepe.m+1@correo.example.com".into()),
            phone_number: Some("+52 (55) 1234-5678".into()),
        };
        assert_eq!(fitted(customer.clone()), Some(customer));
    }

    #[test]
    fn what_does_not_fit_is_cut_or_left_out() {
        let customer = Customer {
            name: format!("\u{7}{}", "ñ".repeat(4000)),
            last_name: Some("\r\n".into()),
            email: Some(format!("{}@example.com", "a".repeat(100))),
            phone_number: Some("ask Juan".into()),
        };
        let expected = Customer { name: "ñ".repeat(100), ..Customer::default() };
        assert_eq!(fitted(customer), Some(expected));
        for nobody in ["", "  ", "\0", "---"] {
            assert_eq!(fitted(Customer { name: nobody.into(), ..Customer::default() }), None, "{nobody:?}");
        }
    }

    #[test]
    fn what_is_clearly_no_address_is_none() {
        for good in ["a@b.mx", "a.b-c_d+e@b-c.d.mx"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "@",
            "a",
            "a@b",
            "@b.mx",
            "a@",
            "a@b.mx.",
            "a@.mx",
            "a..b@c.mx",
            ".a@c.mx",
            "a b@c.mx",
            "a@b@c.mx",
            "ñ@c.mx",
            "a@c.mx\n",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }
}
