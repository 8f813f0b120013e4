//! Whose share of the hashing queue a piece of work takes.

use credentials::{ClientStanding, Share};
use guard::Source;

use crate::app::App;

/// The share of a source and an application; keyed digests, so that nobody can aim at another's share.
pub(crate) fn share(app: &App, source: &Source, client: &str, standing: ClientStanding) -> Share {
    let short = |text: &str| {
        let digest = app.secrets.meters.digest("share", text.as_bytes());
        u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
    };
    Share {
        source: short(&source.prefix().to_string()),
        client: short(client),
        standing,
    }
}
