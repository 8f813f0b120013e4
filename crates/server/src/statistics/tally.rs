//! What events count as, and what a run of them adds to which day.
//!
//! Days are those of UTC. The rule for each type of event is in `counted_as`, so that a new type has to say what it is.

use std::collections::{BTreeMap, BTreeSet};

use model::{EventType, UserId};
use storage::{DayCounts, LogHead};

use crate::day::day_of;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Login,
    Signup,
    /// Tallied where it is met, since its event is written once an hour; the day is there all the same.
    LeakedPassword,
}

/// What is added to the statistics.
pub(super) struct Tally {
    /// From the earliest day on.
    pub(super) days: Vec<DayCounts>,
    /// Users who logged in, by day, from the earliest day on; each once a day.
    pub(super) active: Vec<(i64, Vec<UserId>)>,
}

/// Counts events.
pub(super) fn tally(events: &[LogHead]) -> Tally {
    let mut days: BTreeMap<i64, DayCounts> = BTreeMap::new();
    let mut active: BTreeMap<i64, BTreeSet<&UserId>> = BTreeMap::new();
    for event in events {
        let Some(counted) = event.event_type.and_then(counted_as) else {
            continue;
        };
        let day = day_of(event.date);
        let counts = days.entry(day).or_insert(DayCounts {
            day,
            logins: 0,
            signups: 0,
            first_at: event.date,
        });
        match counted {
            Counted::Login => {
                counts.logins += 1;
                active.entry(day).or_default().extend(&event.user_id);
            }
            Counted::Signup => counts.signups += 1,
            Counted::LeakedPassword => {}
        }
    }
    let listed = |(day, users): (i64, BTreeSet<&UserId>)| {
        let users = users.into_iter().cloned().collect();
        (day, users)
    };
    Tally {
        days: days.into_values().collect(),
        active: active.into_iter().map(listed).collect(),
    }
}

fn counted_as(event_type: EventType) -> Option<Counted> {
    use EventType as Type;
    match event_type {
        Type::PasswordExchangeSucceeded => Some(Counted::Login),
        Type::SignupSucceeded => Some(Counted::Signup),
        Type::BreachedPassword
        | Type::BreachedPasswordAtChange
        | Type::BreachedPasswordAtSignup => Some(Counted::LeakedPassword),
        // No user signs in with an application's own credentials.
        Type::ClientCredentialsSucceeded | Type::ClientCredentialsFailed => None,
        Type::PasswordExchangeFailed
        | Type::WrongPassword
        | Type::UnknownUser
        | Type::LoginFailed
        | Type::BruteForceBlock
        | Type::SuspiciousIpBlock
        | Type::SameUserLimit
        | Type::UserUnblocked
        | Type::BlockCreated
        | Type::BlockLifted
        | Type::BlockExpired
        | Type::SignupFailed
        | Type::PasswordChanged
        | Type::PasswordChangeFailed
        | Type::PasswordChangeRequested
        | Type::PasswordChangeRequestFailed
        | Type::EmailVerified
        | Type::EmailVerificationFailed
        | Type::VerificationRequested
        | Type::VerificationRequestFailed
        | Type::ManagementWrite
        | Type::NotificationFailed
        | Type::Warning
        | Type::LogStreamSuspended
        | Type::LogStreamGap => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use model::LogId;

    use super::*;

    fn head(second: i64, event_type: EventType, user: Option<&str>) -> LogHead {
        LogHead {
            log_id: LogId::new(second.to_string()),
            date: Timestamp::from_second(second).unwrap(),
            event_type: Some(event_type),
            user_id: user.map(UserId::new),
        }
    }

    #[test]
    fn events_count_on_their_day_of_utc() {
        let login = EventType::PasswordExchangeSucceeded;
        let found = [
            head(86_399, login, Some("auth0|1")),
            head(86_400, login, Some("auth0|1")),
            head(86_401, login, Some("auth0|1")),
            head(86_402, EventType::SignupSucceeded, Some("auth0|2")),
            head(86_403, EventType::BreachedPasswordAtChange, Some("auth0|2")),
            head(2 * 86_400, EventType::BreachedPasswordAtSignup, None),
            head(86_405, EventType::WrongPassword, Some("auth0|3")),
            LogHead {
                event_type: None,
                ..head(86_406, login, Some("auth0|4"))
            },
        ];
        let Tally { days, active } = tally(&found);
        let figures: Vec<_> = days
            .iter()
            .map(|day| (day.day, day.logins, day.signups))
            .collect();
        assert_eq!(figures, [(0, 1, 0), (1, 2, 1), (2, 0, 0)]);
        assert_eq!(days[1].first_at, Timestamp::from_second(86_400).unwrap());
        let ana = || vec![UserId::new("auth0|1")];
        assert_eq!(active, [(0, ana()), (1, ana())]);
    }
}
