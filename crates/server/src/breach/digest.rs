//! Digests for administrators: how many breached passwords were met in a day, a week, a month (auth0-wire-facts §5.3).
//!
//! Days are UTC's. A digest goes out a few minutes after its period has ended, from whichever node takes it first: one
//! guarded statement, in the unit that puts the mails down. A period in which nothing was met sends nothing; one that
//! was missed, since no node ran, is part of the next.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::{BreachedPasswordSettings, Tenant};
use storage::{BreachCount, StoreError, TakenDigest, Work};

use super::judge::Stage;
use crate::app::App;
use crate::courier::to_administrators;
use crate::day::{date_of, day_of, day_on};

/// For logins that began before the day ended.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// No digest reaches further back.
const LONGEST_DAYS: i64 = 62;
/// Statistics show tallies for as long.
const KEPT_DAYS: i64 = 3_660;
const FREQUENCIES: [Frequency; 3] = [Frequency::Daily, Frequency::Weekly, Frequency::Monthly];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
}

/// Sends every digest that is due, of all tenants.
pub async fn send_due(app: &Arc<App>) {
    let tenants = match app.store.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::warn!(%error, "digests of breached passwords not sent"),
    };
    for tenant in tenants {
        if let Err(error) = send(app, &tenant, app.clock.now()).await {
            let tenant = tenant.id.as_str();
            tracing::warn!(%error, tenant, "digests of breached passwords not sent");
        }
    }
}

async fn send(app: &Arc<App>, tenant: &Tenant, now: Timestamp) -> Result<(), StoreError> {
    let settings = &tenant.attack_protection.breached_password;
    if !settings.enabled {
        return Ok(());
    }
    let rows = app.tenant(&tenant.id);
    for frequency in FREQUENCIES.into_iter().filter(|f| f.is_in(settings)) {
        let (from, until) = frequency.period(now - GRACE);
        if rows.find_digest(frequency.word()).await? >= Some(until) {
            continue;
        }
        let (app, tenant) = (Arc::clone(app), tenant.clone());
        rows.write(async move |work: &mut Work| {
            let taken = work.take_digest(frequency.word(), until).await?;
            let TakenDigest::Taken { before } = taken else {
                return Ok(());
            };
            work.remove_breaches_before(until - KEPT_DAYS).await?;
            let from = before.unwrap_or(from).max(until - LONGEST_DAYS);
            let mut counts = work.count_breaches(from, until).await?;
            counts.retain(|count| is_wanted(&tenant, count));
            if counts.is_empty() {
                return Ok(());
            }
            // The mails of a unit that runs again take other names; those of the run before were never written.
            for mail in mails(&app, &tenant, frequency, from, until, &counts, now) {
                work.enqueue_mail(&mail).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Whether administrators are told of what is met at this stage.
fn is_wanted(tenant: &Tenant, count: &BreachCount) -> bool {
    let settings = &tenant.attack_protection.breached_password;
    let mut stages = [Stage::Login, Stage::SignUp, Stage::Change].into_iter();
    stages.any(|stage| stage.word() == count.stage && stage.has(settings, "admin_notification"))
}

fn mails(
    app: &App,
    tenant: &Tenant,
    frequency: Frequency,
    from: i64,
    until: i64,
    counts: &[BreachCount],
    now: Timestamp,
) -> Vec<storage::QueuedMail> {
    let of = |stage: &str| counts.iter().find(|count| count.stage == stage);
    let line = |stage: &str, what: &str| {
        of(stage).map(|count| {
            format!(
                "{what}: {}, of which {} were refused.",
                count.found, count.refused
            )
        })
    };
    let mut paragraphs = vec![format!(
        "Breached passwords at {} from {} to {} (days in UTC).",
        tenant.domain,
        date_of(from),
        date_of(until - 1)
    )];
    paragraphs.extend(line(
        "login",
        "Logins with the right, but breached, password",
    ));
    paragraphs.extend(line("signup", "Sign-ups with a breached password"));
    paragraphs.extend(line("change", "Password changes to a breached password"));
    paragraphs.push(
        "The log names the accounts: events pwd_leak, signup_pwd_leak and reset_pwd_leak."
            .to_owned(),
    );
    let subject = format!(
        "Breached passwords at {}: {} report",
        tenant.domain,
        frequency.word()
    );
    to_administrators(app, tenant, &subject, &paragraphs, now)
}

impl Frequency {
    fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    fn is_in(self, settings: &BreachedPasswordSettings) -> bool {
        let mut wanted = settings.admin_notification_frequency.iter();
        wanted.any(|frequency| frequency == self.word())
    }

    /// The last period that has ended: its first day, and the first one after it. Weeks begin on Monday.
    fn period(self, now: Timestamp) -> (i64, i64) {
        let (today, date) = (day_of(now), date_of(day_of(now)));
        match self {
            Self::Daily => (today - 1, today),
            Self::Weekly => {
                let monday = today - i64::from(date.weekday().to_monday_zero_offset());
                (monday - 7, monday)
            }
            Self::Monthly => {
                let first = day_on(date.first_of_month());
                (day_on(date_of(first - 1).first_of_month()), first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_days_weeks_and_months() {
        for (now, daily, weekly, monthly) in [
            (
                "2026-11-28T17:00:00Z",
                ("2026-11-27", "2026-11-28"),
                ("2026-11-16", "2026-11-23"),
                ("2026-10-01", "2026-11-01"),
            ),
            (
                "2026-11-30T00:00:00Z",
                ("2026-11-29", "2026-11-30"),
                ("2026-11-23", "2026-11-30"),
                ("2026-10-01", "2026-11-01"),
            ),
            (
                "2027-01-01T00:00:00Z",
                ("2026-12-31", "2027-01-01"),
                ("2026-12-21", "2026-12-28"),
                ("2026-12-01", "2027-01-01"),
            ),
            (
                "2028-03-01T12:00:00Z",
                ("2028-02-29", "2028-03-01"),
                ("2028-02-21", "2028-02-28"),
                ("2028-02-01", "2028-03-01"),
            ),
        ] {
            let now: Timestamp = now.parse().unwrap();
            for (frequency, expected) in [
                (Frequency::Daily, daily),
                (Frequency::Weekly, weekly),
                (Frequency::Monthly, monthly),
            ] {
                let (from, until) = frequency.period(now);
                let told = (date_of(from).to_string(), date_of(until).to_string());
                assert_eq!(
                    (told.0.as_str(), told.1.as_str()),
                    expected,
                    "{frequency:?} at {now}"
                );
            }
        }
    }
}
