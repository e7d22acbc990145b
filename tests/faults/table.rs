//! What a campaign found, and what it must not have found.

use std::collections::{BTreeMap, BTreeSet};

use tonopago::ledger::{KeyStatus, Ledger, State};
use tonopago::openpay::sandbox::StoredCharge;

use super::proxy::Tally;
use super::shop::{Told, order_of};

/// What callers heard, by order: every call's end, in the order the calls ended.
pub(crate) type Heard = BTreeMap<String, Vec<Told>>;

/// The books compared.
pub(crate) struct Books {
    charged: BTreeMap<String, u32>,
    approved: BTreeSet<String>,
    states: Vec<(State, usize)>,
    attempts: usize,
}

impl Books {
    pub(crate) fn compare(box_ledger: &Ledger, charges: &[StoredCharge]) -> Self {
        let mut charged = BTreeMap::<String, u32>::new();
        for charge in charges.iter().filter(|charge| charge.status == "completed") {
            *charged.entry(order_of(charge.order_id.as_ref().unwrap())).or_default() += 1;
        }
        let attempts = box_ledger.latest_attempts(u32::MAX).unwrap();
        let in_state = |state| attempts.iter().filter(|attempt| attempt.state == state).count();
        Self {
            charged,
            approved: box_ledger.attempts_in(State::Approved).unwrap().into_iter().map(|one| one.order_id).collect(),
            states: State::ALL.map(|state| (state, in_state(state))).to_vec(),
            attempts: attempts.len(),
        }
    }

    /// Prints the table and fails if money was lost, taken twice or misreported.
    pub(crate) fn judge(&self, heard: &Heard) {
        let paid: BTreeSet<String> = self.charged.keys().cloned().collect();
        let told = |what: Told| heard.values().flatten().filter(|told| **told == what).count();
        let ended_in = |what: Told| heard.iter().filter(move |(_, told)| told.last() == Some(&what));
        let told_paid: BTreeSet<_> =
            heard.iter().filter(|(_, told)| told.contains(&Told::Paid)).map(|(order, _)| order.clone()).collect();
        let untrue: Vec<_> = told_paid.difference(&paid).collect();
        let charged_unsaid: Vec<_> = ended_in(Told::NotPaid).filter(|(order, _)| paid.contains(*order)).collect();
        let disagree: Vec<_> = self.approved.symmetric_difference(&paid).collect();
        let twice = self.charged.values().filter(|count| **count > 1).count();
        let open: usize = self.states.iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum();
        row("calls", heard.values().map(Vec::len).sum::<usize>());
        for what in [Told::Paid, Told::NotPaid, Told::BeingVerified, Told::KeyRefused, Told::TryLater] {
            row(&format!("  told {what:?}"), told(what));
        }
        row("charge attempts in the ledger", self.attempts);
        for (state, count) in &self.states {
            row(&format!("  {state}"), *count);
        }
        row("orders charged at the gateway", paid.len());
        row("most charges of one key", self.charged.values().max().copied().unwrap_or_default() as usize);
        row("keys charged twice", twice);
        row("ledger and gateway disagree", disagree.len());
        row("left open", open);
        row("told paid that is not", untrue.len());
        row("told not paid that is", charged_unsaid.len());
        assert_eq!(twice, 0, "charged twice: {:?}", self.charged);
        assert!(disagree.is_empty(), "ledger and gateway disagree: {disagree:?}");
        assert_eq!(open, 0, "attempts are left open");
        assert!(untrue.is_empty(), "told paid, but not paid: {untrue:?}");
        assert!(charged_unsaid.is_empty(), "told not paid, but charged: {charged_unsaid:?}");
        assert!(!paid.is_empty(), "nothing was paid at all: the test tests nothing");
    }
}

/// Prints which faults struck which step.
pub(crate) fn faults(tallies: &[Tally]) {
    let mut kinds = BTreeMap::<_, BTreeMap<_, u32>>::new();
    let mut exchanges = BTreeMap::<_, u32>::new();
    for tally in tallies {
        tally.exchanges.iter().for_each(|(step, count)| *exchanges.entry(*step).or_default() += count);
        for ((step, fault), count) in &tally.faults {
            *kinds.entry(*fault).or_default().entry(*step).or_default() += count;
        }
    }
    let steps: Vec<_> = exchanges.keys().copied().collect();
    let line = |name: &str, count: &dyn Fn(&str) -> u32| {
        let cells: String = steps.iter().map(|step| format!("{:>10}", count(step))).collect();
        println!("{name:<32}{cells}");
    };
    let header: String = steps.iter().map(|step| format!("{step:>10}")).collect();
    println!("{:<32}{header}", "faults by step");
    for (kind, counts) in &kinds {
        line(&format!("  {kind:?}"), &|step| counts.get(step).copied().unwrap_or_default());
    }
    line("  all faults", &|step| kinds.values().filter_map(|counts| counts.get(step)).sum());
    line("  all exchanges", &|step| exchanges[step]);
}

/// The merchant's ledger, which hears of payments only by signed notifications, has every paid key as paid and no other.
pub(crate) fn merchant_knows(box_ledger: &Ledger, merchant: &Ledger) {
    let approved: BTreeSet<String> =
        box_ledger.attempts_in(State::Approved).unwrap().into_iter().map(|attempt| attempt.order_id).collect();
    let keys = merchant.list_keys().unwrap();
    let paid: BTreeSet<String> =
        keys.into_iter().filter(|key| key.status == KeyStatus::Paid).map(|key| key.order_id).collect();
    let told = box_ledger.latest_notifications(u32::MAX).unwrap();
    row("notifications delivered", told.iter().filter(|one| one.delivered.is_some()).count());
    row("  tries of the slowest", told.iter().map(|one| one.tries as usize).max().unwrap_or_default());
    let disagree: Vec<_> = paid.symmetric_difference(&approved).collect();
    row("merchant and box disagree", disagree.len());
    assert!(disagree.is_empty(), "merchant and box disagree: {disagree:?}");
}

pub(crate) fn row(what: &str, count: usize) {
    println!("{what:<32}{count:>10}");
}
