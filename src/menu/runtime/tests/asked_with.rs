//! What the authorizer is asked beside a payment key, and what it tells beside an amount: accounts, amounts of the caller's
//! choice, and payments without a key.

use super::*;
use crate::service::PaymentKey;

/// A menu in which the caller keys an amount, and pays what the authorizer says of it. `first` stands before that, `asks`
/// inside `authorize:`, `says` is what is said of the answer.
fn donation(first: &str, asks: &str, says: &str) -> Arc<Menu> {
    menu(&text(first, asks, says))
}

fn text(first: &str, asks: &str, says: &str) -> String {
    format!(
        "{{version: 1, name: don, languages: [es-MX], start: start, give_up: end, states: {{{first},
           monto: {{say: [cuanto], collect: {{field: monto, type: amount, at_least: 20, at_most: 5000}}, on: {{done: autorizar}}}},
           autorizar: {{authorize: {{{asks}}}, on: {{authorized: confirmar, refused: end, pending: end, unavailable: end}}}},
           confirmar: {{say: [{says}], confirm: {{yes: '1', no: '2'}}, on: {{yes: tarjeta, no: monto}}}},
           tarjeta: {{say: [card], collect: {{field: card_number}}, on: {{done: vencimiento, back: monto}}}},
           vencimiento: {{say: [exp], collect: {{field: expiry, end_key: none}}, on: {{done: codigo}}}},
           codigo: {{say: [cvv], collect: {{field: cvv, end_key: none}}, on: {{done: cobrar}}}},
           cobrar: {{charge: {{}}, on: {{approved: paid, declined: end, wrong_number: end, unknown: end, unavailable: end}}}},
           paid: {{say: [paid], keys: flush, next: end}},
           end: {{say: [bye], hang_up: true}}}}}}"
    )
}

const NOTHING_FIRST: &str = "start: {say: [hello], next: monto}";

fn allows(centavos: u64, told: &[(&str, &str)]) -> Reply {
    let (order_id, description) = ("don-1".into(), "Donativo".into());
    let values = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let amount = Money::mxn(centavos);
    Reply::Authorize(AuthorizeReply::Authorized(Authorization {
        amount,
        order_id,
        description,
        customer: None,
        values,
    }))
}

fn asked(bench: &Bench) -> (PaymentKey, Vec<(String, String)>) {
    let Some((_, Request::Authorize { key, values })) = bench.requests.last() else { panic!("{}", bench.trace()) };
    (key.clone(), values.clone())
}

/// Goes on from a yes to the charge.
fn key_the_card(bench: &mut Bench) {
    bench.until("tarjeta").keys(PAN).keys("#").until("vencimiento").keys(EXPIRY).until("codigo").keys(CVV);
}

#[test]
fn an_amount_of_the_callers_choice_is_sent_heard_confirmed_and_charged() {
    let mut bench = Bench::new(donation(NOTHING_FIRST, "with: [monto]", "it_is, $amount"));
    bench.until("monto").keys("250#").until("autorizar");
    assert_eq!(asked(&bench), (PaymentKey::none(), vec![("monto".to_owned(), "250.00".to_owned())]));
    assert!(bench.news().ends_with("asks authorize with monto = 250.00 (request 1)"), "{}", bench.trace());
    // The authorizer has the last word, and the caller hears that one.
    bench.answer(allows(25_500, &[])).until("confirmar");
    assert!(bench.news().contains("says it_is [255.00 MXN]"), "{}", bench.trace());
    bench.keys("1");
    key_the_card(&mut bench);
    let Some((_, Request::Charge { key, authorization, .. })) = bench.requests.last() else { panic!("not charged") };
    assert_eq!((key, authorization.amount), (&PaymentKey::none(), Money::mxn(25_500)));
}

#[test]
fn another_amount_wants_another_answer_and_another_yes() {
    let mut bench = Bench::new(donation(NOTHING_FIRST, "with: [monto]", "it_is, $amount"));
    bench.until("monto").keys("250#").until("autorizar").answer(allows(25_000, &[])).until("confirmar").keys("1");
    bench.until("tarjeta").keys("*").until("monto").keys("300#").until("autorizar");
    assert_eq!(bench.requests.len(), 2);
    assert!(bench.runtime.session.confirmed_authorization().is_none(), "a yes to 250 is none to 300");
    assert!(bench.runtime.session.authorization().is_none());
}

#[test]
fn an_account_is_asked_about_by_its_number_and_may_be_paid_again() {
    let first =
        "start: {say: [hello], collect: {field: matricula, type: digits, digits: 8, end_key: none}, on: {done: monto}}";
    let mut bench = Bench::new(donation(first, "key: matricula, with: [monto]", "$amount"));
    bench.until("start").keys("20230017").until("monto").keys("500#").until("autorizar");
    let (key, _) = asked(&bench);
    assert_eq!((key.expose(), key.is_paid_once()), ("20230017", false));
    bench.answer(allows(50_000, &[])).until("confirmar").keys("1");
    key_the_card(&mut bench);
    let Some((_, Request::Charge { key: charged, .. })) = bench.requests.last() else { panic!("not charged") };
    assert_eq!(*charged, key);
}

#[test]
fn what_the_authorizer_tells_is_said_and_asked_about_and_forgotten_before_the_next_question() {
    let says = "{if: $concepto, is: agua, say: [water], otherwise: [other]}, $saldo, {number: $deudas}, $amount";
    let asks = "with: [monto], tells: [concepto, deudas, {saldo: amount}]";
    let mut bench = Bench::new(donation(NOTHING_FIRST, asks, says));
    let told = [("concepto", "Agua"), ("saldo", "1200.50"), ("deudas", "2"), ("nobody_asked", "x")];
    bench.until("monto").keys("250#").until("autorizar").answer(allows(25_000, &told)).until("confirmar");
    assert!(bench.news().contains("says water [1200.50 MXN] [2] [250.00 MXN]"), "{}", bench.trace());
    bench.keys("2").until("monto").keys("300#").until("autorizar").answer(allows(30_000, &[])).until("confirmar");
    let news = bench.news();
    assert!(
        news.contains("says other [300.00 MXN]\n"),
        "what was told of another amount is not said of this one: {news}"
    );
}

/// Card numbers go to nobody but the gateway, and a payment key is not sent in the clear beside another question.
#[test]
fn what_is_secret_or_not_known_yet_cannot_be_sent_along() {
    for (asks, message) in [
        ("with: [card_number]", "card data is sent to nobody but the gateway"),
        ("with: [cvv]", "card data is sent to nobody but the gateway"),
        ("with: [amount]", "this is not known before the authorizer has answered"),
        ("with: [reference]", "this is not known before the authorizer has answered"),
        ("with: [mont]", "unknown variable \"mont\""),
        ("with: []", "nothing is sent"),
        ("key: monto", "\"monto\" is no key"),
        ("with: [monto], tells: [monto]", "\"monto\" is a field"),
        ("with: [monto], tells: [amount]", "$amount is what the call knows by itself"),
        ("with: [monto], tells: [{saldo: money}]", "expected amount"),
        ("", "no state collects a field of type payment_key"),
    ] {
        let told = Menu::parse("m", &text(NOTHING_FIRST, asks, "$amount"), &Everything).unwrap_err().to_string();
        assert!(told.contains(message), "{asks}: {told}");
    }
}

/// A number of which a card's is as good as any was the account's, sent to the merchant and kept in the ledger; or sent along
/// under another name.
#[test]
fn what_may_be_a_cards_number_is_no_account_and_is_not_sent_under_another_name() {
    let account = "collect: {field: cuenta, type: digits, digits: 16, card_like: true}";
    let copied = format!(
        "start: {{say: [hello], {account}, on: {{done: copia}}}}, copia: {{set: {{one: $cuenta}}, next: copia2}},
         copia2: {{set: {{two: $one}}, next: monto}}"
    );
    for asks in ["key: cuenta, with: [monto]", "with: [cuenta]", "with: [monto, one]", "with: [two]"] {
        let told = Menu::parse("m", &text(&copied, asks, "$amount"), &Everything).unwrap_err().to_string();
        assert!(told.contains("what may be a card's number is sent to nobody"), "{asks}: {told}");
    }
}

/// A yes to what the caller keyed is none to what the merchant charges for it.
#[test]
fn nobody_is_asked_for_a_yes_to_an_amount_that_was_not_said() {
    let asks = "with: [monto], tells: [{saldo: amount}]";
    for says in ["it_is, $monto", "it_is, $saldo", "hello"] {
        let told = Menu::parse("m", &text(NOTHING_FIRST, asks, says), &Everything).unwrap_err().to_string();
        assert!(told.contains("\"confirmar\" asks for a yes to an amount that was not said"), "{says}: {told}");
    }
    let before = "otro: {say: ['it_is', $amount], next: confirmar}, start: {say: [hello], next: monto}";
    let earlier = text(before, asks, "hello").replace("authorized: confirmar", "authorized: otro");
    assert!(Menu::parse("m", &earlier, &Everything).is_ok(), "a state before it may say it");
}

/// It was taken as one without bounds, and the authorizer asked without it.
#[test]
fn an_amount_that_is_none_is_keyed_again_whatever_the_bounds() {
    let first = "start: {say: [hello], collect: {field: propina, type: amount, at_least: 0, digits: 1..12},
        errors: {invalid: [too_much]}, on: {done: monto}}";
    let mut bench = Bench::new(donation(first, "with: [monto, propina]", "$amount"));
    bench.until("start").keys("999999999999#").until("start");
    assert!(bench.news().contains("too_much"), "{}", bench.trace());
    bench.keys("0#").until("monto").keys("250#").until("autorizar");
    assert_eq!(asked(&bench).1[1], ("propina".to_owned(), "0.00".to_owned()));
}

/// Of a key the ledger would tell so. A donor who is asked for an amount again in the same call would pay twice.
#[test]
fn after_a_charge_without_a_key_that_may_have_been_made_no_other_is_asked_for_in_the_call() {
    for no_answer in [false, true] {
        let asks = text(NOTHING_FIRST, "with: [monto]", "$amount");
        let asks = asks.replace("unknown: end", "unknown: monto").replace("pending: end", "pending: doubt");
        let asks = asks.replace("paid: {say", "doubt: {say: [doubt], next: end}, paid: {say");
        let mut bench = Bench::new(menu(&asks));
        bench.until("monto").keys("250#").until("autorizar").answer(allows(25_000, &[])).until("confirmar").keys("1");
        key_the_card(&mut bench);
        bench.until("cobrar");
        if !no_answer {
            bench.answer(Reply::Charge(ChargeReply::Unknown { reference: "100001".into() }));
        }
        bench.until("monto").news();
        bench.keys("300#").hear_out();
        assert!(bench.news().contains("says doubt"), "{}", bench.trace());
        assert_eq!(bench.requests.len(), 2, "{}", bench.trace());
    }
}

#[test]
fn centavos_keyed_after_a_star_are_heard_and_sent() {
    let first = "start: {say: [hello], collect: {field: propina, type: amount, centavos: '*'},
        read_back: [you_keyed, $entry, right], on: {done: monto}}";
    let mut bench = Bench::new(donation(first, "with: [monto, propina]", "$amount"));
    bench.until("start").keys("12*50#").until("start");
    assert!(bench.news().contains("says you_keyed [12.50 MXN] right"), "{}", bench.trace());
    bench.keys("1").until("monto").keys("250#").until("autorizar");
    let (_, values) = asked(&bench);
    assert_eq!(values[1], ("propina".to_owned(), "12.50".to_owned()));
}

#[test]
fn an_amount_keyed_after_the_yes_is_not_charged_unasked() {
    let first = "otro: {say: [cuanto], collect: {field: monto, type: amount, at_least: 20, at_most: 5000}, on: {done: tarjeta}},
        start: {say: [hello], next: monto}";
    let wrong = text(first, "with: [monto]", "$amount").replace("back: monto", "back: otro");
    let told = Menu::parse("m", &wrong, &Everything).unwrap_err().to_string();
    assert!(told.contains("\"cobrar\" can be reached with an entry that the authorizer was not asked about"), "{told}");
}
