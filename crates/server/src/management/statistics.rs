//! `/api/v2/stats/daily` and `/api/v2/stats/active-users`: read from the rows that `statistics` keeps, and from the
//! tallies of breached passwords.
//!
//! Days without any event that counts are left out. Without a query, daily figures are those of the last 30 days.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use model::wire_time;
use serde_json::{Value, json};
use storage::{DailyBreaches, DayStatistics};

use super::authorization::ManagementCall;
use super::uri::Query;
use crate::answer::management::{Problem, answer};
use crate::breach::Stage;
use crate::day::{date_of, day_of, day_on, start_of};

/// The span of active users, today included, and of daily figures that name no day.
const DAYS: i64 = 30;
/// Ten years, so that an answer stays small.
const MOST_DAYS: i64 = 3_660;

/// `GET /stats/daily`.
pub(super) async fn daily(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:stats"])?;
    let to = day(&query, "to")?.unwrap_or_else(|| day_of(call.now));
    let from = day(&query, "from")?.unwrap_or(to - (DAYS - 1));
    if from > to {
        return Err(invalid("'from' is a day after 'to'"));
    }
    if to - from >= MOST_DAYS {
        return Err(invalid(&format!(
            "'from' and 'to' span more than {MOST_DAYS} days; ask for fewer"
        )));
    }
    let figures = call.store.list_daily_statistics(from, to).await?;
    let breaches = call.store.list_daily_breaches(from, to).await?;
    Ok(answer(StatusCode::OK, &together(&figures, &breaches)))
}

/// `GET /stats/active-users`: a bare number.
pub(super) async fn active_users(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["read:stats"])?;
    let since = day_of(call.now) - (DAYS - 1);
    let found = call.store.count_active_users(since).await?;
    Ok(answer(StatusCode::OK, &json!(found.unwrap_or_default())))
}

/// The days of both, the earliest first.
fn together(figures: &[DayStatistics], breaches: &[DailyBreaches]) -> Value {
    let mut days = BTreeMap::new();
    for found in figures {
        days.insert(found.day, wire(found));
    }
    for met in breaches {
        // The follower comes upon the day's first event some seconds after the tally.
        let start = start_of(met.day);
        let shown = days.entry(met.day).or_insert_with(|| {
            wire(&DayStatistics {
                day: met.day,
                logins: 0,
                signups: 0,
                created_at: start,
                updated_at: start,
            })
        });
        let member = match met.stage == Stage::SignUp.word() {
            true => "leaked_passwords_signup",
            false => "leaked_passwords",
        };
        let counted = shown[member].as_u64().unwrap_or_default();
        shown[member] = json!(counted + met.found);
    }
    Value::Array(days.into_values().collect())
}

fn wire(found: &DayStatistics) -> Value {
    json!({
        "date": wire_time(start_of(found.day)),
        "created_at": wire_time(found.created_at),
        "updated_at": wire_time(found.updated_at),
        "logins": found.logins,
        "signups": found.signups,
        "leaked_passwords": 0,
        "leaked_passwords_signup": 0,
    })
}

/// A day as the wire writes it, `20260131`.
fn day(query: &Query, name: &'static str) -> Result<Option<i64>, Problem> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let is_day = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = is_day.then(|| Date::strptime("%Y%m%d", text).ok());
    // The calendar's last day has no moments here.
    let day = date.flatten().map(|date| (day_on(date), date));
    match day.filter(|(day, date)| date_of(*day) == *date) {
        Some((day, _)) => Ok(Some(day)),
        None => Err(invalid(&format!("'{name}' must be a day such as 20260131"))),
    }
}

fn invalid(why: &str) -> Problem {
    Problem::InvalidQuery(format!("Query validation error: {why}."))
}

#[cfg(test)]
mod fuzzed;
