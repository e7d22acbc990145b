//! Opening hours as their authors write them: every mistake at once with its place and a cure, what is seldom meant, and how
//! they are drawn.

use std::fs;
use std::path::Path;

use jiff::Zoned;
use tonopago::menu::{Drawing, Menu};
use tonopago::speech::Clips;

fn parse(text: &str) -> Result<std::sync::Arc<Menu>, String> {
    Menu::parse_draft("menu.yaml", text, &*Clips::embedded()).map_err(|problems| problems.to_string())
}

fn menu(hours: &str, on: &str) -> String {
    format!(
        "version: 1\nname: m\nlanguages: [es-MX]\nstart: entra\ngive_up: adios\ntime_zone: America/Mexico_City\n\
         hours:\n  tienda: {hours}\nstates:\n  entra: {{ hours: tienda, on: {on} }}\n\
         \x20 adios: {{ say: [despedida], hang_up: true }}\n"
    )
}

fn told(hours: &str) -> String {
    parse(&menu(hours, "{ open: adios, closed: adios }")).map_or_else(|problems| problems, |_| "good".to_owned())
}

const WRONG: &str = "\
version: 1
name: mala
languages: [es-MX]
start: entra
give_up: adios
time_zone: America/Mexico_Cty
hours:
  tienda:
    lunes a vienes: 9:00-19:00
    martes: [9:00-14:00, 13:00-19:00]
    sabado: 9:00-25:00
    Sábado y jueves: 9:00-6:00
    domingo: 22:00-2:00
    25 de diciembre: closed
    holidays:
      navidad: closed
      31 de febrero: closed
      24 de diciembre a 2 de enero: closed
      1 de enero: 9-14
      2026-12-24 a 3 de enero: closed
      2026-12-24 a 2025-12-31: closed
  guardia: { lunes: closed }
  bodega: { lunes: 9:00-14:00, 16:00-19:00 }
states:
  entra: { hours: tineda, on: { open: adios, festivo: adios } }
  otra: { hours: guardia }
  adios: { say: [despedida], hang_up: true }
";

const TOLD: &str = r#"menu.yaml:6:12: no time zone is named "America/Mexico_Cty" (at time_zone)
    did you mean "America/Mexico_City"?
menu.yaml:9:5: "vienes" is no day of the week (at hours.tienda.lunes a vienes)
    did you mean "viernes"?
menu.yaml:10:26: 9:00-14:00 and 13:00-19:00 overlap (at hours.tienda.martes[1])
    let each begin when the one before it is over
menu.yaml:11:13: "25:00" is no time of day (at hours.tienda.sabado)
    a day goes from 0:00 to 24:00
menu.yaml:12:5: sábado has hours already, under "sabado" (at hours.tienda.Sábado y jueves)
    write all hours of a day in one place: [9:00-14:00, 16:00-19:00]
menu.yaml:12:22: "9:00-6:00" goes over midnight (at hours.tienda.Sábado y jueves)
    write 9:00-24:00 here, and 0:00-6:00 on the next day; if the afternoon is meant, 9:00-18:00
menu.yaml:13:14: "22:00-2:00" goes over midnight (at hours.tienda.domingo)
    write 22:00-24:00 here, and 0:00-2:00 on the next day
menu.yaml:14:5: "25 de diciembre" is no day of the week (at hours.tienda.25 de diciembre)
    dates stand under holidays:, in here
menu.yaml:16:7: "navidad" is no date (at hours.tienda.holidays.navidad)
    write 25 de diciembre, primer lunes de febrero, 2026-12-24, or 2026-12-24 a 2026-12-31
menu.yaml:17:7: there is no "31 de febrero" (at hours.tienda.holidays.31 de febrero)
    see the calendar
menu.yaml:19:7: a day of this is also in "24 de diciembre a 2 de enero" (at hours.tienda.holidays.1 de enero)
    write each day once; one with its year counts before one without
menu.yaml:19:19: expected hours of a day, found "9-14" (at hours.tienda.holidays.1 de enero)
    write 9:00-14:00, or [9:00-14:00, 16:00-19:00], or closed
menu.yaml:20:7: one of these dates has a year and the other has not (at hours.tienda.holidays.2026-12-24 a 3 de enero)
    write it with both, or with none
menu.yaml:21:7: these days end before they begin (at hours.tienda.holidays.2026-12-24 a 2025-12-31)
    write the earlier date first
menu.yaml:22:3: "guardia" is never open (at hours.guardia)
    write a day with its hours: lunes a viernes: 9:00-18:00
menu.yaml:23:32: "16:00-19:00" is no day of the week (at hours.bodega.16:00-19:00)
    in braces a comma ends a value: write several hours as [9:00-14:00, 16:00-19:00]
menu.yaml:25:3: where to go on "closed" is not said (at states.entra)
    add on: { closed: STATE }
menu.yaml:25:19: no hours are named "tineda" (at states.entra.hours)
    did you mean "tienda"?
menu.yaml:25:46: unknown name "festivo" (at states.entra.on.festivo)
    possible here: open, closed, holiday
menu.yaml:26:3: where to go on "open" is not said (at states.otra)
    add on: { open: STATE }
menu.yaml:26:3: where to go on "closed" is not said (at states.otra)
    add on: { closed: STATE }
21 problems in menu.yaml"#;

#[test]
fn every_mistake_is_told_at_once() {
    assert_eq!(parse(WRONG).unwrap_err(), TOLD);
}

#[test]
fn hours_without_a_clock_or_without_a_name_are_told_of() {
    let no_zone =
        menu("{ lunes: 9:00-14:00 }", "{ open: adios, closed: adios }").replace("time_zone: America/Mexico_City\n", "");
    let told = parse(&no_zone).unwrap_err();
    assert!(told.starts_with("menu.yaml:6:1: it is not said by which clock these hours go"), "{told}");
    let no_hours = no_zone.replace("hours:\n  tienda: { lunes: 9:00-14:00 }\n", "");
    let told = parse(&no_hours).unwrap_err();
    assert!(told.starts_with("menu.yaml:7:19: no hours are named \"tienda\""), "{told}");
    assert!(told.contains("add them at the top: hours: { tienda: { lunes a viernes: 9:00-18:00 } }"), "{told}");
}

#[test]
fn days_and_hours_are_read_as_people_write_them() {
    for good in [
        "{ lunes-viernes: 9:00-14:00 }",
        "{ Lunes a Viernes: 9:00 a 14:00 }",
        "{ monday to friday: 9:00–14:00, saturday: closed }",
        "{ \"lunes, miércoles y viernes\": [9:00-14:00, 14:00-19:00], domingo: cerrado }",
        "{ sabado a lunes: 0:00-24:00 }",
        "{ lunes: \"9:00-14:00, 16:00-19:00\" }",
        "{ martes: 9:00-14:00 y 16:00-19:00 }",
        "{ holidays: { 2026-12-24: 9:00-14:00 } }",
    ] {
        assert_eq!(told(good), "good", "{good}");
    }
    for (wrong, message) in [
        ("{ lunes: 24:00-24:00 }", "no time lies in \"24:00-24:00\""),
        ("{ lunes: 9:00 }", "no time lies in \"9:00\""),
        ("{ lunes: 20:00-0:00 }", "\"20:00-0:00\" goes over midnight"),
        ("{ lunes: 9am-5pm }", "expected hours of a day, found \"9am-5pm\""),
        ("{ lunes: [] }", "no hours are written"),
        ("{ lunes: \"\" }", "expected hours of a day, found \"\""),
        ("{ lunes: [9:00-14:00, closed] }", "a day is closed or has hours, not both"),
        ("{ lunes: 24:00-0:00 }", "    write 0:00-24:00 here\n"),
        ("{ lunes: 24:00-2:00 }", "    write 0:00-2:00 on the next day\n"),
        ("{ domingo a domingo: 9:00-14:00 }", "\"domingo a domingo\" may mean one day or all seven"),
        ("{ lunes: true }", "expected hours, found"),
        ("{ lunes y lunes: 9:00-14:00 }", "lunes is named twice here"),
        ("{}", "\"tienda\" is never open"),
        ("tienda", "expected names with their values"),
    ] {
        assert!(told(wrong).contains(message), "{wrong}: {}", told(wrong));
    }
}

fn warnings(text: &str, moment: &str) -> Vec<String> {
    let moment: Zoned = moment.parse().unwrap();
    let menu = parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    menu.warnings_at(&moment)
        .iter()
        .map(|warning| warning.text("m", "").lines().next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_holiday_is_over_once_its_last_day_is_where_the_shop_is() {
    let text =
        menu("{ lunes: 9:00-14:00, holidays: { 2026-12-24 a 2026-12-26: closed } }", "{ open: adios, closed: adios }");
    assert!(warnings(&text, "2026-12-26T23:59[America/Mexico_City]").is_empty());
    assert!(warnings(&text, "2026-12-27T05:59[UTC]").is_empty(), "the 26th in Mexico");
    let over = "m:8:44: this holiday is over (at hours.tienda.holidays.2026-12-24 a 2026-12-26)";
    assert_eq!(warnings(&text, "2026-12-27T06:00[UTC]"), [over]);
    let yearly = text.replace("2026-12-24 a 2026-12-26", "24 de diciembre");
    assert!(warnings(&yearly, "2030-01-01T00:00[UTC]").is_empty());
}

#[test]
fn what_is_seldom_meant_is_warned_of() {
    let now = "2026-11-04T12:00[UTC]";
    let text = menu("{ lunes a domingo: 0:00-24:00 }", "{ open: adios, closed: adios, holiday: adios }");
    assert_eq!(
        warnings(&text, now),
        [
            "m:8:3: \"tienda\" is never closed (at hours.tienda)",
            "m:10:61: \"tienda\" has no holidays: (at states.entra.on.holiday)"
        ]
    );
    let unused = text.replace("  entra: { hours: tienda, on: { open: adios, closed: adios, holiday: adios } }\n", "");
    let unused = unused.replace("start: entra", "start: adios").replace("0:00-24:00", "9:00-14:00");
    assert_eq!(warnings(&unused, now), ["m:8:3: no state goes by \"tienda\" (at hours.tienda)"]);
    let no_hours = unused.replace("hours:\n  tienda: { lunes a domingo: 9:00-14:00 }\n", "");
    assert_eq!(warnings(&no_hours, now), ["m:6:1: no hours go by this time zone (at time_zone)"]);
}

/// What follows the hours is checked for both ways: who comes when it is closed has no amount either.
#[test]
fn checks_of_the_order_go_over_every_way_out_of_the_hours() {
    let text =
        menu("{ lunes: 9:00-14:00 }", "{ open: adios, closed: dice }") + "  dice: { say: [$amount], hang_up: true }\n";
    let told = parse(&text).unwrap_err();
    assert!(told.contains("state \"dice\" says $amount before an amount was authorized"), "{told}");
}

#[test]
fn hours_are_drawn_with_their_ways() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("menus/centralita.yaml");
    let menu = parse(&fs::read_to_string(path).unwrap()).unwrap_or_else(|problems| panic!("{problems}"));
    let drawn = Drawing::of(&menu, false).mermaid();
    for part in ["{\"quien_atiende<br/>hours tienda\"}", "|\"open\"|", "|\"holiday\"|", "|\"closed, holiday\"|"] {
        assert!(drawn.contains(part), "{part}: {drawn}");
    }
}
