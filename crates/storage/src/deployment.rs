//! What belongs to the whole deployment: so far the root key's check value.

use crate::statement::{Row, Select, Statement, arguments};
use crate::{Store, StoreError};

const CHECK_VALUE: &str = "root_key_check";

impl Store {
    /// The check value of the root key that this database was made with.
    pub async fn find_check_value(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(Select::new(
            "SELECT value FROM deployment WHERE name = $1",
            arguments![CHECK_VALUE],
            Row::bytes,
        ))
        .await
    }

    /// Keeps a check value unless there is one, and answers the one that is kept.
    pub async fn set_check_value(&self, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let value = value.to_vec();
        self.write(async move |work| {
            work.execute(
                "INSERT INTO deployment (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                arguments![CHECK_VALUE, value.clone()],
            )
            .await
        })
        .await?;
        let kept = self.find_check_value().await?;
        kept.ok_or_else(|| StoreError::Unreadable("the check value vanished".to_owned()))
    }
}

impl Store {
    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.engine
            .query(Statement::new("SELECT 1", Vec::new()))
            .await
            .map(drop)
    }
}
