//! A caller who does everything right pays, and hears the reference.

use crate::bench::{self, Approving, CVV, EXPIRY, KEY, PAN};

#[test]
fn a_good_caller_is_charged_once_for_the_authorized_amount() {
    let mut services = Approving::default();
    let transcript = bench::call(bench::good_caller(), 1, &mut |request| services.perform(request));
    assert_eq!(services.asked, [format!("authorize {KEY}"), format!("charge 200.50 MXN {PAN} {EXPIRY} {CVV}")]);
    let expected = "bienvenida espanol clave autorizar confirmar tarjeta vencimiento codigo cobrar aprobado otra_vez \
                    despedida";
    assert_eq!(bench::states(&transcript), expected);
}
