use super::*;

const LIMIT: Money = Money::mxn(1_000_000);

proptest::proptest! {
    /// Bad input is an error, never a panic, and never an amount beyond the limit.
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let profile = Profile::default();
        let _ = decode_request(&profile, &body);
        if let Ok(Ok(allowed)) = decode_answer(&profile, &body, LIMIT) {
            proptest::prop_assert!(allowed.amount.centavos <= LIMIT.centavos);
        }
    }

    #[test]
    fn any_amount_text_is_read_exactly_or_refused(amount in "-?[0-9]{0,9}\\.?[0-9]{0,4}([eE][+-]?[0-9]{1,3})?") {
        let body = format!(r#"{{"response_code":0,"amount":"{amount}","order_id":"o"}}"#);
        if let Ok(Ok(authorization)) = decode(&body) {
            let exact: rust_decimal::Decimal =
                amount.parse().or_else(|_| rust_decimal::Decimal::from_scientific(&amount)).unwrap();
            let cents = rust_decimal::Decimal::new(i64::try_from(authorization.amount.centavos).unwrap(), 2);
            proptest::prop_assert_eq!(cents, exact);
            proptest::prop_assert!((1..=LIMIT.centavos).contains(&authorization.amount.centavos));
        }
    }

    #[test]
    fn any_authorization_travels_unchanged(
        centavos in 1..=LIMIT.centavos, order_id in "[ -~]{1,90}", description in "\\PC{1,250}", name in "\\PC{0,20}[A-Za-z]\\PC{0,20}",
    ) {
        let customer = Some(Customer { name, ..Customer::default() });
        let answer = Ok(Authorization { amount: Money::mxn(centavos), order_id, description, customer, values: Vec::new() });
        let profile = Profile::default();
        proptest::prop_assert_eq!(decode_answer(&profile, &encode_answer(&profile, &answer), LIMIT), Ok(answer));
    }
}

fn decode(body: &str) -> Result<Result<Authorization, Refusal>, WireError> {
    decode_answer(&Profile::default(), body.as_bytes(), LIMIT)
}

#[test]
fn the_default_question_is_the_inferred_one() {
    let body = encode_request(&Profile::default(), &PaymentKey::new("257139"), &[], None, "2026-11-23T10:15:00");
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"ivr_key":"257139","phone_number":null,"local_date":"2026-11-23T10:15:00"}"#
    );
    assert_eq!(decode_request(&Profile::default(), &body).unwrap(), PaymentKey::new("257139"));
    assert_eq!(decode_request(&Profile::default(), br#"{"ivr_key":257139}"#).unwrap(), PaymentKey::new("257139"));
}

#[test]
fn what_a_menu_sends_along_and_is_told_travels_as_texts() {
    let profile = Profile::default();
    let sent = [("parte".to_owned(), "500.00".to_owned()), ("urgente".to_owned(), "yes".to_owned())];
    let body = encode_request(&profile, &PaymentKey::none(), &sent, None, "2026-11-23T10:15:00");
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"ivr_key":null,"phone_number":null,"local_date":"2026-11-23T10:15:00","values":{"parte":"500.00","urgente":"yes"}}"#
    );
    let told = |values: &str| {
        let body = format!(r#"{{"response_code":0,"amount":1,"order_id":"o","values":{values}}}"#);
        decode(&body).unwrap().unwrap().values
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let all = told(r#"{"saldo":3200.50,"concepto":"agua","no":null,"list":[1]}"#);
    assert_eq!(all, [pair("concepto", "agua"), pair("saldo", "3200.50")]);
    // None of these stops a payment.
    let long = format!(r#"{{"a":"{}","b":"x"}}"#, "a".repeat(101));
    assert_eq!(told(&long), [pair("b", "x")]);
    assert!(["null", "[]", "7", "\"agua\""].into_iter().all(|odd| told(odd).is_empty()));
    // Which of too many are left out does not change from call to call.
    let many: Vec<String> = (10..99).map(|name| format!(r#""n{name}":{name}"#)).collect();
    let kept: Vec<_> = (10..60).map(|name| pair(&format!("n{name}"), &name.to_string())).collect();
    assert_eq!(told(&format!("{{{}}}", many.join(","))), kept);
}

/// It was "not a JSON object: line 1, column 1", of which nobody sees why.
#[test]
fn a_mark_of_the_encoding_is_ignored_and_nothing_is_told_as_nothing() {
    let body = "\u{feff}{\"ivr_key\":\"257139\"}";
    assert_eq!(decode_request(&Profile::default(), body.as_bytes()), Ok(PaymentKey::new("257139")));
    for nothing in ["", "\r\n", "\u{feff}"] {
        assert_eq!(decode(nothing), Err(WireError::Empty));
    }
}

#[test]
fn a_question_without_a_key_is_refused_without_repeating_it() {
    for body in
        ["", "[]", "{}", r#"{"ivr_key":null}"#, r#"{"ivr_key":"25a"}"#, r#"{"ivr_key":-1}"#, r#"{"ivr_key":""}"#]
    {
        let error = decode_request(&Profile::default(), body.as_bytes()).err().unwrap();
        assert!(!error.to_string().contains("25a"));
    }
}

#[test]
fn both_sides_agree_under_any_profile() {
    let renamed = r#"{"answer":{"code":"codigo","amount":"monto","customer":"cliente",
        "customer_names":{"name":"nombre"}},"codes":{"authorized":"00","blocked":["X9"]}}"#;
    let customer =
        Customer { name: "José \"Pepe\"".into(), email: Some("p@example.com".into()), ..Customer::default() };
    for profile in [Profile::default(), serde_json::from_str(renamed).unwrap()] {
        for customer in [None, Some(customer.clone())] {
            let (order_id, description) = ("ord-234".to_owned(), "Cargo".to_owned());
            let amount = Money::mxn(20_000);
            let answer = Ok(Authorization { amount, order_id, description, customer, values: Vec::new() });
            assert_eq!(decode_answer(&profile, &encode_answer(&profile, &answer), LIMIT), Ok(answer));
        }
        let blocked = Err(Refusal::Blocked);
        assert_eq!(decode_answer(&profile, &encode_answer(&profile, &blocked), LIMIT), Ok(blocked));
    }
}

/// The text of an amount that is none stood in the log, however long it was and whatever it held.
#[test]
fn no_error_repeats_an_amount() {
    for amount in ["\"4111111111111111\"", "4111111111111111", "\"4111111111111111 MXN\"", "-41111111.1", "41.11111"] {
        let error = decode(&format!(r#"{{"response_code":0,"order_id":"o","amount":{amount}}}"#)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("111"), "{error:?}");
    }
}

#[test]
fn amounts_are_numbers_or_strings_and_exact() {
    for (amount, centavos) in [("200.00", 20_000), ("\"200.5\"", 20_050), ("0.1", 10), ("10000", 1_000_000)] {
        let body = format!(r#"{{"response_code":0,"amount":{amount},"order_id":"o","description":"d"}}"#);
        assert_eq!(decode(&body).unwrap().unwrap().amount, Money::mxn(centavos), "{amount}");
    }
    for amount in ["0", "0.00", "-5", "1.001", "10000.01", "null", "true", "\"12 pesos\"", "1e-3", "99999999999999"] {
        let body = format!(r#"{{"response_code":0,"amount":{amount},"order_id":"o","description":"d"}}"#);
        assert!(decode(&body).is_err(), "{amount}");
    }
}

#[test]
fn a_refusal_is_not_a_broken_answer() {
    assert_eq!(decode(r#"{"response_code":3}"#), Ok(Err(Refusal::AlreadyPaid)));
    assert_eq!(decode(r#"{"response_code":"3","amount":null}"#), Ok(Err(Refusal::AlreadyPaid)));
    assert_eq!(decode(r#"{"response_code":-7}"#), Ok(Err(Refusal::Unknown)));
    for broken in [
        "",
        "<html>",
        "{}",
        r#"{"response_code":null}"#,
        r#"{"response_code":0}"#,
        r#"{"response_code":0,"amount":1}"#,
        r#"{"response_code":0,"amount":1,"order_id":""}"#,
        r#"{"response_code":0,"amount":1,"order_id":"a\nb"}"#,
        r#"{"response_code":0,"amount":1,"order_id":"o","currency":"EUR"}"#,
        r#"{"response_code":0,"amount":1,"order_id":"o","currency":"USD"}"#,
    ] {
        assert!(decode(broken).is_err(), "{broken}");
    }
    let long = format!(r#"{{"response_code":0,"amount":1,"order_id":"{}"}}"#, "o".repeat(91));
    assert_eq!(decode(&long), Err(WireError::OrderId(OrderIdError::Length)));
    let reserved = r#"{"response_code":0,"amount":1,"order_id":"234-retry2"}"#;
    assert_eq!(decode(reserved), Err(WireError::OrderId(OrderIdError::Reserved)), "another order's later attempt");
}

#[test]
fn a_bad_customer_is_mended_or_left_out() {
    let customer = |json: &str| {
        let body = format!(r#"{{"response_code":0,"amount":1,"order_id":"o","customer":{json}}}"#);
        decode(&body).unwrap().unwrap().customer
    };
    let name = |name: &str| Some(Customer { name: name.into(), ..Customer::default() });
    assert_eq!(customer(&format!(r#"{{"name":"{}","email":"none"}}"#, "ñ".repeat(4000))), name(&"ñ".repeat(100)));
    assert_eq!(customer(r#"{"name":7,"email":["a@b.mx"],"phone_number":"-"}"#), name("7"));
    for none in ["null", "[]", "\"Juan\"", "{}", r#"{"name":null,"email":"a@b.mx"}"#, r#"{"name":" "}"#] {
        assert_eq!(customer(none), None, "{none}");
    }
}

#[test]
fn missing_and_long_descriptions_are_mended() {
    let described = |body: &str| decode(body).unwrap().unwrap().description;
    assert_eq!(described(r#"{"response_code":0,"amount":1,"order_id":77}"#), "77");
    let long = format!(r#"{{"response_code":0,"amount":1,"order_id":"o","description":"{}"}}"#, "ñ".repeat(300));
    assert_eq!(described(&long).chars().count(), 250);
}
