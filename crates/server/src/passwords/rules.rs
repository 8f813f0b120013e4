//! The rules of a directory, read from its options, and what of a person must not stand in his password.
//!
//! Options were judged when they came in; one that cannot be read asks for the default, which protects.

use credentials::{Level, PasswordPolicy, PersonalData, RuleOutcome};
use model::{ConnectionOptions, Identifier, User};
use serde_json::{Map, Value};

/// How far back a directory remembers, where it says nothing else.
const HISTORY: u64 = 5;
const LONGEST_HISTORY: u64 = 24;

/// What a directory asks of new passwords.
pub(crate) struct Rules {
    pub(crate) policy: PasswordPolicy,
    /// Passwords that may not come again, the present one among them; 0 where there is no history.
    pub(crate) history: u32,
}

impl Rules {
    pub(crate) fn of(options: &ConnectionOptions) -> Self {
        let object = |name: &str| options.rest.get(name).and_then(Value::as_object);
        let is_on = |members: &&Map<String, Value>| members.get("enable") == Some(&true.into());
        let words = object("password_dictionary").filter(is_on).map(|members| {
            let own = members.get("dictionary").and_then(Value::as_array);
            let own = own.into_iter().flatten().filter_map(Value::as_str);
            own.map(str::to_owned).collect()
        });
        let history = object("password_history").filter(is_on).map(|members| {
            let size = members.get("size").and_then(Value::as_u64);
            size.unwrap_or(HISTORY).clamp(1, LONGEST_HISTORY)
        });
        let minimum = object("password_complexity_options")
            .and_then(|members| members.get("min_length")?.as_u64());
        let level = options.password_policy.as_deref().and_then(Level::named);
        Self {
            policy: PasswordPolicy {
                level: level.unwrap_or_default(),
                min_length: minimum,
                dictionary: words,
                refuses_personal_data: object("password_no_personal_info").filter(is_on).is_some(),
            },
            history: history.map_or(0, |size| u32::try_from(size).unwrap_or(24)),
        }
    }
}

/// The names of a person in a document of a user, or in what he sent to become one.
pub(crate) fn person(document: &Map<String, Value>) -> PersonalData {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let metadata = document.get("user_metadata").and_then(Value::as_object);
    let in_metadata = |name: &str| metadata.and_then(|members| members.get(name)?.as_str());
    let address = text("email").map(Identifier::of);
    let local = address
        .as_ref()
        .and_then(|address| Some(address.as_str().split_once('@')?.0));
    let names = ["name", "given_name", "family_name", "nickname", "username"];
    let names = names.into_iter().filter_map(text);
    let more = [
        "name",
        "first",
        "last",
        "given_name",
        "family_name",
        "nickname",
    ];
    let more = more.into_iter().filter_map(in_metadata);
    PersonalData::of(names.chain(more).chain(local))
}

/// The same of a user.
pub(crate) fn person_of(user: &User) -> PersonalData {
    match serde_json::to_value(user) {
        Ok(Value::Object(members)) => person(&members),
        _ => PersonalData::default(),
    }
}

/// The rules in words, one a line, as the wire and the form of a new password show them.
pub(crate) fn policy_text(rules: &[RuleOutcome]) -> String {
    let mut lines = Vec::new();
    for rule in rules {
        lines.push(format!("* {}", rule.text()));
        lines.extend(rule.items.iter().map(|item| format!(" * {}", item.text())));
    }
    lines.join("\n")
}
