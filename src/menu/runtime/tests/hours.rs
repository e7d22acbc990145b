//! Calls that go by the time at which they began.

use super::*;

/// A menu that ends where its hours lead.
fn shop(zone: &str, hours: &str) -> Arc<Menu> {
    menu(&format!(
        "{{version: 1, name: shop, languages: [es-MX], start: ask, give_up: closed, time_zone: {zone}, hours: {{shop: {hours}}},
           states: {{
             ask: {{hours: shop, on: {{open: open, closed: closed, holiday: holiday}}}},
             open: {{say: [x], hang_up: true}},
             closed: {{say: [x], hang_up: true}},
             holiday: {{say: [x], hang_up: true}}}}}}"
    ))
}

fn leads(began: &str, menu: &Arc<Menu>) -> String {
    Bench::at(began, Arc::clone(menu)).state().to_owned()
}

#[test]
fn a_call_goes_where_the_clock_of_the_menu_says_wherever_the_box_is() {
    let shop = shop(
        "America/Mexico_City",
        "{lunes a viernes: [9:00-14:00, 16:00-19:00], sábado: 9:00-14:00,
          holidays: {25 de diciembre: closed, primer lunes de febrero: closed, 2026-12-24: 9:00-12:00}}",
    );
    for (began, state) in [
        ("2026-11-04T15:00:00[UTC]", "open"),   // 9:00 in Mexico
        ("2026-11-04T14:59:59[UTC]", "closed"), // 8:59:59
        ("2026-11-05T00:59:59[UTC]", "open"),   // still Wednesday there, 18:59:59
        ("2026-11-05T01:00:00[UTC]", "closed"), // 19:00
        ("2026-11-04T16:30[Europe/Madrid]", "open"),
        ("2026-11-04T15:00[America/Mexico_City]", "closed"),
        ("2026-11-07T13:59[America/Mexico_City]", "open"),
        ("2026-11-08T12:00[America/Mexico_City]", "closed"),
        ("2026-12-24T11:59[America/Mexico_City]", "open"),
        ("2026-12-24T12:00[America/Mexico_City]", "holiday"),
        ("2026-12-25T12:00[America/Mexico_City]", "holiday"),
        ("2026-12-26T05:59[UTC]", "holiday"), // the 25th there until midnight, a Friday
        ("2026-12-26T06:00[UTC]", "closed"),  // Saturday, 0:00
        ("2027-02-01T12:00[America/Mexico_City]", "holiday"),
        ("2027-02-08T12:00[America/Mexico_City]", "open"),
    ] {
        assert_eq!(leads(began, &shop), state, "{began}");
    }
}

#[test]
fn a_clock_that_is_set_forward_or_back_shows_what_it_shows() {
    let night = shop("America/Tijuana", "{domingo: [1:00-2:30, 9:00-17:00]}");
    for (began, state) in [
        ("2026-03-08T09:59:59Z[UTC]", "open"),   // 1:59:59
        ("2026-03-08T10:00:00Z[UTC]", "closed"), // 3:00: the clock never shows 2:00 to 2:30
        ("2026-03-08T16:00:00Z[UTC]", "open"),   // 9:00, in summer time from today on
        ("2026-11-01T08:59:59Z[UTC]", "open"),   // 1:59:59
        ("2026-11-01T09:00:00Z[UTC]", "open"),   // 1:00 again
        ("2026-11-01T10:29:59Z[UTC]", "open"),   // 2:29:59
        ("2026-11-01T10:30:00Z[UTC]", "closed"),
        ("2026-11-01T16:59:59Z[UTC]", "closed"), // 8:59:59
        ("2026-11-01T17:00:00Z[UTC]", "open"),
    ] {
        assert_eq!(leads(began, &night), state, "{began}");
    }
}

#[test]
fn without_a_way_of_their_own_holidays_go_where_closed_goes() {
    let text = "{version: 1, name: m, languages: [es-MX], start: ask, give_up: end, time_zone: America/Mexico_City,
        hours: {shop: {miércoles: 9:00-19:00, holidays: {4 de noviembre: closed}}}, states: {
          ask: {hours: shop, on: {open: end, closed: shut}}, shut: {say: [x], hang_up: true}, end: {say: [x], hang_up: true}}}";
    let bench = Bench::at(BEGAN, menu(text));
    assert_eq!(bench.state(), "shut");
    let told = "hours    shop: holiday on Wednesday 2026-11-04 12:00 America/Mexico_City (4 de noviembre)";
    assert!(bench.trace().contains(told), "{}", bench.trace());
}

/// Whoever has said yes to an amount pays it, though the shop closes meanwhile.
#[test]
fn closing_time_cuts_no_call_on_its_way_to_pay() {
    let open_only = include_str!("../../../../menus/pago.yaml")
        .replacen("states:", "time_zone: America/Mexico_City\nhours: { caja: { miércoles: 9:00-19:00 } }\nstates:", 1)
        .replacen("yes: tarjeta", "yes: abierta", 1)
        + "\n  abierta: { hours: caja, on: { open: tarjeta, closed: despedida } }\n";
    let pays = |began: &str| {
        let mut bench = Bench::at(began, menu(&open_only));
        bench.pay("bienvenida", "confirmar").wait(5000).keys("1").hear_out();
        bench
    };
    let mut last_minute = pays("2026-11-04T18:59:50[America/Mexico_City]");
    assert!(last_minute.now > MediaTime::from_ms(10_000), "19:00 is over by now");
    last_minute.pay("tarjeta", "cobrar");
    assert_eq!(last_minute.requests.last().map(|(_, request)| request.name()), Some("charge"));
    let too_late = pays("2026-11-04T19:00:00[America/Mexico_City]");
    assert_eq!(too_late.state(), "despedida");
}

#[test]
fn hours_are_asked_after_the_caller_has_hung_up() {
    let text = "{version: 1, name: m, languages: [es-MX], start: ask, give_up: end, on_hang_up: late, time_zone: America/Mexico_City,
        hours: {shop: {miércoles: 9:00-19:00}}, states: {
          ask: {say: [x], choose: {'1': end}},
          late: {hours: shop, on: {open: busy, closed: keep}}, busy: {set: {when: open}, next: keep}, keep: {save: [when], next: end},
          end: {say: [x], hang_up: true}}}";
    for (began, kept) in [(BEGAN, "when = open"), ("2026-11-04T20:00[America/Mexico_City]", "when = -")] {
        let mut bench = Bench::at(began, menu(text));
        bench.hang_up();
        assert_eq!(bench.saved, [kept], "{began}");
    }
}
