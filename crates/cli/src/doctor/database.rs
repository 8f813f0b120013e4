//! The database: reached, at this version's schema, durable, and on time. It is only read.

use jiff::Timestamp;
use storage::{OpenError, Store};

use super::finding::{Check, Finding, Outcome};
use crate::settings::Settings;
use crate::{data_dir, open};

/// The open database, unless something keeps it from being read.
pub(super) struct Reached {
    pub(super) store: Option<Store>,
    pub(super) findings: Vec<Finding>,
}

/// Opens it and checks what the server checks at its start.
pub(super) async fn database(settings: &Settings, now: Timestamp) -> Reached {
    let store = match reach(settings).await {
        Ok(store) => store,
        Err(outcome) => {
            let why = match &outcome {
                Outcome::Ok(_) => "there is no database yet",
                _ => "the database cannot be read",
            };
            let mut findings = vec![Finding(Check::Database, outcome)];
            let left = [
                Check::Schema,
                Check::Durability,
                Check::Pooler,
                Check::Clock,
            ];
            findings.extend(left.map(|check| Finding(check, Outcome::skip(why))));
            return Reached {
                store: None,
                findings,
            };
        }
    };
    let place = match &settings.database.url {
        Some(_) => "PostgreSQL answers".to_owned(),
        None => data_dir::database(&settings.server.data_dir)
            .display()
            .to_string(),
    };
    let schema = schema(&store, settings).await;
    let migrated = matches!(schema, Outcome::Ok(_));
    let findings = vec![
        Finding(Check::Database, Outcome::Ok(place)),
        Finding(Check::Schema, schema),
        Finding(Check::Durability, durability(&store, settings).await),
        Finding(Check::Pooler, pooler(&store, settings).await),
        Finding(Check::Clock, clock(&store, now).await),
    ];
    Reached {
        store: migrated.then_some(store),
        findings,
    }
}

async fn reach(settings: &Settings) -> Result<Store, Outcome> {
    let file = data_dir::database(&settings.server.data_dir);
    if settings.database.url.is_none() && !file.exists() {
        return Err(Outcome::ok(format!(
            "{} is made at the first start",
            file.display()
        )));
    }
    let failed = |error: &dyn std::fmt::Display| {
        Outcome::fail(
            error.to_string(),
            "the server does not start, and a running one answers logins with 503",
            match settings.database.url {
                Some(_) => "Check that the server runs and that database.url is right",
                None => "Run this as the server's user, with its --data-dir",
            },
        )
    };
    let store = Store::inspect(&open::store_settings(settings)).map_err(|error| failed(&error))?;
    store.check().await.map_err(|error| failed(&error))?;
    Ok(store)
}

async fn schema(store: &Store, settings: &Settings) -> Outcome {
    match store.pending_migrations().await {
        Ok(0) => Outcome::ok("as this version wants it"),
        Ok(pending) if settings.database.url.is_some() => Outcome::fail(
            format!("{pending} migrations are pending"),
            "this version does not start on it",
            "Back up, then run `portcullis migrate` with the same settings",
        ),
        Ok(pending) => Outcome::warn(
            format!("{pending} migrations are pending"),
            "what hangs on them was not checked",
            "Back up, then start the server, which runs them",
        ),
        Err(error) => unreadable(&error),
    }
}

async fn durability(store: &Store, settings: &Settings) -> Outcome {
    match store.check_durability().await {
        Ok(_) if settings.database.url.is_none() => {
            Outcome::ok("SQLite in WAL mode; the server starts only where synchronous=FULL is kept")
        }
        Ok(found) => Outcome::Ok(found),
        Err(error @ (OpenError::NotDurable { .. } | OpenError::SqliteSetting { .. })) => {
            Outcome::fail(
                error.to_string(),
                "the server does not start, since an attacker whose counted guesses are lost gets them again",
                "Do what the message says, and run this again",
            )
        }
        Err(error) => unreadable(&error),
    }
}

async fn pooler(store: &Store, settings: &Settings) -> Outcome {
    if settings.database.url.is_none() {
        return Outcome::skip("SQLite has none");
    }
    if settings.database.pooler {
        return Outcome::ok("true: no statement is prepared, which suits PgBouncer");
    }
    match store.ports().await {
        Ok(Some((asked, answered))) if !asked.contains(&answered) => Outcome::warn(
            format!(
                "PostgreSQL listens on port {answered}, which database.url does not name: something stands between"
            ),
            "a pooler in transaction mode loses prepared statements, and logins fail now and then",
            "Set database.pooler = true if it is PgBouncer; a port that is only forwarded is fine",
        ),
        Ok(_) => Outcome::ok("false: statements are prepared, and nothing seems to stand between"),
        Err(error) => unreadable(&error),
    }
}

/// Compares the clocks as `/readyz` does.
async fn clock(store: &Store, now: Timestamp) -> Outcome {
    let theirs = match store.clock().await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return Outcome::skip("SQLite has this machine's clock"),
        Err(error) => return unreadable(&error),
    };
    match server::excessive_skew(now, theirs) {
        None => Outcome::ok("this machine's and the database's agree"),
        Some(skew) => Outcome::fail(
            format!(
                "this machine's clock is {} s away from the database's",
                skew.as_secs()
            ),
            "the server is never ready: blocks would end too early or too late",
            "Let chrony or systemd-timesyncd set both clocks",
        ),
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Outcome {
    Outcome::fail(
        error.to_string(),
        "the server cannot read it either",
        "Look into the database's own log",
    )
}

#[cfg(test)]
mod tests;
