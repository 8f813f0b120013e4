//! JSON bodies. `serde_json` would keep the last of two equal names without a word, so members are collected one
//! by one and the caller sees them all.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use super::{MAX_PARAMETERS, Sent};
use crate::Reason;

/// The members in order, repetitions included. One more than allowed is kept, so that the caller sees there were more.
pub(super) fn read(body: &[u8]) -> Result<Vec<(String, Sent)>, Reason> {
    let text = std::str::from_utf8(body).map_err(|_| Reason::NotUtf8)?;
    match serde_json::from_str(text) {
        Ok(Members(members)) => Ok(members),
        Err(error) => Err(match error.classify() {
            Category::Data => Reason::NotAnObject,
            Category::Syntax | Category::Eof | Category::Io => Reason::MalformedJson,
        }),
    }
}

struct Members(Vec<(String, Sent)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.len() > MAX_PARAMETERS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = match map.next_value::<Value>()? {
                Value::Null => Sent::Nothing,
                Value::String(text) => Sent::Text(text),
                Value::Object(members) => Sent::Object(members),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) => Sent::NoText,
            };
            members.push((name, value));
        }
        Ok(Members(members))
    }
}
