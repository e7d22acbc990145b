//! Accounts that are paid again and again, and payments without a key: each order once, and none while nobody knows how the
//! last one ended. The merchant here is one of its own making, as its developer would write it from the documentation.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;

use super::*;
use crate::authorizer::{AuthorizerClient, AuthorizerConfig};
use crate::clock::SystemClock;
use crate::http::{Credentials, Endpoint};

/// Lets a merchant answer for the shop's, with these orders and amounts one after the other; gives what it is asked.
fn merchant_answers(shop: &mut Shop, answers: &[(&str, &str)]) -> Arc<Mutex<Vec<String>>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/openpay/authorizer", listener.local_addr().unwrap());
    let body = |(order, amount): &(&str, &str)| {
        format!(
            r#"{{"response_code":0,"amount":{amount},"order_id":"{order}","values":{{"concepto":"agua","deudas":2}}}}"#
        )
    };
    let answers: Vec<String> = answers.iter().map(body).collect();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            heard.lock().unwrap().push(body_of(&mut stream));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
            stream.write_all((head + &answer).as_bytes()).unwrap();
        }
    });
    let config = AuthorizerConfig::new(Endpoint::parse(&url).unwrap(), Credentials::new("ivr", "0123456789abcdef"));
    let cashier = Arc::get_mut(&mut shop.shop.cashier).unwrap();
    cashier.authorizer = AuthorizerClient::new(config, Arc::new(SystemClock));
    asked
}

fn body_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn ask(shop: &Shop, key: &PaymentKey, values: &[(&str, &str)]) -> AuthorizeReply {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values }) {
        Reply::Authorize(reply) => reply,
        Reply::Charge(_) => panic!("a charge's reply to an authorization"),
    }
}

/// Asks, and charges what is allowed.
fn pay(shop: &Shop, key: &PaymentKey, values: &[(&str, &str)]) -> ChargeReply {
    let AuthorizeReply::Authorized(authorization) = ask(shop, key, values) else { panic!("not allowed") };
    let request = Request::Charge { key: key.clone(), authorization, card: card(GOOD), months: None };
    match shop.shop.cashier.perform(request) {
        Reply::Charge(reply) => reply,
        Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
    }
}

#[test]
fn an_account_is_paid_again_under_another_order_and_not_under_the_same() {
    let mut shop = Shop::open(calm());
    let asked = merchant_answers(&mut shop, &[("oct", "200.00"), ("nov", "150.50"), ("nov", "150.50")]);
    let account = PaymentKey::account("20230017");
    assert!(is_approved(&pay(&shop, &account, &[])));
    assert!(is_approved(&pay(&shop, &account, &[("parte", "150.50")])));
    // The merchant has not heard of it yet. Nobody keys a card for it: it was refused only when it was to be charged.
    assert_eq!(ask(&shop, &account, &[]), AuthorizeReply::Refused(Refusal::AlreadyPaid));
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with(r#"{"ivr_key":"20230017","phone_number":null,"local_date":""#), "{}", asked[0]);
    assert!(!asked[0].contains("values"), "a merchant that is sent nothing sees what it always saw: {}", asked[0]);
    assert!(asked[1].ends_with(r#","values":{"parte":"150.50"}}"#), "{}", asked[1]);
    assert_eq!(shop.completed(), 2);
}

#[test]
fn an_account_whose_charge_is_open_is_not_paid_under_another_order() {
    let mut shop = Shop::open(quick());
    merchant_answers(&mut shop, &[("oct", "200.00"), ("nov", "150.50")]);
    let account = PaymentKey::account("20230017");
    shop.inject(Fault::DropAfter);
    let looks = quick().queries.len() + 1;
    (0..looks).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 }));
    let ChargeReply::Unknown { reference } = pay(&shop, &account, &[]) else { panic!("the answer was lost") };
    assert_eq!(ask(&shop, &account, &[]), AuthorizeReply::Pending { reference });
    // Once it is known to be paid, the account is free for what is owed next.
    assert!(is_approved(&pay(&shop, &account, &[])));
    assert_eq!(shop.completed(), 2);
}

#[test]
fn a_donation_has_no_key_and_its_order_is_charged_once() {
    let mut shop = Shop::open(calm());
    let asked = merchant_answers(&mut shop, &[("don-1", "250.00"), ("don-2", "250.00"), ("don-2", "250.00")]);
    let donate = || pay(&shop, &PaymentKey::none(), &[("monto", "250.00")]);
    assert!(is_approved(&donate()) && is_approved(&donate()));
    let again = ask(&shop, &PaymentKey::none(), &[("monto", "250.00")]);
    assert_eq!(again, AuthorizeReply::Refused(Refusal::AlreadyPaid));
    assert!(asked.lock().unwrap()[0].starts_with(r#"{"ivr_key":null,"#));
    assert_eq!(shop.completed(), 2);
}
