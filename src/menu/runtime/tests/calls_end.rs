//! A caller may hang up whenever they like.

use super::*;

#[test]
fn a_hang_up_in_any_state_ends_the_call_and_nothing_follows() {
    let states = ["bienvenida", "clave", "autorizar", "confirmar", "tarjeta", "vencimiento", "codigo", "cobrar"];
    for state in states {
        let mut bench = Bench::pay_until(state);
        bench.down('5');
        bench.hang_up();
        assert!(bench.news().ends_with("hang-up by the caller"), "{state}: {}", bench.trace());
        assert!(bench.runtime.is_over() && !bench.runtime.is_secret() && bench.is_silent());
        bench.up().keys("123#").wait(1_000_000).hang_up();
        assert_eq!(bench.news(), "", "{state}");
        assert!(!bench.hung_up, "the line is not hung up by the box as well");
        assert!(bench.runtime.session.confirmed_authorization().is_none());
    }
}

#[test]
fn a_hang_up_over_any_prompt_ends_the_call() {
    let mut bench = Bench::new(pago());
    bench.wait(200).hang_up();
    assert!(bench.news().ends_with("hang-up by the caller"));
    let mut bench = Bench::pay_until("cobrar");
    bench.answer(approved()).wait(300).hang_up();
    assert!(bench.news().ends_with(
        "says pago_aprobado [400 ms] [801585] [700 ms] repito_referencia [400 ms] [801585]\n\
                                    hang-up by the caller"
    ));
    let mut bench = Bench::pay_until("bienvenida");
    while !bench.trace().contains("sigue_ahi") {
        bench.wait(100);
    }
    bench.hang_up();
    assert!(bench.runtime.is_over());
}

#[test]
fn a_charge_asked_for_before_the_hang_up_stays_asked() {
    let mut bench = Bench::pay_until("cobrar");
    bench.hang_up();
    assert_eq!(bench.requests.last().map(|(_, request)| request.name()), Some("charge"));
    bench.answer(approved());
    assert_eq!(bench.news().lines().last(), Some("answer approved, reference 801585 (request 2, too late)"));
}

#[test]
fn a_call_is_handed_over_to_the_number_as_it_is_written() {
    for (written, dialled) in [("+525512345678", "+525512345678"), ("102", "102"), ("'55 1234'", "551234")] {
        let mut bench = Bench::new(menu(&format!(
            "{{version: 1, name: over, languages: [es-MX], start: a, give_up: a, states: {{
               a: {{say: [wait], transfer: {written}}}}}}}"
        )));
        bench.hear_out();
        assert_eq!(bench.transferred.as_deref(), Some(dialled));
    }
}

#[test]
fn nothing_keyed_outlives_the_call() {
    for end in ["caller", "box"] {
        let mut bench = Bench::pay_until("codigo");
        bench.rattle("73");
        if end == "caller" {
            bench.hang_up();
        } else {
            bench.wait(2_000_000);
        }
        let Runtime { collector, type_ahead, session, .. } = &mut bench.runtime;
        assert!(collector.is_empty() && type_ahead.is_empty(), "{end}");
        assert!(session.holds_nothing(), "{end}");
    }
}
