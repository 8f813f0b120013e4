//! `portcullis migrate`: brings the database to this version's schema, as a step of its own.

use crate::arguments::Database;
use crate::{Failure, open, settings};

/// Runs what is pending and says so.
pub(crate) async fn run(flags: &Database) -> Result<(), Failure> {
    let settings = settings::load(flags)?;
    let store = open::store(&settings).await?;
    let done = store.migrate().await?;
    match done {
        0 => println!("the schema is up to date"),
        done => println!("{done} migrations done"),
    }
    Ok(())
}
