//! The breach list in use, which follows its file: a new one is taken up while others look up, a bad one is refused.
//!
//! The way to replace a list is to rename another file over it, as `portcullis breach-list build` does.
//! A file that is written over in place has no old content to keep; then there is no list until a good one appears.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use crate::list::Identity;
use crate::{BreachList, OpenError};

/// Holds the list in use; look-ups of many threads never wait for a renewal.
#[derive(Debug)]
pub struct CurrentList {
    path: PathBuf,
    every: Duration,
    list: RwLock<Option<Arc<BreachList>>>,
    looked: Mutex<Looked>,
}

/// The last look at the file.
#[derive(Debug)]
struct Looked {
    due: Instant,
    /// What the file was; `None` when it was not there.
    at: Option<Identity>,
    /// Whether there was a look at all.
    done: bool,
}

/// What a look at the file led to. Everything but the first two is worth a line in the log, and comes once.
#[derive(Debug)]
pub enum Renewal {
    /// The interval is not over, or another thread is looking.
    NotDue,
    /// The file is as it was at the last look.
    Unchanged,
    /// A new list is in use.
    Swapped(Arc<BreachList>),
    /// The file was refused, and the list before it stays in use.
    Kept(OpenError),
    /// The file is refused, and no list is in use: it was written over in place, or there never was a good one.
    Lost(OpenError),
}

impl CurrentList {
    /// Opens the list; its file is looked at again `every` so often.
    pub fn open(path: &Path, every: Duration, now: Instant) -> Result<Self, OpenError> {
        let list = BreachList::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            every,
            looked: Mutex::new(Looked {
                due: now + every,
                at: Some(list.identity()),
                done: true,
            }),
            list: RwLock::new(Some(Arc::new(list))),
        })
    }

    /// Follows a file that need not be a list yet; the first renewal opens it.
    pub fn follow(path: &Path, every: Duration, now: Instant) -> Self {
        Self {
            path: path.to_owned(),
            every,
            looked: Mutex::new(Looked {
                due: now,
                at: None,
                done: false,
            }),
            list: RwLock::new(None),
        }
    }

    /// The file that is followed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The list in use; none while there is no good one.
    pub fn list(&self) -> Option<Arc<BreachList>> {
        self.list
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// As [`BreachList::contains`]; an error while no list is in use.
    pub fn contains(&self, password: &str) -> io::Result<bool> {
        let list = self
            .list()
            .ok_or_else(|| io::Error::other("there is no good breach list in its place"))?;
        list.contains(password)
    }

    /// Looks at the file if that is due, and takes up a new list. Blocks for as long as opening takes.
    pub fn renew(&self, now: Instant) -> Renewal {
        let mut looked = match self.looked.try_lock() {
            Ok(looked) => looked,
            Err(TryLockError::Poisoned(looked)) => looked.into_inner(),
            Err(TryLockError::WouldBlock) => return Renewal::NotDue,
        };
        if now < looked.due {
            return Renewal::NotDue;
        }
        looked.due = now + self.every;
        let found = self
            .path
            .metadata()
            .ok()
            .map(|metadata| Identity::of(&metadata));
        if looked.done && found == looked.at {
            return Renewal::Unchanged;
        }
        looked.done = true;
        match BreachList::open(&self.path) {
            Ok(list) => {
                // What was opened may be newer than what was found.
                looked.at = Some(list.identity());
                let list = Arc::new(list);
                self.put(Some(Arc::clone(&list)));
                Renewal::Swapped(list)
            }
            Err(refused) => {
                looked.at = found;
                let overwritten = self.list().is_none_or(|list| {
                    found.is_some_and(|found| list.identity().overwritten_as(&found))
                });
                if overwritten {
                    self.put(None);
                    return Renewal::Lost(refused);
                }
                Renewal::Kept(refused)
            }
        }
    }

    fn put(&self, list: Option<Arc<BreachList>>) {
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = list;
    }
}
