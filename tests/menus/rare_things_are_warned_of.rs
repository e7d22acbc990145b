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

/// What went wrong: a menu of two languages had no way to the second, and nobody was told.
#[test]
fn languages_that_are_never_spoken_are_warned_of() {
    let menu = |languages: &str, keys: &str, more: &str| {
        format!(
            "version: 1\nname: m\nlanguages: {languages}\nstart: a\ngive_up: fin\n{keys}states:\n\
             \x20 a: {{ say: [otra_tarjeta], choose: {{ \"1\": b, \"2\": fin }} }}\n  b: {{ say: [bienvenida]{more}, next: fin }}\n\
             \x20 fin: {{ say: [despedida], hang_up: true }}\n"
        )
    };
    let both = "[es-MX, en-US]";
    let told = warnings(&menu(both, "", ""));
    assert!(
        told.starts_with("Some((3, 20)) no call goes on in en-US: they begin in es-MX, and nothing changes it"),
        "{told}"
    );
    assert_eq!(warnings(&menu(both, "", ", language: en-US")), "");
    let key = "global_keys: { language: \"8\" }\n";
    assert_eq!(warnings(&menu(both, key, "")), "");
    let told = warnings(&menu("[en-US]", key, ""));
    assert!(told.starts_with("Some((6, 16)) there is no other language to go on in: add another"), "{told}");
}

#[test]
fn prompts_that_are_never_said_are_warned_of() {
    let menu = |said: &str| {
        format!(
            "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: a\nprompts: {{ m_a: \"Hola.\", m_b: \"Adiós.\", \
             mas_despacio: \"Voy despacio.\" }}\nstates: {{ a: {{ say: {said}, hang_up: true }} }}\n"
        )
    };
    assert_eq!(
        warnings(&menu("[m_a]")),
        "Some((6, 26)) prompt \"m_b\" is never said: say it in a state, or remove it\n"
    );
    assert_eq!(warnings(&menu("[m_a, { if: $language, is: es-MX, say: m_b }]")), "");
}

/// What went wrong: "fuga" was asked for where "fugas" is set, and no caller was ever led there.
#[test]
fn questions_that_are_never_answered_with_yes_are_warned_of() {
    let menu = |asked: &str, is: &str| {
        format!(
            "version: 1\nname: m\nlanguages: [es-MX]\nstart: a\ngive_up: fin\nstates:\n\
             \x20 a: {{ say: [bienvenida], collect: {{ field: cp, type: digits, digits: 5 }}, on: {{ done: b }} }}\n\
             \x20 b: {{ set: {{ motivo: fugas, copia: $cp }}, next: c }}\n\
             \x20 c: {{ branch: [{{ if: ${asked}, is: {is}, go: d }}], otherwise: fin }}\n\
             \x20 d: {{ say: [{{ if: ${asked}, is: {is}, say: bienvenida }}], next: fin }}\n\
             \x20 fin: {{ say: [despedida], hang_up: true }}\n"
        )
    };
    for (asked, is) in [("motivo", "Fugas"), ("cp", "06700"), ("copia", "fuga")] {
        assert_eq!(warnings(&menu(asked, is)), "", "{asked}");
    }
    assert_eq!(
        warnings(&menu("motivo", "fuga")),
        "Some((9, 36)) $motivo is never \"fuga\": did you mean \"fugas\"?\n\
         Some((10, 3)) $motivo is never \"fuga\": did you mean \"fugas\"?\n"
    );
    for never in ["6700", "x"] {
        let told = warnings(&menu("cp", never));
        assert!(
            told.starts_with(&format!("Some((9, 32)) $cp is never \"{never}\": it has 5 digits: write as many")),
            "{told}"
        );
    }
}

/// What went wrong: whoever had paid, and went on to pay another order, heard that nothing was charged in this call.
#[test]
fn nothing_charged_is_not_said_to_who_has_paid_without_a_warning() {
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml")).unwrap();
    assert_eq!(warnings(&shipped), "");
    let pays_again = shipped.replace("\"#\": despedida", "\"#\": clave");
    let told = warnings(&pays_again);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("\"servicio_no_disponible\" says \"servicio_no_disponible\" also to who has paid: that nothing"),
        "{told}"
    );
    let counted = pays_again.replace("unavailable: servicio_no_disponible", "unavailable: se_cae").replace(
        "\n  cancelado:",
        "\n  se_cae: { branch: [{ tries: aprobado, at_least: 1, go: despedida }], otherwise: servicio_no_disponible }\n  cancelado:",
    );
    assert_eq!(warnings(&counted), "");
    let counts_itself = pays_again.replace(
        "say: [servicio_no_disponible, despedida]",
        "say: [{ tries: aprobado, at_least: 1, say: [un_momento], otherwise: [servicio_no_disponible] }, despedida]",
    );
    assert_eq!(warnings(&counts_itself), "");
    let counts_another = counts_itself.replace("tries: aprobado", "tries: clave");
    assert_eq!(warnings(&counts_another).lines().count(), 1);
    let gives_up = shipped.replace("give_up: despedida", "give_up: cancelado");
    assert!(warnings(&gives_up).contains("state \"cancelado\" says \"cancelado\" also to who has paid"));
}
