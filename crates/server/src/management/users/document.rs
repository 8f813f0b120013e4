//! The document of a user: defaults, changes laid over it, the rules that span fields, and the wire's form.

use jiff::Timestamp;
use keys::SecretDigest;
use model::{Connection, ConnectionOptions, Identifier, Identity, User, UserRecord, wire_time};
use protocol::UsernameRule;
use serde_json::{Map, Value, json};

use crate::answer::management::Problem;
use crate::passwords::Accepted;

/// A new user: the defaults under what was sent.
pub(crate) fn new_record(
    now: Timestamp,
    connection: &Connection,
    sent: &Map<String, Value>,
    own_id: &str,
    accepted: &Accepted,
) -> Result<UserRecord, Problem> {
    let typed = text(sent, "email").or_else(|| text(sent, "username"));
    let shown = Identifier::of(typed.unwrap_or_default())
        .as_str()
        .to_owned();
    let local = shown.split('@').next().unwrap_or(&shown).to_owned();
    let identity = Identity {
        connection: connection.name.clone(),
        user_id: own_id.to_owned(),
        provider: "auth0".to_owned(),
        is_social: false,
    };
    let mut document = Map::from_iter([
        ("user_id".to_owned(), json!(format!("auth0|{own_id}"))),
        ("email_verified".to_owned(), Value::Bool(false)),
        ("name".to_owned(), json!(shown)),
        ("nickname".to_owned(), json!(local)),
        ("picture".to_owned(), json!(avatar(&shown))),
        ("identities".to_owned(), json!([identity])),
    ]);
    lay_over(&mut document, sent);
    let user = read(document)?;
    let mut record = UserRecord {
        identifiers: identifiers(&user),
        user,
        connection_id: connection.id.clone(),
        password_hash: None,
        password_scheme: None,
        created_at: now,
        updated_at: now,
        last_login: None,
        last_ip: None,
        logins_count: 0,
        last_password_reset: None,
        version: 1,
    };
    accepted.put(&mut record);
    Ok(record)
}

/// The document after a change.
pub(super) fn changed(user: &User, sent: &Map<String, Value>) -> Result<User, Problem> {
    let mut document = to_map(user)?;
    lay_over(&mut document, sent);
    read(document)
}

/// Refuses identifiers that nobody could type, or that could be somebody else's.
pub(super) fn judge_identifiers(sent: &Map<String, Value>) -> Result<(), Problem> {
    let email = sent.get("email").and_then(Value::as_str);
    if email.is_some_and(|email| !Identifier::of(email).looks_like_email()) {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Object didn't pass validation for format email' on property email (send one address).".to_owned(),
        ));
    }
    Ok(())
}

/// Refuses a user name that the directory does not take.
pub(super) fn judge_username(
    connection: &Connection,
    sent: &Map<String, Value>,
) -> Result<(), Problem> {
    let Some(username) = sent.get("username").and_then(Value::as_str) else {
        return Ok(());
    };
    let judged = username_rule(&connection.options).judge(&Identifier::of(username));
    judged.map_err(|unfit| {
        Problem::InvalidBody(format!(
            "Payload validation error: 'String does not match pattern' on property username (a user name {unfit})."
        ))
    })
}

/// How long a directory's user names are.
pub(crate) fn username_rule(options: &ConnectionOptions) -> UsernameRule {
    let default = UsernameRule::default();
    let bounds = options.rest.get("validation").map(|all| &all["username"]);
    let bound = |name: &str| bounds.and_then(|bounds| bounds[name].as_u64());
    UsernameRule {
        min: bound("min").unwrap_or(default.min),
        max: bound("max").unwrap_or(default.max),
    }
}

/// What the user logs in by.
pub(super) fn identifiers(user: &User) -> Vec<Identifier> {
    let mut found: Vec<Identifier> = [&user.email, &user.username]
        .into_iter()
        .flatten()
        .map(|text| Identifier::of(text))
        .collect();
    found.dedup();
    found
}

/// Lays what was sent over a document; metadata is merged at its first level, null removes.
fn lay_over(document: &mut Map<String, Value>, sent: &Map<String, Value>) {
    const NOT_KEPT: &[&str] = &[
        "connection",
        "password",
        "user_id",
        "verify_email",
        "verify_password",
        "client_id",
    ];
    for (name, value) in sent
        .iter()
        .filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()))
    {
        match (name.as_str(), value, document.get_mut(name)) {
            (_, Value::Null, _) => {
                document.remove(name);
            }
            ("user_metadata" | "app_metadata", Value::Object(new), Some(Value::Object(old))) => {
                for (member, value) in new {
                    if value.is_null() {
                        old.remove(member);
                    } else {
                        old.insert(member.clone(), value.clone());
                    }
                }
            }
            ("email" | "username", Value::String(text), _) => {
                document.insert(name.clone(), Value::from(Identifier::of(text).as_str()));
            }
            _ => {
                document.insert(name.clone(), value.clone());
            }
        }
    }
}

/// One kind of change at a time, as documented.
pub(super) fn refuse_combinations(sent: &Map<String, Value>) -> Result<(), Problem> {
    for (one, other) in [
        ("password", "email"),
        ("password", "email_verified"),
        ("username", "email"),
        ("username", "password"),
        ("username", "email_verified"),
    ] {
        if sent.contains_key(one) && sent.contains_key(other) {
            return Err(Problem::InvalidBody(format!(
                "Cannot update {one} and {other} simultaneously"
            )));
        }
    }
    Ok(())
}

fn avatar(name: &str) -> String {
    let hash: String = SecretDigest::of(name)
        .to_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let initials: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(2)
        .collect();
    format!("https://www.gravatar.com/avatar/{hash}?s=480&r=pg&d=initials&initials={initials}")
}

/// A text that was sent and is not empty.
pub(super) fn text<'a>(sent: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    sent.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn read(document: Map<String, Value>) -> Result<User, Problem> {
    serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))
}

fn to_map(user: &User) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(user) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Internal("a user is not an object".to_owned())),
    }
}

/// The wire's form: the document with what storage keeps beside it, never the hash.
pub(super) fn wire(record: &UserRecord) -> Result<Value, Problem> {
    let mut members = to_map(&record.user)?;
    members.insert("created_at".to_owned(), json!(wire_time(record.created_at)));
    members.insert("updated_at".to_owned(), json!(wire_time(record.updated_at)));
    for (name, at) in [
        ("last_login", record.last_login),
        ("last_password_reset", record.last_password_reset),
    ] {
        if let Some(at) = at {
            members.insert(name.to_owned(), json!(wire_time(at)));
        }
    }
    if let Some(ip) = &record.last_ip {
        members.insert("last_ip".to_owned(), json!(ip));
    }
    if record.logins_count > 0 {
        members.insert("logins_count".to_owned(), json!(record.logins_count));
    }
    Ok(Value::Object(members))
}
