//! A ledger that can't be written at the worst moment: nothing is sent that it does not know of, and no payment is denied.

use super::*;
use crate::payment::Fault as Standing;

/// A shop whose ledger takes no attempt into this state, as a full disk would not, and what mends it.
fn shop_that_cannot_write(state: &str) -> (Shop, tempfile::TempDir, impl FnOnce()) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let shop = Shop::open(RehearsalConfig { ledger: Some(file.clone()), ..calm() });
    let refuse = format!(
        "CREATE TRIGGER disk_full BEFORE UPDATE ON attempt WHEN NEW.state = '{state}'
         BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    );
    let ledger = rusqlite::Connection::open(file).unwrap();
    ledger.execute_batch(&refuse).unwrap();
    (shop, folder, move || ledger.execute_batch("DROP TRIGGER disk_full").unwrap())
}

#[test]
fn no_charge_is_sent_that_the_ledger_does_not_know_to_be_under_way() {
    let (shop, _folder, _) = shop_that_cannot_write("sent");
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable);
    assert_eq!((shop.shop.sandbox.charges().unwrap(), shop.states()), (vec![], vec![State::Prepared]));
    assert_eq!(shop.shop.cashier.till().alarms().standing(), [Standing::Ledger]);
}

#[test]
fn a_payment_that_cannot_be_recorded_is_told_and_found_again() {
    let (shop, _folder, mend) = shop_that_cannot_write("approved");
    assert_eq!(shop.charge(GOOD), ChargeReply::Approved { reference: "100001".into() }, "the money has been taken");
    let till = shop.shop.cashier.till();
    let told = till.alarms().told();
    assert!(told.iter().any(|alarm| alarm.text.contains("100001: its outcome could not be recorded")), "{told:?}");
    assert_eq!((till.alarms().standing(), shop.states()), (vec![Standing::Ledger], vec![State::Sent]));
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable, "not a second time");
    mend();
    assert_eq!(till.reconcile().unwrap(), ReconcileReport { approved: 1, ..ReconcileReport::default() });
    assert_eq!((shop.completed(), shop.states()), (1, vec![State::Approved]));
}

/// Their charge had been made, the disk was full, and they heard that they had not been charged in this call.
#[test]
fn who_may_have_paid_is_told_so_though_what_is_found_cannot_be_written_down() {
    let (shop, _folder, mend) = shop_that_cannot_write("approved");
    assert!(matches!(shop.charge(GOOD), ChargeReply::Approved { .. }));
    let pending = || matches!(shop.authorize(), AuthorizeReply::Pending { .. });
    assert!(pending(), "what is known of the ledger does not matter");
    shop.shop.cashier.till().alarms().clear(Standing::Ledger);
    assert!(pending() && shop.shop.cashier.till().alarms().stands(Standing::Ledger));
    mend();
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid));
}

/// Callers were asked for their cards, and only then told that no payment could be taken.
#[test]
fn nobody_is_asked_for_a_card_while_a_charge_could_not_be_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let shop = Shop::open(RehearsalConfig { ledger: Some(file.clone()), ..calm() });
    let till = shop.shop.cashier.till();
    let ledger = rusqlite::Connection::open(file).unwrap();
    let refuse = "CREATE TRIGGER disk_full BEFORE INSERT ON setting BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    ledger.execute_batch(refuse).unwrap();
    till.alarms().raise(Standing::Ledger, &"as a look found out");
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable);
    ledger.execute_batch("DROP TRIGGER disk_full").unwrap();
    assert!(matches!(shop.authorize(), AuthorizeReply::Authorized(_)), "it is not waited for the next look");
}
