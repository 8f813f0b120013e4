//! placeholder
use std::sync::Arc;
pub(crate) fn routes() -> axum::Router<Arc<crate::App>> { axum::Router::new() }
