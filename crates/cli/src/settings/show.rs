//! `portcullis settings show`: what is in force, and who set it. Secrets are `(set)` or `(not set)`.
//!
//! The text is a settings file by itself: what cannot be pasted back is a comment.

use serde_json::{Map, Value, json};

use super::load::{Loaded, Origin};
use super::schema::{Key, sections};
use crate::Failure;

/// As text, or as one JSON object of keys.
pub(super) fn show(loaded: &Loaded, as_json: bool) -> Result<String, Failure> {
    let values = serde_json::to_value(&loaded.settings)?;
    let mut lines = Vec::new();
    let mut object = Map::new();
    for key in sections().into_iter().flat_map(|(_, _, keys)| keys) {
        let value = values.pointer(&format!("/{}", key.name.replace('.', "/")));
        let value = shown(&key, value.unwrap_or(&Value::Null));
        let origin = loaded.origin(&key.name);
        lines.push((line(&key, &value), words(&origin)));
        object.insert(
            key.name,
            json!({ "value": value, "origin": name(&origin), "from": from(&origin) }),
        );
    }
    if as_json {
        return Ok(serde_json::to_string_pretty(&object)?);
    }
    let width = lines.iter().map(|(line, _)| line.chars().count()).max();
    let width = width.unwrap_or_default();
    let lines = lines
        .into_iter()
        .map(|(line, origin)| format!("{line:width$}  # {origin}"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn shown(key: &Key, value: &Value) -> Value {
    if key.is_secret() && !value.is_null() {
        return json!("(set)");
    }
    value.clone()
}

fn line(key: &Key, value: &Value) -> String {
    match value {
        Value::Null => format!("# {} (not set)", key.name),
        _ if key.is_secret() => format!("# {} (set)", key.name),
        // Strings, numbers, booleans and lists of strings are written alike in JSON and TOML.
        value => format!("{} = {value}", key.name),
    }
}

fn name(origin: &Origin) -> &'static str {
    match origin {
        Origin::Default => "default",
        Origin::File(_) => "file",
        Origin::Environment(_) => "environment",
        Origin::Flag(_) => "flag",
    }
}

fn from(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Default => None,
        Origin::File(file) => Some(file.display().to_string()),
        Origin::Environment(name) | Origin::Flag(name) => Some(name.clone()),
    }
}

fn words(origin: &Origin) -> String {
    match from(origin) {
        None => name(origin).to_owned(),
        Some(from) => format!("{} {from}", name(origin)),
    }
}
