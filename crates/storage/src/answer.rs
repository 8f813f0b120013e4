//! What reads and guarded writes answer, and which part of a list is meant.

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Counted from 0, in the list's own order.
    Numbered { page: u32, per_page: u32 },
    /// The rows whose id comes after this one, in the order of ids: a walk that neither repeats nor skips a row, whatever
    /// is added or removed meanwhile.
    After { id: Option<String>, take: u32 },
}

impl Page {
    /// Everything, for lists that are bounded by nature.
    pub const ALL: Self = Self::numbered(0, u32::MAX);

    /// A numbered page.
    pub const fn numbered(page: u32, per_page: u32) -> Self {
        Self::Numbered { page, per_page }
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
