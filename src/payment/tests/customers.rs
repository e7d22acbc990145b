//! What the merchant says of the payer never stands between a payer and the payment.

use super::*;
use crate::ledger::NewKey;
use crate::service::Customer;

#[test]
fn a_key_whose_customer_the_gateway_would_refuse_is_paid() {
    let shop = Shop::open(calm());
    for (order, name, email) in [
        ("long", "ñ".repeat(101), "juan@example.com"),
        ("blank", " ".to_owned(), "juan@example.com"),
        ("no-address", "Juan".to_owned(), "none"),
        ("long-address", "Juan".to_owned(), &format!("{}@example.com", "j".repeat(100))),
    ] {
        let issued = shop.shop.ledger.issue_key(NewKey {
            digits: Digits::Random(8),
            amount: AMOUNT,
            order_id: order.to_owned(),
            description: order.to_owned(),
            customer: Some(Customer { name, email: Some(email.to_owned()), ..Customer::default() }),
            expires: None,
            max_failures: 3,
        });
        let key = issued.unwrap().key;
        let reply = shop.shop.cashier.perform(Request::Authorize { key: key.clone() });
        let Reply::Authorize(AuthorizeReply::Authorized(authorization)) = reply else { panic!("{order}: {reply:?}") };
        let reply = shop.shop.cashier.perform(Request::Charge { key, authorization, card: card(GOOD), months: None });
        assert!(matches!(&reply, Reply::Charge(reply) if is_approved(reply)), "{order}: {reply:?}");
    }
}
