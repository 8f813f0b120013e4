//! `portcullis migrate`: brings the database to this version's schema, as a step of its own.

use server::{Clock as _, SystemClock, bootstrap};

use crate::arguments::Database;
use crate::{Failure, open, settings};

/// Runs what is pending and says so.
pub(crate) async fn run(flags: &Database) -> Result<(), Failure> {
    let settings = settings::load(flags)?;
    let store = open::store(&settings).await?;
    let done = store.migrate().await?;
    let lacking = bootstrap::add_missing_scopes(&store, SystemClock.now()).await?;
    if lacking > 0 {
        println!("the Management API of {lacking} tenants has the scopes that are new");
    }
    match done {
        0 => println!("the schema is up to date"),
        done => println!("{done} migrations done"),
    }
    Ok(())
}
