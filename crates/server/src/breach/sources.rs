//! Where breached passwords are looked up: the built-in ones, the operator's list, the online range API, in any mix.
//!
//! A source that fails lets the password pass, and says so (metrics, the log, an event): the shield is one more lock on a
//! door whose first lock was just opened with the right key, and a broken disk or a foreign service must not lock
//! everybody out. The documented test passwords count in every mix.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use breached::{BuiltIn, CurrentList, Renewal, built_in};
use credentials::Password;
use tokio::sync::Semaphore;

use super::range_api::RangeApi;
use crate::outgoing::{OutgoingError, OutgoingSettings};

/// Look-ups in the list that may be under way: a disk that hangs holds no more threads than these.
const LIST_PLACES: usize = 64;
/// Requests to the online API that may be under way.
const ONLINE_PLACES: usize = 256;
/// Longer, a look-up in the list has failed; it takes microseconds, or one reading of a disk.
const LIST_PATIENCE: Duration = Duration::from_secs(2);
/// How often the list's file is looked at.
pub(super) const RENEWED_EVERY: Duration = Duration::from_secs(60);

/// The operator's mix.
#[derive(Debug, Clone)]
pub struct BreachSettings {
    /// Whether the common passwords of the built-in list count.
    pub built_in: bool,
    /// A list made by `portcullis breach-list build`.
    pub list_file: Option<PathBuf>,
    /// Where ranges are: `https://HOST/range/`.
    pub online_url: Option<String>,
    /// For the whole of one request to it.
    pub online_timeout: Duration,
}

impl Default for BreachSettings {
    fn default() -> Self {
        Self {
            built_in: true,
            list_file: None,
            online_url: None,
            online_timeout: Duration::from_secs(1),
        }
    }
}

/// The sources in use.
#[derive(Debug)]
pub struct BreachSources {
    built_in: bool,
    list: Option<Arc<CurrentList>>,
    list_places: Arc<Semaphore>,
    online: Option<RangeApi>,
    online_places: Semaphore,
}

/// A source that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailingSource {
    List,
    Online,
}

/// What a look-up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LookedUp {
    pub(crate) is_breached: bool,
    /// A source that could not be asked, although the others had nothing.
    pub(crate) failed: Option<FailingSource>,
}

impl BreachSources {
    /// Sources by these settings; the list is opened by the first [`Self::renew`].
    pub fn new(
        settings: &BreachSettings,
        outgoing: &OutgoingSettings,
        now: Instant,
    ) -> Result<Self, OutgoingError> {
        let online = settings.online_url.as_deref();
        let online = online.map(|url| RangeApi::new(outgoing, url, settings.online_timeout));
        let list = settings.list_file.as_deref();
        Ok(Self {
            built_in: settings.built_in,
            list: list.map(|path| Arc::new(CurrentList::follow(path, RENEWED_EVERY, now))),
            list_places: Arc::new(Semaphore::new(LIST_PLACES)),
            online: online.transpose()?,
            online_places: Semaphore::new(ONLINE_PLACES),
        })
    }

    /// Looks at the list's file if that is due, and says what came of it. Blocks while a list is opened.
    pub fn renew(&self, now: Instant) {
        let Some(current) = &self.list else {
            return;
        };
        let file = current.path().display().to_string();
        match current.renew(now) {
            Renewal::NotDue | Renewal::Unchanged => {}
            Renewal::Swapped(list) => {
                tracing::info!(file, entries = list.entries(), made_at = %list.made_at(), "breach list in use");
            }
            Renewal::Kept(error) => {
                tracing::error!(file, %error, "breach list refused; the one before it stays in use");
            }
            Renewal::Lost(error) => {
                tracing::error!(file, %error, "no breach list in use: only the other sources are asked");
            }
        }
    }

    /// The list in use, as far as one is set.
    pub(super) fn list(&self) -> Option<&Arc<CurrentList>> {
        self.list.as_ref()
    }

    /// Asks the sources, cheapest first, until one has the password.
    pub(crate) async fn look_up(&self, password: &Password) -> LookedUp {
        let mut failed = None;
        if self.has_built_in(password) {
            return LookedUp::breached("built_in");
        }
        if let Some(list) = &self.list {
            match self.ask_list(list, password).await {
                Ok(true) => return LookedUp::breached("list"),
                Ok(false) => count("list", "not_found"),
                Err(error) => {
                    count("list", "failed");
                    tracing::warn!(%error, "breach list not asked; the password passes it");
                    failed = Some(FailingSource::List);
                }
            }
        }
        if let Some(online) = &self.online {
            match self.ask_online(online, password).await {
                Ok(true) => return LookedUp::breached("online"),
                Ok(false) => count("online", "not_found"),
                Err(error) => {
                    count("online", "failed");
                    tracing::warn!(%error, "online breach API not asked; the password passes it");
                    failed = failed.or(Some(FailingSource::Online));
                }
            }
        }
        LookedUp {
            is_breached: false,
            failed,
        }
    }

    fn has_built_in(&self, password: &Password) -> bool {
        match built_in(password.expose()) {
            Some(BuiltIn::TestPassword) => true,
            Some(BuiltIn::Common) => self.built_in,
            None => false,
        }
    }

    /// On a thread that may block: reading a file that is not in the page cache waits for a disk.
    async fn ask_list(&self, list: &Arc<CurrentList>, password: &Password) -> Result<bool, String> {
        let asked = async {
            let places = Arc::clone(&self.list_places);
            let place = places.acquire_owned().await.map_err(|e| e.to_string())?;
            let (list, password) = (Arc::clone(list), password.clone());
            let asked = tokio::task::spawn_blocking(move || {
                let _place = place;
                list.contains(password.expose())
            });
            match asked.await {
                Ok(Ok(found)) => Ok(found),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            }
        };
        let late = |_| Err("the file was not read in time".to_owned());
        tokio::time::timeout(LIST_PATIENCE, asked)
            .await
            .unwrap_or_else(late)
    }

    async fn ask_online(&self, online: &RangeApi, password: &Password) -> Result<bool, String> {
        let Ok(_place) = self.online_places.try_acquire() else {
            return Err("too many requests to it are under way".to_owned());
        };
        let asked = online.contains(password.expose()).await;
        asked.map_err(|error| error.to_string())
    }
}

impl FailingSource {
    /// As events name it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::List => "the list of breached passwords",
            Self::Online => "the online range API",
        }
    }
}

impl LookedUp {
    fn breached(source: &'static str) -> Self {
        count(source, "found");
        Self {
            is_breached: true,
            failed: None,
        }
    }
}

fn count(source: &'static str, outcome: &'static str) {
    metrics::counter!("portcullis_breach_lookups_total", "source" => source, "outcome" => outcome)
        .increment(1);
}
