//! What a body may hold: one table of fields a resource, one judge for all.
//!
//! Unknown members are refused. A security setting whose enforcement is not built is [`Kind::Inert`]: accepted at its inert
//! values alone, else refused with the field's name. Bad input changes nothing.

use serde_json::{Map, Value};

use crate::answer::management::Problem;

/// One member of a body.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a member may be.
pub(super) enum Kind {
    Bool,
    /// Text of at most so many characters.
    Text(usize),
    /// Text, or null to remove it.
    NullableText(usize),
    Integer(i64, i64),
    OneOf(&'static [&'static str]),
    NullableOneOf(&'static [&'static str]),
    Texts(usize),
    ListOf(&'static [&'static str]),
    Object(&'static [Field]),
    Objects(&'static [Field]),
    AnyObject,
    /// Kept and given back, decides nothing.
    Any,
    /// A setting that is not enforced: false, null, empty, or one of these texts.
    Inert(&'static [&'static str]),
}

/// Shorthand for a table's row.
pub(super) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// Judges a body against its table.
pub(super) fn judge(fields: &[Field], body: &Map<String, Value>) -> Result<(), Problem> {
    judge_at("", fields, body).map_err(Problem::InvalidBody)
}

/// Asks for members that must be there.
pub(super) fn require(body: &Map<String, Value>, names: &[&str]) -> Result<(), Problem> {
    match names.iter().find(|name| !body.contains_key(**name)) {
        None => Ok(()),
        Some(name) => Err(Problem::InvalidBody(format!(
            "Payload validation error: 'Missing required property: {name}'."
        ))),
    }
}

fn judge_at(path: &str, fields: &[Field], body: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in body {
        let place = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some(known) = fields.iter().find(|field| field.name == name) else {
            return Err(format!(
                "Payload validation error: 'Additional properties not allowed: {place}'."
            ));
        };
        if let Some(expected) = complaint(&place, &known.kind, value)? {
            return Err(format!(
                "Payload validation error: '{expected}' on property {place}."
            ));
        }
    }
    Ok(())
}

/// What is wrong with a value, if anything; nested objects complain with their own path.
fn complaint(place: &str, kind: &Kind, value: &Value) -> Result<Option<String>, String> {
    let fits = match kind {
        Kind::Bool => value.is_boolean(),
        Kind::Text(most) => value
            .as_str()
            .is_some_and(|text| text.chars().count() <= *most),
        Kind::NullableText(most) => {
            value.is_null()
                || value
                    .as_str()
                    .is_some_and(|text| text.chars().count() <= *most)
        }
        Kind::Integer(least, most) => value
            .as_i64()
            .is_some_and(|number| (*least..=*most).contains(&number)),
        Kind::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::NullableOneOf(words) => {
            value.is_null() || value.as_str().is_some_and(|word| words.contains(&word))
        }
        Kind::Texts(most) => value
            .as_array()
            .is_some_and(|items| items.len() <= *most && items.iter().all(Value::is_string)),
        Kind::ListOf(words) => value.as_array().is_some_and(|items| {
            items
                .iter()
                .all(|item| item.as_str().is_some_and(|word| words.contains(&word)))
        }),
        Kind::Object(fields) => match value.as_object() {
            Some(members) => return judge_at(place, fields, members).map(|()| None),
            None => false,
        },
        Kind::Objects(fields) => match value.as_array() {
            Some(items) => {
                for item in items {
                    let Some(members) = item.as_object() else {
                        return Ok(Some("Expected type object".to_owned()));
                    };
                    judge_at(place, fields, members)?;
                }
                true
            }
            None => false,
        },
        Kind::AnyObject => value.is_object() || value.is_null(),
        Kind::Any => true,
        Kind::Inert(words) => is_inert(value, words),
    };
    Ok((!fits).then(|| expectation(kind)))
}

fn is_inert(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => words.contains(&text.as_str()),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(|member| is_inert(member, words)),
    }
}

fn expectation(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "Expected true or false".to_owned(),
        Kind::Text(most) | Kind::NullableText(most) => {
            format!("Expected a text of at most {most} characters")
        }
        Kind::Integer(least, most) => format!("Expected a whole number from {least} to {most}"),
        Kind::OneOf(words) | Kind::NullableOneOf(words) => {
            format!("Expected one of {}", words.join(", "))
        }
        Kind::Texts(most) => format!("Expected a list of at most {most} texts"),
        Kind::ListOf(words) => format!("Expected a list of {}", words.join(", ")),
        Kind::Object(_) | Kind::AnyObject => "Expected type object".to_owned(),
        Kind::Objects(_) => "Expected a list of objects".to_owned(),
        Kind::Any => "Expected a value".to_owned(),
        Kind::Inert(_) => {
            "Not enforced by this server, so only its inactive value is accepted".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &[Field] = &[
        field("on", Kind::Bool),
        field("name", Kind::Text(3)),
        field("count", Kind::Integer(1, 9)),
        field(
            "inner",
            Kind::Object(&[field("mode", Kind::OneOf(&["a", "b"]))]),
        ),
        field("mfa", Kind::Inert(&["never"])),
    ];

    fn told(body: &Value) -> Result<(), String> {
        judge(TABLE, body.as_object().unwrap()).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn what_fits_is_accepted() {
        for body in [
            json!({}),
            json!({"on": true, "name": "abc", "count": 9, "inner": {"mode": "a"}}),
        ] {
            assert_eq!(told(&body), Ok(()));
        }
        for inert in [
            json!(false),
            json!(null),
            json!([]),
            json!({"x": false}),
            json!("never"),
        ] {
            assert_eq!(told(&json!({"mfa": inert})), Ok(()));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (body, place) in [
            (json!({"other": 1}), "other"),
            (json!({"on": "true"}), "on"),
            (json!({"name": "abcd"}), "name"),
            (json!({"count": 10}), "count"),
            (json!({"count": 1.5}), "count"),
            (json!({"inner": {"mode": "c"}}), "inner.mode"),
            (json!({"inner": []}), "inner"),
            (json!({"mfa": true}), "mfa"),
            (json!({"mfa": {"x": {"y": true}}}), "mfa"),
            (json!({"mfa": "always"}), "mfa"),
        ] {
            assert!(told(&body).unwrap_err().contains(place), "{body}");
        }
    }
}
