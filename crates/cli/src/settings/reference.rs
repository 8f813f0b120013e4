//! `docs/reference/settings.md`, made from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::load::variable;
use super::schema::{Key, sections};

const HEAD: &str = "\
# Settings

<!-- Made by `portcullis settings schema --markdown`; change crates/cli/src/settings/mod.rs instead. -->

A settings file is TOML and is named with `--config FILE`.
The environment wins over the file, and flags win over both.
A list in a variable is written `[\"first\",\"second\"]`.
An unknown key is an error, so that a misspelt one is never ignored.
`portcullis settings show` prints what is in force and who set it; secrets are never printed.
`portcullis settings schema` prints this page as a JSON Schema, for editors.
";

/// The page.
pub(super) fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for (section, description, keys) in sections() {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `[{section}]`\n\n{description}\n\n");
        page.push_str(
            "| key | variable | type | default | unit | meaning |\n|---|---|---|---|---|---|\n",
        );
        for key in &keys {
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} | {} | {} | {}{} |",
                key.name,
                variable(&key.name),
                kind(&key.schema),
                default(&key.schema),
                key.schema["x-unit"].as_str().unwrap_or_default(),
                key.description().replace('\n', " "),
                secret(key),
            );
        }
    }
    page
}

fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("`{value}`"));
        return values.collect::<Vec<_>>().join(" or ");
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    match kinds.unwrap_or_default() {
        "array" => "list of strings".to_owned(),
        kind => kind.to_owned(),
    }
}

fn default(schema: &Value) -> String {
    match &schema["default"] {
        Value::Null => "not set".to_owned(),
        value => format!("`{value}`"),
    }
}

fn secret(key: &Key) -> &'static str {
    if key.is_secret() {
        " Secret: never printed."
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_up_to_date() {
        let page = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/settings.md"
        );
        let kept = std::fs::read_to_string(page).unwrap_or_default();
        assert!(
            kept == super::markdown(),
            "docs/reference/settings.md is out of date; run\n  \
             cargo run --package cli -- settings schema --markdown > docs/reference/settings.md"
        );
    }
}
