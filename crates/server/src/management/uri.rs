//! What a request's address says: the id in its path, and its query.
//!
//! Ids may be percent-encoded, slashes included. A NUL or what is not UTF-8 is the caller's mistake: PostgreSQL's text
//! holds neither, and a failing statement would be a 5xx that SDKs retry.

use axum::extract::{FromRequestParts, Path};
use http::Uri;
use http::request::Parts;
use serde_json::{Map, Value};

use crate::answer::management::Problem;
use crate::event_log::bounded;

/// The one variable segment of a path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) if !id.contains('\0') => Ok(Self(id)),
            _ => Err(Problem::InvalidUri(
                "Path validation error: 'String is not UTF-8 text' on property id (encode it as UTF-8, then percent-encode it)."
                    .to_owned(),
            )),
        }
    }
}

/// The parameters of a query, repetitions included.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of an address.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut latest_first = self.0.iter().rev();
        latest_first
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The parameters for an event, bounded.
    pub(super) fn for_event(&self) -> Map<String, Value> {
        let shown = self.0.iter().take(20);
        shown
            .map(|(name, value)| (bounded(name), Value::from(bounded(value))))
            .collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Self::of(&parts.uri);
        match query.0.iter().find(|(_, value)| value.contains('\0')) {
            None => Ok(query),
            Some((name, _)) => Err(Problem::InvalidQuery(format!(
                "Query validation error: 'String holds a NUL character' on property {name} (send text without it)."
            ))),
        }
    }
}

#[cfg(test)]
impl From<&[(&str, &str)]> for Query {
    fn from(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }
}
