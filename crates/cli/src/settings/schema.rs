//! The JSON Schema (2020-12) of all settings, and its keys as a list.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Settings;

/// One key with its part of the schema.
pub(super) struct Key {
    /// As in `server.listen`.
    pub(super) name: String,
    pub(super) schema: Value,
}

impl Key {
    /// Whether its value is never shown.
    pub(super) fn is_secret(&self) -> bool {
        self.schema["writeOnly"] == true
    }

    /// What the setting is for.
    pub(super) fn description(&self) -> &str {
        self.schema["description"].as_str().unwrap_or_default()
    }
}

/// The whole schema, without references.
pub(super) fn schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<Settings>()
        .to_value()
}

/// Each section's name, description and keys, in the order of the schema.
pub(super) fn sections() -> Vec<(String, String, Vec<Key>)> {
    let schema = schema();
    let sections = properties(&schema).map(|(section, schema)| {
        let keys = properties(schema).map(|(key, schema)| Key {
            name: format!("{section}.{key}"),
            schema: schema.clone(),
        });
        let description = schema["description"].as_str().unwrap_or_default();
        (section.clone(), description.to_owned(), keys.collect())
    });
    sections.collect()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_is() {
        let mut keys = 0;
        for key in sections().into_iter().flat_map(|(_, _, keys)| keys) {
            keys += 1;
            assert!(!key.description().is_empty(), "{}", key.name);
            assert!(key.schema.get("type").is_some(), "{}", key.name);
            assert!(key.schema.get("default").is_some(), "{}", key.name);
            let is_number = key.schema["type"] == "integer";
            assert_eq!(is_number, key.schema["x-unit"].is_string(), "{}", key.name);
            let has_example = key.schema["examples"].is_array();
            assert_ne!(key.is_secret(), has_example, "{}", key.name);
        }
        assert!(keys >= 16, "{keys}");
    }
}
