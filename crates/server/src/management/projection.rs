//! `fields` and `include_fields`: which members of an object are answered.

use serde_json::Value;

use super::uri::Query;

/// The members asked for.
#[derive(Debug, Clone)]
pub(super) enum Projection {
    Whole,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Projection {
    /// Reads the query; an empty `fields` means the whole object.
    pub(super) fn read(query: &Query) -> Self {
        let Some(fields) = query.get("fields").filter(|fields| !fields.is_empty()) else {
            return Self::Whole;
        };
        let names = fields
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        if query.get("include_fields") == Some("false") {
            Self::Without(names)
        } else {
            Self::Only(names)
        }
    }

    /// Keeps or drops members.
    pub(super) fn of(&self, mut item: Value) -> Value {
        if let Value::Object(members) = &mut item {
            match self {
                Self::Whole => {}
                Self::Only(names) => members.retain(|name, _| names.contains(name)),
                Self::Without(names) => members.retain(|name, _| !names.contains(name)),
            }
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_kept_or_dropped() {
        let of = |pairs: &[(&str, &str)]| {
            Projection::read(&Query::from(pairs)).of(json!({"a": 1, "b": 2, "c": 3}))
        };
        assert_eq!(of(&[]), json!({"a": 1, "b": 2, "c": 3}));
        assert_eq!(of(&[("fields", "")]), json!({"a": 1, "b": 2, "c": 3}));
        assert_eq!(of(&[("fields", "a, b")]), json!({"a": 1, "b": 2}));
        assert_eq!(
            of(&[("fields", "a,b"), ("include_fields", "false")]),
            json!({"c": 3})
        );
    }
}
