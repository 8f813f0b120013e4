//! What reads and guarded writes answer, and which part of a list is meant.

/// A page of a list, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub page: u32,
    pub per_page: u32,
}

impl Page {
    /// Everything, for lists that are bounded by nature.
    pub const ALL: Self = Self {
        page: 0,
        per_page: u32::MAX,
    };

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.page).saturating_mul(i64::from(self.per_page))
    }
}

/// A page's items and how many there are on all pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// What came of adding a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Done,
    /// A row with this id exists; nothing was written.
    IdTaken,
    /// Another row has this name, audience, identifier or host; nothing was written.
    IdentifierTaken,
}

/// What came of changing a row that was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Somebody else changed it since it was read; nothing was written.
    Moved,
    /// There is no such row.
    Missing,
    /// Another row has an identifier or host that this one was to get; nothing was written.
    IdentifierTaken,
}
