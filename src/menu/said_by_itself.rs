//! Built-in prompts that a call says without a state naming them, and the forms that prompts have with another word for a key.

/// Said when the caller asks to have everything slower.
pub(super) const SLOWER: &str = "mas_despacio";
/// What an offer of a single payment says before its key.
pub(super) const SINGLE_PAYMENT: &str = "msi_un_pago";
/// What an offer of months says before and after their number.
pub(super) const PAY_OVER: &str = "msi_para_pagar_a";
pub(super) const MONTHS: &str = "msi_meses";
/// What comes before the key of an offer.
pub(super) const PRESS: &str = "oprima";

/// All of them: no state says them, and they are said all the same.
pub(super) const ALL: [&str; 5] = [SLOWER, SINGLE_PAYMENT, PAY_OVER, MONTHS, PRESS];

/// What stands between a prompt's name and the word in the name of such a form: `pide_clave__numeral`.
const FORM: &str = "__";

/// The name of a prompt's form with this word.
pub(super) fn form_of(id: &str, word: &str) -> String {
    format!("{id}{FORM}{}", word.replace(' ', "_"))
}

/// Whether this is the name of a form.
pub(super) fn is_form(id: &str) -> bool {
    id.contains(FORM)
}
