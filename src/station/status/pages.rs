//! The page and what it asks for.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use crate::ledger::{Attempt, LedgerError, State as AttemptState};
use crate::money::Money;

/// How often a page that is open is told what has changed.
const TELL_EVERY: Duration = Duration::from_millis(400);
/// Payments looked at for a day; a box of 64 lines makes fewer.
const MOST_PAYMENTS: u32 = 5000;
/// Payments listed.
const LISTED: usize = 200;
/// Longest text searched for.
const LONGEST_SEARCH: usize = 100;

/// What is searched for.
#[derive(Deserialize)]
pub(super) struct Search {
    q: String,
}

pub(super) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Html<String> {
    let token = app.gate.form_token(&headers).unwrap_or_default();
    Html(include_str!("page/page.html").replace("{token}", &token))
}

pub(super) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page/page.js"))
}

pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page/page.css"))
}

/// Everything but payments, now.
pub(super) async fn state(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.board.snapshot())
}

/// The same whenever it changes, as server-sent events, until the session ends.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold((app, headers, String::new()), async |(app, headers, last)| {
        while app.gate.still_admits(&headers) {
            let now = app.board.snapshot().to_string();
            if now != last {
                let event = Event::default().data(&now);
                return Some((Ok(event), (app, headers, now)));
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
        None
    });
    // The first is told at once, the next not sooner than the interval.
    let paced = stream::unfold((Box::pin(changes), true), async |(mut changes, first)| {
        if !first {
            tokio::time::sleep(TELL_EVERY).await;
        }
        let next = futures_util::StreamExt::next(&mut changes).await?;
        Some((next, (changes, false)))
    });
    Sse::new(paced).keep_alive(KeepAlive::default())
}

/// Today's payments, newest first, and their sums by state.
pub(super) async fn payments(State(app): State<Arc<App>>) -> Response {
    let clock = Arc::clone(app.shop.ledger.clock());
    let midnight = clock.local().start_of_day().map_or(Timestamp::MIN, |day| day.timestamp());
    let shop = Arc::clone(&app.shop);
    let read = move || {
        let mut attempts = shop.ledger.latest_attempts(MOST_PAYMENTS)?;
        attempts.retain(|attempt| attempt.created >= midnight || attempt.state.is_open());
        Ok(attempts)
    };
    answer(read, |attempts| {
        let count = |state: AttemptState| attempts.iter().filter(|attempt| attempt.state == state).count();
        let counts: serde_json::Map<String, Value> =
            AttemptState::ALL.iter().map(|state| (state.name().to_owned(), count(*state).into())).collect();
        json!({ "counts": counts, "payments": attempts.iter().take(LISTED).map(payment).collect::<Vec<_>>() })
    })
    .await
}

/// Payments by reference, order, or charge id.
pub(super) async fn search(State(app): State<Arc<App>>, Query(search): Query<Search>) -> Response {
    let text = search.q.trim().to_owned();
    if text.is_empty() || text.len() > LONGEST_SEARCH {
        return Json(json!({ "payments": [] })).into_response();
    }
    let shop = Arc::clone(&app.shop);
    let read = move || shop.ledger.find_attempts(&text);
    answer(read, |attempts| json!({ "payments": attempts.iter().rev().take(LISTED).map(payment).collect::<Vec<_>>() }))
        .await
}

/// The ledger waits for the disk: that is done where waiting holds up nobody.
async fn answer(
    read: impl FnOnce() -> Result<Vec<Attempt>, LedgerError> + Send + 'static,
    tell: impl FnOnce(&[Attempt]) -> Value,
) -> Response {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(attempts)) => Json(tell(&attempts)).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "the status page can't read the ledger");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// An amount, if there is any.
fn told(amount: Money) -> Option<String> {
    (amount.centavos > 0).then(|| amount.to_string())
}

/// A payment as the page shows it: neither the key nor more of the card than its last four digits.
fn payment(attempt: &Attempt) -> Value {
    json!({
        "reference": attempt.reference(),
        "order": attempt.order_id,
        "amount": attempt.amount.to_string(),
        "refunded": told(attempt.refunded),
        "refund_open": told(attempt.refund_open),
        "brand": attempt.brand,
        "last_four": attempt.last_four,
        "state": attempt.state.name(),
        "charge": attempt.charge_id,
        "error": attempt.error_code,
        "created": attempt.created.to_string(),
        "updated": attempt.updated.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{RefundState, ToldBefore, bench};

    /// A payment given back was shown as one that was not.
    #[test]
    fn a_payment_tells_what_was_given_back() {
        let (ledger, _) = bench::ledger();
        let id = bench::ended(&ledger, "257139", "ord-1", Money::mxn(20_000), &bench::approved());
        let told = || {
            let payment = payment(&ledger.attempt(id).unwrap());
            (payment["refunded"].clone(), payment["refund_open"].clone())
        };
        assert_eq!(told(), (Value::Null, Value::Null));
        let refund = ledger.begin_refund(id, Some(Money::mxn(5_000)), &ToldBefore::default()).unwrap().unwrap();
        assert_eq!(told(), (Value::Null, "50.00 MXN".into()));
        ledger.settle_refund(refund.id, RefundState::Refunded, "").unwrap();
        assert_eq!(told(), ("50.00 MXN".into(), Value::Null));
    }

    /// A state without words is shown as a name no clerk knows.
    #[test]
    fn every_state_has_words_in_both_languages() {
        let page = include_str!("page/page.js");
        let words: Vec<_> = page.lines().filter(|line| line.trim_start().starts_with("states:")).collect();
        assert_eq!(words.len(), 2);
        for (state, line) in AttemptState::ALL.iter().flat_map(|state| words.iter().map(move |line| (state, line))) {
            assert!(line.contains(&format!("{}: \"", state.name())), "{state}: {line}");
        }
    }
}
