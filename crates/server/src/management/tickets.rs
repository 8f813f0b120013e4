//! One-time links for mails that an application writes itself: `/api/v2/tickets/*` (auth0-wire-facts §7.5).
//!
//! The link opens a page of ours and does nothing by itself. Whoever may make one acts for any user: the link stands for
//! a password, so its answer is never logged.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use keys::SecretDigest;
use mail::DEFAULT_LINK_LIFETIME;
use model::{ClientId, ConnectionId, Identifier, TicketKind, UserId, UserRecord};
use serde_json::{Map, Value, json};
use storage::{TicketRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::commit;
use super::schema::{Field, Kind, field, require};
use super::uri::Id;
use crate::answer::management::{Problem, answer};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_user"),
    message: "The user does not exist.",
};

/// A year at most.
const LIFETIME: Kind = Kind::Integer(1, 31_536_000);

const PASSWORD_CHANGE: &[Field] = &[
    field("user_id", Kind::Text(255)),
    field("email", Kind::Text(254)),
    field("connection_id", Kind::Text(50)),
    field("result_url", Kind::Text(2_048)),
    field("client_id", Kind::Text(64)),
    field("ttl_sec", LIFETIME),
    field("mark_email_as_verified", Kind::Bool),
    field("includeEmailInRedirect", Kind::Bool),
    field("organization_id", Kind::Inert(&[])),
    field("identity", Kind::Inert(&[])),
];

const EMAIL_VERIFICATION: &[Field] = &[
    field("user_id", Kind::Text(255)),
    field("result_url", Kind::Text(2_048)),
    field("client_id", Kind::Text(64)),
    field("ttl_sec", LIFETIME),
    field("includeEmailInRedirect", Kind::Bool),
    field("organization_id", Kind::Inert(&[])),
    field("identity", Kind::Inert(&[])),
];

/// `POST /tickets/{kind}`: `password-change` or `email-verification`.
pub(super) async fn create(
    call: ManagementCall,
    Id(kind): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["create:user_tickets"])?;
    let (kind, fields, what) = match kind.as_str() {
        "password-change" => (
            TicketKind::PasswordReset,
            PASSWORD_CHANGE,
            "Create a password change ticket",
        ),
        "email-verification" => (
            TicketKind::EmailVerification,
            EMAIL_VERIFICATION,
            "Create an email verification ticket",
        ),
        _ => return Err(super::nothing_here().await),
    };
    let sent = body.judged(fields)?;
    let user = user_of(&call, kind, &sent).await?;
    check_client(&call, &sent).await?;
    let document = document(kind, &user, &sent)?;
    let lifetime = sent.get("ttl_sec").and_then(Value::as_u64);
    let lifetime = lifetime.map_or(DEFAULT_LINK_LIFETIME, Duration::from_secs);
    let token = keys::opaque_token(&*call.app.entropy);
    let ticket = TicketRecord {
        digest: SecretDigest::of(&token).to_bytes(),
        kind,
        user_id: Some(user.user.user_id.clone()),
        document,
        created_at: call.now,
        expires_at: call.now + lifetime,
    };
    let link = format!(
        "https://{}{}?ticket={token}#",
        call.tenant().domain,
        kind.path()
    );

    let event = audit::changed(&call, what, &Value::Object(sent), 201, &Value::Null);
    commit(&call, event, async move |work: &mut Work| {
        work.add_ticket(&ticket).await.map(|()| true)
    })
    .await?;
    Ok(answer(StatusCode::CREATED, &json!({ "ticket": link })))
}

/// The user, by id, or for a new password by address and connection.
async fn user_of(
    call: &ManagementCall,
    kind: TicketKind,
    sent: &Map<String, Value>,
) -> Result<UserRecord, Problem> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let by_address = sent.contains_key("email") || sent.contains_key("connection_id");
    let found = if kind == TicketKind::PasswordReset && by_address {
        if sent.contains_key("user_id") {
            return Err(Problem::InvalidBody(
                "Payload validation error: 'Send either user_id, or email with connection_id'."
                    .to_owned(),
            ));
        }
        require(sent, &["email", "connection_id"])?;
        let connection = ConnectionId::new(text("connection_id").unwrap_or_default());
        let address = Identifier::of(text("email").unwrap_or_default());
        let found = call.store.find_user_by_identifier(&connection, &address);
        // The identifier of somebody who signs in by a user name is no address.
        let has = |user: &UserRecord| {
            user.user.email.as_deref().map(Identifier::of).as_ref() == Some(&address)
        };
        found.await?.filter(has)
    } else {
        require(sent, &["user_id"])?;
        let id = UserId::new(text("user_id").unwrap_or_default());
        call.store.find_user(&id).await?
    };
    found.ok_or(MISSING)
}

/// What taking the ticket needs to know.
fn document(
    kind: TicketKind,
    user: &UserRecord,
    sent: &Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let mut document = Map::new();
    if kind == TicketKind::EmailVerification {
        let address = user.user.email.as_deref().ok_or_else(|| {
            Problem::InvalidBody("The user has no email address to verify.".to_owned())
        })?;
        document.insert("email".to_owned(), json!(Identifier::of(address)));
    }
    if let Some(url) = sent.get("result_url").and_then(Value::as_str) {
        judge_url(url)?;
        document.insert("result_url".to_owned(), json!(url));
    }
    for (name, kept) in [
        ("includeEmailInRedirect", "include_email"),
        ("mark_email_as_verified", "mark_email_as_verified"),
        ("client_id", "client_id"),
    ] {
        if let Some(value) = sent.get(name) {
            document.insert(kept.to_owned(), value.clone());
        }
    }
    Ok(document)
}

/// Refuses an address that people must not be sent to.
fn judge_url(url: &str) -> Result<(), Problem> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let is_good = rest.is_some_and(|rest| !rest.is_empty())
        && url.chars().all(|character| character.is_ascii_graphic());
    if is_good {
        return Ok(());
    }
    Err(Problem::InvalidBody(
        "Payload validation error: 'Object didn't pass validation for format uri' on property result_url (send an address that begins with https:// or http://).".to_owned(),
    ))
}

/// Refuses an application that is not there.
pub(super) async fn check_client(
    call: &ManagementCall,
    sent: &Map<String, Value>,
) -> Result<(), Problem> {
    let Some(id) = sent.get("client_id").and_then(Value::as_str) else {
        return Ok(());
    };
    match call.store.find_client(&ClientId::new(id)).await? {
        Some(_) => Ok(()),
        None => Err(Problem::NotFound {
            code: Some("inexistent_client"),
            message: "The client does not exist.",
        }),
    }
}
