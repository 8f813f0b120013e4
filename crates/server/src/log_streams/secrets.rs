//! What a stream's receiver is told as a secret: its authorization and its custom headers, sealed together at rest.
//!
//! The wire gives them back, so digests would not do.

use keys::Binding;
use serde::{Deserialize, Serialize};
use storage::LogStreamRecord;

use crate::app::App;

/// The secrets of one stream.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) authorization: Option<String>,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
}

/// The secrets as they are kept; none where there are none.
pub(crate) fn sealed(app: &App, tenant: &str, stream: &str, secrets: &Secrets) -> Option<Vec<u8>> {
    if *secrets == Secrets::default() {
        return None;
    }
    let clear = serde_json::to_vec(secrets).expect("texts become JSON");
    let binding = binding(tenant, stream);
    Some(app.secrets.sealer.seal(&binding, &clear, &*app.entropy))
}

/// The secrets of a record.
pub(crate) fn opened(app: &App, tenant: &str, record: &LogStreamRecord) -> Result<Secrets, String> {
    let Some(sealed) = &record.secrets_sealed else {
        return Ok(Secrets::default());
    };
    let binding = binding(tenant, record.stream.id.as_str());
    let opened = app.secrets.sealer.open(&binding, sealed);
    let opened = opened.map_err(|error| format!("the secrets of the log stream: {error}"))?;
    serde_json::from_slice(&opened)
        .map_err(|_| "the secrets of the log stream are unreadable".to_owned())
}

fn binding<'a>(tenant: &'a str, stream: &'a str) -> Binding<'a> {
    Binding {
        tenant,
        row: stream,
        field: "log_stream_secrets",
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
