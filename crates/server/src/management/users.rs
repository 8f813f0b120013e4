//! Users: `/api/v2/users`, `/api/v2/users-by-email`.
//!
//! A password is judged by the connection's policy and hashed before the unit of work opens; the unit that makes a user
//! drops what was counted against its identifiers while nobody had them.

use axum::extract::Path;
use axum::response::Response;
use credentials::{ClientStanding, Password, PasswordHash, Share};
use http::StatusCode;
use keys::SecretDigest;
use model::{
    ConnectionId, Identifier, Identity, MAX_IDENTIFIER_CHARS, User, UserId, UserRecord, wire_time,
};
use serde_json::{Map, Value, json};
use storage::{ConnectionRecord, UserFilter, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, Outcome, commit};
use super::paging::{Paging, Query};
use super::password_policy;
use super::schema::{Field, Kind, field, judge, require};
use crate::answer::management::{Problem, answer, empty};
use crate::protection::blocks;

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_user"),
    message: "The user does not exist.",
};

const FIELDS: &[Field] = &[
    field("connection", Kind::Text(128)),
    field("email", Kind::NullableText(MAX_IDENTIFIER_CHARS)),
    field("email_verified", Kind::Bool),
    field("username", Kind::NullableText(128)),
    field("password", Kind::Text(1_024)),
    field("user_id", Kind::Text(255)),
    field("blocked", Kind::Bool),
    field("name", Kind::NullableText(300)),
    field("given_name", Kind::NullableText(150)),
    field("family_name", Kind::NullableText(150)),
    field("nickname", Kind::NullableText(300)),
    field("picture", Kind::NullableText(2_048)),
    field("user_metadata", Kind::AnyObject),
    field("app_metadata", Kind::AnyObject),
    field("verify_email", Kind::Inert(&[])),
    field("verify_password", Kind::Inert(&[])),
    field("phone_number", Kind::Inert(&[])),
    field("phone_verified", Kind::Inert(&[])),
    field("client_id", Kind::Text(64)),
];

/// `GET /users`: all, by page, or those of one e-mail address or user name.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let paging = Paging::read(&query)?;
    let found = match query.get("q").map(|q| q.trim()).filter(|q| !q.is_empty()) {
        Some(q) => search(&call, q).await?,
        None => {
            let listed = call
                .store
                .list_users(paging.page(), &UserFilter::default())
                .await?;
            let shown = listed.items.iter().map(wire).collect::<Result<_, _>>()?;
            return Ok(paging.answer("users", shown, listed.total));
        }
    };
    let total = found.len() as u64;
    let shown = paging
        .cut(found)
        .iter()
        .map(wire)
        .collect::<Result<_, _>>()?;
    Ok(paging.answer("users", shown, total))
}

/// `GET /users-by-email`: always a bare list.
pub(super) async fn list_by_email(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let email = query.get("email").ok_or_else(|| {
        Problem::InvalidQuery(
            "Query validation error: 'Missing required property: email'.".to_owned(),
        )
    })?;
    let paging = Paging::read(&query)?;
    let found = call
        .store
        .find_users_by_email(&Identifier::of(email))
        .await?;
    let shown = found
        .iter()
        .map(|user| wire(user).map(|user| paging.project(user)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &Value::Array(shown)))
}

/// `GET /users/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let user = call
        .store
        .find_user(&UserId::new(id))
        .await?
        .ok_or(MISSING)?;
    Ok(answer(
        StatusCode::OK,
        &Paging::read(&query)?.project(wire(&user)?),
    ))
}

/// `POST /users`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:users"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    require(&sent, &["connection"])?;
    let connection = connection_of(&call, &sent).await?;
    let (email, username) = (text(&sent, "email"), text(&sent, "username"));
    if email.is_none() && username.is_none() {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Missing required property: email'.".to_owned(),
        ));
    }
    if let Some(email) = email
        && !Identifier::of(email).looks_like_email()
    {
        return Err(Problem::InvalidBody("Payload validation error: 'Object didn't pass validation for format email' on property email.".to_owned()));
    }
    let hash = match text(&sent, "password") {
        Some(password) => Some(hashed(&call, &connection, password).await?),
        None => {
            return Err(Problem::InvalidBody(
                "Payload validation error: 'Missing required property: password'.".to_owned(),
            ));
        }
    };
    let own_id = text(&sent, "user_id").map_or_else(
        || keys::hex24(&*call.app.entropy),
        |id| id.trim_start_matches("auth0|").to_owned(),
    );
    let record = new_record(&call, &connection, &sent, &own_id, hash)?;

    let event = audit::changed(&call, "Create a User", &Value::Object(sent), 201);
    let (row, cx) = (record.clone(), call.cx.clone());
    let added = commit(&call, event, async move |work: &mut Work| {
        let added = work.add_user(&row).await?;
        if added.is_done() {
            blocks::forget_unknown(work, &cx, &row.connection_id, &row.identifiers).await?;
        }
        Ok(added)
    })
    .await?;
    change::added(added, "The user already exists.")?;
    Ok(answer(StatusCode::CREATED, &wire(&record)?))
}

/// `PATCH /users/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:users", "update:users_app_metadata"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    let before = call
        .store
        .find_user(&UserId::new(id))
        .await?
        .ok_or(MISSING)?;
    refuse_combinations(&sent)?;
    let mut record = UserRecord {
        updated_at: call.now,
        ..before.clone()
    };
    if let Some(password) = text(&sent, "password") {
        let connection = connection_of(&call, &sent).await?;
        if connection.connection.id != before.connection_id {
            return Err(MISSING);
        }
        set_password(
            &mut record,
            Some(hashed(&call, &connection, password).await?),
        );
        record.last_password_reset = Some(call.now);
    }
    let mut document = to_map(&before.user)?;
    lay_over(&mut document, &sent);
    record.user = serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))?;
    record.identifiers = identifiers(&record.user);
    if record.identifiers.is_empty() {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'A user keeps an email or a username'.".to_owned(),
        ));
    }
    let fresh: Vec<Identifier> = record
        .identifiers
        .iter()
        .filter(|identifier| !before.identifiers.contains(identifier))
        .cloned()
        .collect();

    let event = audit::changed(&call, "Update a User", &Value::Object(sent), 200);
    let (row, cx) = (record.clone(), call.cx.clone());
    let written = commit(&call, event, async move |work: &mut Work| {
        let written = work.set_user(&row).await?;
        if written.is_done() {
            blocks::forget_unknown(work, &cx, &row.connection_id, &fresh).await?;
        }
        Ok(written)
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &wire(&record)?))
}

/// `DELETE /users/{id}`: 204 also for a user who is not there.
pub(super) async fn remove(
    call: ManagementCall,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    call.require(&["delete:users"])?;
    let id = UserId::new(id);
    let event = audit::changed(&call, "Delete a User", &Value::Null, 204);
    commit(&call, event, async move |work: &mut Work| {
        work.remove_user(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn search(call: &ManagementCall, q: &str) -> Result<Vec<UserRecord>, Problem> {
    let unsupported = || {
        Problem::InvalidQuery(
            "Query validation error: 'q' understands email:\"x\" and username:\"x\" for now; other searches are not supported.".to_owned(),
        )
    };
    let (name, value) = q.split_once(':').ok_or_else(unsupported)?;
    let value = value.trim().trim_matches('"');
    if value.contains(['*', '"']) || value.contains(' ') {
        return Err(unsupported());
    }
    let identifier = Identifier::of(value);
    match name.trim() {
        "email" => Ok(call.store.find_users_by_email(&identifier).await?),
        "username" => {
            let mut found = Vec::new();
            for connection in call.store.list_database_connections().await? {
                let user = call
                    .store
                    .find_user_by_identifier(&connection.connection.id, &identifier)
                    .await?;
                found.extend(user.filter(|user| user.user.username.is_some()));
            }
            Ok(found)
        }
        _ => Err(unsupported()),
    }
}

async fn connection_of(
    call: &ManagementCall,
    sent: &Map<String, Value>,
) -> Result<ConnectionRecord, Problem> {
    let name = text(sent, "connection").ok_or_else(|| {
        Problem::InvalidBody("Payload validation error: 'Missing required property: connection' (the name of the user's connection).".to_owned())
    })?;
    call.store
        .find_connection_by_name(name)
        .await?
        .ok_or_else(|| Problem::InvalidBody(format!("The connection does not exist: {name}")))
}

async fn hashed(
    call: &ManagementCall,
    connection: &ConnectionRecord,
    password: &str,
) -> Result<PasswordHash, Problem> {
    let options = &connection.connection.options;
    let minimum = options
        .rest
        .get("password_complexity_options")
        .and_then(|options| options["min_length"].as_u64());
    if !password_policy::satisfies(options.password_policy.as_deref(), minimum, password) {
        return Err(Problem::InvalidBody(
            "PasswordStrengthError: Password is too weak".to_owned(),
        ));
    }
    let password = Password::new(password).map_err(|error| {
        Problem::InvalidBody(format!(
            "Payload validation error: '{error}' on property password."
        ))
    })?;
    // Administrators hash in one share of their own, so that a migration does not crowd out logins.
    let share = Share {
        source: 0,
        client: 0,
        standing: ClientStanding::Authenticated,
    };
    let slot = call.app.pool.admit(&share).map_err(|busy| Problem::Busy {
        retry_after: busy.retry_after.as_secs(),
    })?;
    slot.hash(password, call.app.settings.password_scheme)
        .await
        .map_err(|_| Problem::Busy { retry_after: 1 })
}

fn new_record(
    call: &ManagementCall,
    connection: &ConnectionRecord,
    sent: &Map<String, Value>,
    own_id: &str,
    hash: Option<PasswordHash>,
) -> Result<UserRecord, Problem> {
    let email = text(sent, "email").map(|email| Identifier::of(email).as_str().to_owned());
    let username = text(sent, "username").map(|name| Identifier::of(name).as_str().to_owned());
    let shown = email
        .clone()
        .or_else(|| username.clone())
        .unwrap_or_default();
    let local = shown.split('@').next().unwrap_or(&shown).to_owned();
    let identity = Identity {
        connection: connection.connection.name.clone(),
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
    for (name, value) in [("email", email), ("username", username)] {
        if let Some(value) = value {
            document.insert(name.to_owned(), Value::from(value));
        }
    }
    let user: User = serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))?;
    let mut record = UserRecord {
        identifiers: identifiers(&user),
        user,
        connection_id: ConnectionId::new(connection.connection.id.as_str()),
        password_hash: None,
        password_scheme: None,
        created_at: call.now,
        updated_at: call.now,
        last_login: None,
        last_ip: None,
        logins_count: 0,
        last_password_reset: None,
        version: 1,
    };
    set_password(&mut record, hash);
    Ok(record)
}

fn set_password(record: &mut UserRecord, hash: Option<PasswordHash>) {
    record.password_scheme = hash.as_ref().map(|hash| hash.scheme().to_string());
    record.password_hash = hash.map(|hash| hash.as_str().to_owned());
}

fn identifiers(user: &User) -> Vec<Identifier> {
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
fn refuse_combinations(sent: &Map<String, Value>) -> Result<(), Problem> {
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

fn text<'a>(sent: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    sent.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn to_map(user: &User) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(user) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Internal("a user is not an object".to_owned())),
    }
}

/// The wire's form: the document with what storage keeps beside it, never the hash.
fn wire(record: &UserRecord) -> Result<Value, Problem> {
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
