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
        let reply = shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
        let Reply::Authorize(AuthorizeReply::Authorized(authorization)) = reply else { panic!("{order}: {reply:?}") };
        let reply = shop.shop.cashier.perform(Request::Charge { key, authorization, card: card(GOOD), months: None });
        assert!(matches!(&reply, Reply::Charge(reply) if is_approved(reply)), "{order}: {reply:?}");
    }
}

#[test]
fn the_gateway_hears_who_pays_for_what_and_in_how_many_months() {
    let shop = Shop::open(calm());
    let ana = |email: Option<&str>| {
        let (last_name, phone_number) = (Some("Ruiz".to_owned()), Some("5512345678".to_owned()));
        Some(Customer { name: "Ana".into(), last_name, email: email.map(str::to_owned), phone_number })
    };
    let known =
        |email| serde_json::json!({"name": "Ana", "last_name": "Ruiz", "email": email, "phone_number": "5512345678"});
    let own =
        serde_json::json!({"name": "Cliente", "last_name": null, "email": "cliente@example.com", "phone_number": null});
    for (order, customer, months, payer) in [
        ("told", ana(Some("ana@example.com")), Some(6), known("ana@example.com")),
        ("without-address", ana(None), None, known("cliente@example.com")),
        ("untold", None, Some(12), own),
    ] {
        let (key, description) = (PaymentKey::new(order), format!("Pedido {order}"));
        let authorization =
            Authorization { amount: AMOUNT, order_id: order.to_owned(), description, customer, values: Vec::new() };
        let request = Request::Charge { key, authorization, card: card(GOOD), months };
        assert!(matches!(shop.shop.cashier.perform(request), Reply::Charge(reply) if is_approved(&reply)), "{order}");
        let charge = shop.shop.sandbox.charges().unwrap().pop().unwrap();
        let told: serde_json::Value = serde_json::from_str(charge.customer.as_deref().unwrap()).unwrap();
        assert_eq!((told, charge.months), (payer, months), "{order}");
        assert_eq!((charge.description, charge.amount), (format!("Pedido {order}"), AMOUNT));
    }
}
