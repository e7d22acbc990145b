//! Keys that are issued, and that a box will not take: their customers would call in vain.

use tonopago::authorizer::AuthorizerConfig;
use tonopago::money::Money;

/// Warns of amounts no box charges, and of those a box charges only if it is configured to. What boxes there are is not
/// known here: it is not refused.
pub(super) fn warn(amounts: &[Money]) {
    let limit = AuthorizerConfig::MAX_AMOUNT;
    let (ours, foreign): (Vec<Money>, Vec<Money>) =
        amounts.iter().copied().partition(|amount| amount.currency == limit.currency);
    let above = ours.iter().filter(|amount| amount.centavos > limit.centavos).count();
    if !foreign.is_empty() {
        say!(
            "tonopago: warning: no box takes {}: boxes charge {} only, and tell callers to try later",
            keys(foreign.len(), "in USD"),
            limit.currency.code()
        );
    }
    if above > 0 {
        say!(
            "tonopago: warning: a box takes {} only if its configuration has a higher `max_amount` (under `authorizer`)",
            keys(above, &format!("above {limit}"))
        );
    }
}

fn keys(count: usize, which: &str) -> String {
    if count == 1 { format!("the key {which}") } else { format!("the {count} keys {which}") }
}
