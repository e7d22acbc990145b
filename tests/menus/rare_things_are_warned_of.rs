//! What is allowed but seldom meant: the menu is good, and its author is told.

use tonopago::menu::Menu;
use tonopago::speech::Clips;

fn warnings(menu: &str) -> String {
    let menu =
        Menu::parse_draft("menu.yaml", menu, &*Clips::embedded()).unwrap_or_else(|problems| panic!("{problems}"));
    let told = menu.warnings.iter().map(|warning| {
        let place = warning.place.map(|at| (at.line, at.column));
        format!("{place:?} {}: {}\n", warning.message, warning.cure)
    });
    told.collect()
}

fn saving(first: &str, second: &str) -> String {
    format!(
        "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: fin\nstates:\n\
         \x20 a: {{ set: {{ x: \"1\", y: \"2\" }}, next: b }}\n  b: {{ save: {first}, next: c }}\n  c: {{ save: {second}, next: fin }}\n\
         \x20 fin: {{ say: [despedida], hang_up: true }}\n"
    )
}

#[test]
fn what_looks_like_a_placeholder_in_a_text_is_warned_of() {
    let menu = |text: &str| {
        format!(
            "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: a\nprompts: {{ m_a: \"{text}\" }}\n\
             states: {{ a: {{ say: [m_a], hang_up: true }} }}\n"
        )
    };
    for (text, told) in [("Debe $amount pesos.", "$amount"), ("Debe {importe} pesos.", "{importe}")] {
        let warned = warnings(&menu(text));
        assert!(
            warned.starts_with(&format!("Some((6, 17)) \"{told}\" in a text is spoken as it is written")),
            "{warned}"
        );
    }
    assert_eq!(warnings(&menu("Cuesta $200. Oprima {#}.")), "");
}

/// What went wrong: a voice says "almohadilla" for a bare #, or nothing, whatever the menu calls the key.
#[test]
fn a_bare_key_in_a_text_is_warned_of() {
    let menu = |text: &str| {
        format!(
            "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: a\nprompts: {{ m_a: \"{text}\" }}\n\
             states: {{ a: {{ say: [m_a], hang_up: true }} }}\n"
        )
    };
    for key in ["#", "*"] {
        let told = warnings(&menu(&format!("Oprima {key}.")));
        assert_eq!(
            told,
            format!(
                "Some((6, 17)) \"{key}\" in a text is spoken as each voice likes, or not at all: \
                 write {{{key}}} for this menu's word for the key\n"
            )
        );
        assert_eq!(warnings(&menu(&format!("Oprima {{{key}}}."))), "");
    }
}

/// What went wrong: below the least amount for months, going back from the card led to the card, for ever.
#[test]
fn a_way_back_that_a_small_amount_turns_round_is_warned_of() {
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago-msi.yaml")).unwrap();
    assert_eq!(warnings(&shipped), "");
    let (right, wrong) = ("done: vencimiento, back: confirmar", "done: vencimiento, back: meses");
    assert!(shipped.contains(right));
    let told = warnings(&shipped.replace(right, wrong));
    assert!(told.contains("back leads to \"meses\", which an amount too small for months passes at once"), "{told}");
}

/// What went wrong: the second list's answers were lost where the first had made the table.
#[test]
fn answers_that_no_table_could_hold_together_are_warned_of() {
    assert_eq!(warnings(&saving("[x, y]", "[x, y]")), "");
    for other in ["[x]", "[y, x]"] {
        let told = warnings(&saving("[x, y]", other));
        assert!(
            told.starts_with(
                "Some((9, 8)) state \"c\" saves other answers than \"b\": a table (.csv) cannot hold both"
            ),
            "{told}"
        );
        assert!(told.contains("or keep answers as JSON lines"), "{told}");
    }
}
