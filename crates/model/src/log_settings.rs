//! What a tenant wants done with its log: how long events are kept.

use serde::{Deserialize, Serialize};

/// Our own setting (`/api/v2/portcullis/logs`), kept with the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogSettings {
    /// Events older than this are dropped, but for what explains a block that still stands.
    pub retention_days: u32,
}

impl LogSettings {
    /// What may be set. More than ten years is an archive's work; it gets the events by export.
    pub const RETENTION_DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;
}

impl Default for LogSettings {
    /// Long enough to look back at an attack that is found out late.
    fn default() -> Self {
        Self { retention_days: 90 }
    }
}
