//! What each of Openpay's error codes asks for: one table.

use super::ApiError;
use crate::service::{CardField, Decline};

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The bank said no: tell the caller.
    Decline(Decline),
    /// One part of the card data is wrong: ask for it again.
    Correct(CardField),
    /// The token was used up: make a new one, once.
    NewToken,
    /// The outcome is not known: query by order id.
    Query,
    /// The order id has been used: query by order id; completed means it is paid.
    AlreadyProcessed,
    /// Not processed, and only an operator can change that: alarm, apologize.
    Alarm,
    /// Not processed because the request was wrong, which is this program's fault: alarm, apologize.
    OurFault,
}

/// Openpay's codes (error catalogue of its API reference; 3007 and 3005 as its own shop plugins group them).
const TABLE: [(u32, Action); 32] = [
    (1000, Action::Query),
    (1001, Action::OurFault),
    (1002, Action::Alarm),
    (1003, Action::NewToken),
    (1004, Action::Query),
    (1005, Action::Alarm),
    (1006, Action::AlreadyProcessed),
    (1007, Action::Decline(Decline::Generic)),
    (1008, Action::Alarm),
    (1009, Action::OurFault),
    (1010, Action::Alarm),
    (1011, Action::Alarm),                     // the resource was deleted
    (1012, Action::Decline(Decline::Generic)), // the amount is beyond what the merchant may charge
    (2004, Action::Correct(CardField::Pan)),
    (2005, Action::Correct(CardField::Expiry)),
    (2006, Action::Correct(CardField::Cvv)),
    (2007, Action::Correct(CardField::Pan)),
    (2009, Action::Correct(CardField::Cvv)),
    (3001, Action::Decline(Decline::OtherCard)),
    (3002, Action::Correct(CardField::Expiry)),
    (3003, Action::Decline(Decline::OtherCard)),
    (3004, Action::Decline(Decline::Generic)),
    (3005, Action::Decline(Decline::Generic)),
    (3006, Action::Decline(Decline::Generic)),
    (3007, Action::Decline(Decline::Generic)),
    (3008, Action::Decline(Decline::OtherCard)),
    (3009, Action::Decline(Decline::Generic)),
    (3010, Action::Decline(Decline::CallYourBank)),
    (3011, Action::Decline(Decline::Generic)),
    (3012, Action::Decline(Decline::CallYourBank)),
    (4001, Action::Alarm),
    (4002, Action::Alarm), // the account has fees to settle first
];

impl Action {
    /// What a code asks for, if it is in the table.
    pub fn of_code(code: u32) -> Option<Self> {
        TABLE.iter().find(|(known, _)| *known == code).map(|(_, action)| *action)
    }

    /// The safe default for a status without a known code: refused for good below 500 (402 by the bank), else unknown.
    const fn of_status(status: u16) -> Self {
        match status {
            402 => Self::Decline(Decline::Generic),
            409 => Self::AlreadyProcessed,
            401 | 403 | 404 | 423 | 429 => Self::Alarm,
            408 => Self::Query, // something on the way gave up waiting, perhaps for the gateway
            400..=499 => Self::OurFault,
            _ => Self::Query,
        }
    }
}

/// Codes of a key or an account with which every payment will fail: wrong key, account deactivated, public key.
const OF_THE_ACCOUNT: [u32; 3] = [1002, 1008, 1010];
/// What is asked about is not there.
const NOT_FOUND: u32 = 1005;

impl ApiError {
    /// Whether it is about the key or the account, so that all payments fail until somebody mends that. A 403 without
    /// Openpay's code is some firewall's opinion of one request.
    pub fn refuses_account(&self) -> bool {
        OF_THE_ACCOUNT.contains(&self.error_code) || self.http_status == 401
    }

    /// Whether Openpay says that what was asked about is not there.
    pub const fn is_not_found(&self) -> bool {
        self.error_code == NOT_FOUND
    }

    /// Whether it comes from a gateway that is out of order, or from something that is not Openpay at all: a page that is not
    /// there, or that has moved, has no code of Openpay's.
    pub const fn is_no_answer_of_openpays(&self) -> bool {
        self.http_status >= 500 || self.error_code == 0 && matches!(self.http_status, 300..=399 | 404)
    }

    /// What to do: by its code, else the safe default for its HTTP status.
    pub fn action(&self) -> Action {
        // A code that promises "not processed" is believed with a status of 4xx only: with 5xx something in between failed, and
        // a redirect is nobody's answer to a charge.
        let doubtful = !(400..500).contains(&self.http_status);
        match Action::of_code(self.error_code) {
            Some(Action::AlreadyProcessed) => Action::AlreadyProcessed,
            Some(action) if !doubtful => action,
            _ => Action::of_status(self.http_status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Alarm, AlreadyProcessed, Correct, NewToken, OurFault, Query};

    const OTHER_CARD: Action = Action::Decline(Decline::OtherCard);
    const GENERIC: Action = Action::Decline(Decline::Generic);
    const BANK: Action = Action::Decline(Decline::CallYourBank);

    #[test]
    fn errors_of_the_account_are_told_from_those_of_one_payment_and_of_others_pages() {
        let error = |http_status, error_code| ApiError { error_code, http_status, request_id: None };
        for (status, code) in [(401, 1002), (423, 1008), (403, 1010), (401, 0)] {
            assert!(error(status, code).refuses_account(), "{code}");
        }
        assert!(
            ![(403, 0), (404, 1005), (402, 3001), (500, 1000)].iter().any(|(s, c)| error(*s, *c).refuses_account())
        );
        let not_openpays = |status, code| error(status, code).is_no_answer_of_openpays();
        assert!(not_openpays(503, 1000) && not_openpays(404, 0) && not_openpays(302, 0));
        assert!(!not_openpays(404, 1005) && !not_openpays(403, 0) && !not_openpays(401, 1002));
    }

    #[test]
    fn every_documented_code_has_its_action() {
        for (code, status, action) in [
            (1000, 500, Query),
            (1001, 400, OurFault),
            (1002, 401, Alarm),
            (1003, 422, NewToken),
            (1004, 503, Query),
            (1005, 404, Alarm),
            (1006, 409, AlreadyProcessed),
            (1007, 402, GENERIC),
            (1008, 423, Alarm),
            (1009, 413, OurFault),
            (1010, 403, Alarm),
            (2004, 422, Correct(CardField::Pan)),
            (2005, 400, Correct(CardField::Expiry)),
            (2006, 400, Correct(CardField::Cvv)),
            (2007, 412, Correct(CardField::Pan)),
            (2009, 412, Correct(CardField::Cvv)),
            (3001, 402, OTHER_CARD),
            (3002, 402, Correct(CardField::Expiry)),
            (3003, 402, OTHER_CARD),
            (3004, 402, GENERIC),
            (3005, 402, GENERIC),
            (3006, 412, GENERIC),
            (3007, 402, GENERIC),
            (3008, 412, OTHER_CARD),
            (3009, 402, GENERIC),
            (3010, 402, BANK),
            (3011, 402, GENERIC),
            (3012, 412, BANK),
            (4001, 412, Alarm),
        ] {
            let body = format!(r#"{{"error_code":{code},"http_code":{status}}}"#);
            assert_eq!(ApiError::of(status, body.as_bytes()).action(), action, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_falls_back_on_its_status() {
        for (status, action) in [
            (400, OurFault),
            (401, Alarm),
            (402, GENERIC),
            (403, Alarm),
            (404, Alarm),
            (408, Query),
            (409, AlreadyProcessed),
            (412, OurFault),
            (422, OurFault),
            (429, Alarm),
            (500, Query),
            (502, Query),
            (503, Query),
            (504, Query),
            (302, Query),
        ] {
            assert_eq!(ApiError::of(status, br#"{"error_code":9999}"#).action(), action, "{status}");
            assert_eq!(ApiError::of(status, b"<html>").action(), action, "{status}");
        }
    }

    #[test]
    fn a_decline_inside_a_5xx_is_not_believed() {
        assert_eq!(ApiError::of(502, br#"{"error_code":3001}"#).action(), Query);
        let known = ApiError::of(502, br#"{"error_code":1006}"#);
        assert_eq!(known.action(), AlreadyProcessed, "that promises nothing but a charge to be looked for");
    }

    /// One in a redirect was, though what it leaves known was told as unclear: the caller heard "declined".
    #[test]
    fn a_decline_outside_4xx_is_not_believed() {
        for status in [100, 302, 307] {
            assert_eq!(ApiError::of(status, br#"{"error_code":3001}"#).action(), Query, "{status}");
        }
    }

    #[test]
    fn the_table_has_each_code_once_in_order() {
        assert!(TABLE.is_sorted_by(|(left, _), (right, _)| left < right));
    }
}
