//! How many events of failures before a charge one source may write at a tenant: a burst of 20, then one every 6 s.
//!
//! Nobody has been authenticated by then, so without a bound a stranger could fill the database.
//! The rest are counted as metrics. Losing an entry to eviction costs a few more rows, never a check.
//! Each tenant has a log of its own: failures at one must not keep those at another from being seen.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use model::TenantId;

const BURST: i64 = 20;
const EVERY: Duration = Duration::from_secs(6);
const SOURCES: usize = 10_000;

/// Buckets by tenant and source prefix, in memory.
pub(crate) struct FailureAdmission {
    /// The theoretical arrival time of each source's next event, in microseconds.
    arrivals: quick_cache::sync::Cache<(TenantId, IpAddr), i64>,
}

impl Default for FailureAdmission {
    fn default() -> Self {
        Self {
            arrivals: quick_cache::sync::Cache::new(SOURCES),
        }
    }
}

impl FailureAdmission {
    /// Whether this source may write one more event at this tenant now.
    pub(crate) fn admit(&self, tenant: &TenantId, source: &guard::Source, now: Timestamp) -> bool {
        let step = i64::try_from(EVERY.as_micros()).expect("six seconds fit");
        let now = now.as_microsecond();
        let key = (tenant.clone(), source.prefix().network());
        let due = self.arrivals.get(&key).unwrap_or(now).max(now);
        if due - now > (BURST - 1) * step {
            metrics::counter!("portcullis_log_events_withheld_total").increment(1);
            return false;
        }
        self.arrivals.insert(key, due + step);
        true
    }
}
