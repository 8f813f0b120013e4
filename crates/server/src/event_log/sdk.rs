//! The header `Auth0-Client`, in which SDKs name themselves: base64 of `{name, version, env}` (auth0-wire-facts §1.1).
//!
//! Nobody vouches for it, so it is only shown in log events, bounded, and decides nothing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::bounded;
use crate::request::text_of;

const MAX_MEMBERS: usize = 10;

/// What the SDK says of itself, if it can be read.
pub(crate) fn sdk_of(headers: &HeaderMap) -> Option<Value> {
    let text = text_of(headers, "auth0-client")?;
    let unpadded = text.trim_end_matches('=');
    let bytes = STANDARD
        .decode(&text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(unpadded))
        .ok()?;
    let told: Map<String, Value> = serde_json::from_slice(&bytes).ok()?;
    let mut shown = texts_of(&told);
    if let Some(Value::Object(environment)) = told.get("env") {
        shown.insert("env".to_owned(), Value::Object(texts_of(environment)));
    }
    Some(Value::Object(shown))
}

fn texts_of(members: &Map<String, Value>) -> Map<String, Value> {
    let texts = members
        .iter()
        .filter_map(|(name, value)| Some((bounded(name), Value::from(bounded(value.as_str()?)))));
    texts.take(MAX_MEMBERS).collect()
}

#[cfg(test)]
mod fuzzed;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(text: &str) -> Option<Value> {
        let mut headers = HeaderMap::new();
        headers.insert("auth0-client", text.parse().unwrap());
        sdk_of(&headers)
    }

    #[test]
    fn an_sdk_is_named_and_nothing_else_is_kept() {
        let header = json!({"name": "sdk", "version": "1\r\n2", "env": {"node": "20", "deep": {}}, "other": [1]});
        let shown = told(&STANDARD.encode(header.to_string())).unwrap();
        assert_eq!(
            shown,
            json!({"name": "sdk", "version": "12", "env": {"node": "20"}})
        );
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for text in [
            "",
            "not base64!",
            &STANDARD.encode("[]"),
            &STANDARD.encode("{"),
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
