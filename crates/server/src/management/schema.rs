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
    /// True, false, or null to remove it.
    NullableBool,
    /// A protection that cannot be switched off here.
    OnlyTrue,
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

/// Refuses members that are set once, when a thing is made.
pub(super) fn refuse_fixed(body: &Map<String, Value>, names: &[&str]) -> Result<(), Problem> {
    match names.iter().find(|name| body.contains_key(**name)) {
        None => Ok(()),
        Some(name) => Err(Problem::InvalidBody(format!(
            "Payload validation error: 'Additional properties not allowed: {name}' (it never changes; leave it out)."
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
                "Payload validation error: 'Additional properties not allowed: {}' (leave it out; there is no such setting here).",
                crate::event_log::bounded(&place)
            ));
        };
        match (&known.kind, value) {
            (Kind::Object(inner), Value::Object(members)) => judge_at(&place, inner, members)?,
            (Kind::Objects(inner), Value::Array(items)) if items.iter().all(Value::is_object) => {
                for members in items.iter().filter_map(Value::as_object) {
                    judge_at(&place, inner, members)?;
                }
            }
            (kind, value) if fits(kind, value) => {}
            (kind, value) => {
                return Err(format!(
                    "Payload validation error: '{}' on property {place} ({}).",
                    complaint(kind, value),
                    remedy(kind)
                ));
            }
        }
    }
    Ok(())
}

fn fits(kind: &Kind, value: &Value) -> bool {
    let one_of =
        |words: &[&str], value: &Value| value.as_str().is_some_and(|word| words.contains(&word));
    let at_most = |most: usize, value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.chars().count() <= most)
    };
    match kind {
        Kind::Bool => value.is_boolean(),
        Kind::NullableBool => value.is_boolean() || value.is_null(),
        Kind::OnlyTrue => *value == Value::Bool(true),
        Kind::Text(most) => at_most(*most, value),
        Kind::NullableText(most) => value.is_null() || at_most(*most, value),
        Kind::Integer(least, most) => value
            .as_i64()
            .is_some_and(|number| (*least..=*most).contains(&number)),
        Kind::OneOf(words) => one_of(words, value),
        Kind::NullableOneOf(words) => value.is_null() || one_of(words, value),
        Kind::Texts(most) => value
            .as_array()
            .is_some_and(|items| items.len() <= *most && items.iter().all(Value::is_string)),
        Kind::ListOf(words) => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| one_of(words, item))),
        // Objects that are objects were judged member by member.
        Kind::Object(_) | Kind::Objects(_) => false,
        Kind::AnyObject => value.is_object() || value.is_null(),
        Kind::Any => true,
        Kind::Inert(words) => is_inert(value, words),
    }
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

/// What is wrong. Never the value itself: it may be a password in the wrong place.
fn complaint(kind: &Kind, value: &Value) -> String {
    let expected = match kind {
        Kind::OnlyTrue if value.is_boolean() => return "Value is not supported".to_owned(),
        Kind::Inert(_) => return "Value is not supported".to_owned(),
        Kind::Bool | Kind::NullableBool | Kind::OnlyTrue => "boolean",
        Kind::Text(_) | Kind::NullableText(_) => match value.as_str() {
            Some(text) => return format!("String is too long ({} chars)", text.chars().count()),
            None => "string",
        },
        Kind::Integer(..) if value.is_i64() => return "Value is out of range".to_owned(),
        Kind::Integer(..) => "integer",
        Kind::OneOf(_) | Kind::NullableOneOf(_) if value.is_string() => {
            return "No enum match".to_owned();
        }
        Kind::OneOf(_) | Kind::NullableOneOf(_) => "string",
        Kind::Texts(_) | Kind::ListOf(_) | Kind::Objects(_) if value.is_array() => {
            return "Array does not hold what it should".to_owned();
        }
        Kind::Texts(_) | Kind::ListOf(_) | Kind::Objects(_) => "array",
        Kind::Object(_) | Kind::AnyObject | Kind::Any => "object",
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("Expected type {expected} but found type {found}")
}

/// What to send instead.
fn remedy(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "send true or false".to_owned(),
        Kind::NullableBool => "send true or false, or null to remove it".to_owned(),
        Kind::OnlyTrue => "send true or leave it out; this server cannot switch it off".to_owned(),
        Kind::Text(most) => format!("send text of at most {most} characters"),
        Kind::NullableText(most) => {
            format!("send text of at most {most} characters, or null to remove it")
        }
        Kind::Integer(least, most) => format!("send a whole number from {least} to {most}"),
        Kind::OneOf(words) => format!("send one of {}", words.join(", ")),
        Kind::NullableOneOf(words) => format!("send one of {}, or null", words.join(", ")),
        Kind::Texts(most) => format!("send a list of at most {most} texts"),
        Kind::ListOf(words) => format!("send a list of {}", words.join(", ")),
        Kind::Objects(_) => "send a list of objects".to_owned(),
        Kind::Object(_) | Kind::AnyObject | Kind::Any => "send an object".to_owned(),
        Kind::Inert(_) => {
            "this server does not enforce it; send its inactive value or leave it out".to_owned()
        }
    }
}

#[cfg(test)]
mod fuzzed;

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
        field("guarded", Kind::OnlyTrue),
        field(
            "parts",
            Kind::Objects(&[field("mode", Kind::OneOf(&["a"]))]),
        ),
    ];

    fn told(body: &Value) -> Result<(), String> {
        judge(TABLE, body.as_object().unwrap()).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn what_fits_is_accepted() {
        for body in [
            json!({}),
            json!({"on": true, "name": "abc", "count": 9, "inner": {"mode": "a"}}),
            json!({"guarded": true, "parts": [{"mode": "a"}], "inner": {}}),
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
            (json!({"guarded": false}), "guarded"),
            (json!({"guarded": null}), "guarded"),
            (json!({"parts": [{"mode": "c"}]}), "parts.mode"),
            (json!({"parts": [1]}), "parts"),
        ] {
            assert!(told(&body).unwrap_err().contains(place), "{body}");
        }
    }

    #[test]
    fn a_refusal_has_the_recorded_shape_and_never_the_value() {
        let told = told(&json!({"on": "hunter2"})).unwrap_err();
        let text = "Payload validation error: 'Expected type boolean but found type string' on property on (send true or false).";
        assert!(told.contains(text), "{told}");
        assert!(!told.contains("hunter2"));
    }
}
