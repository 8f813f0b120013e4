//! Users: `/api/v2/users`, `/api/v2/users-by-email`.
//!
//! A password goes the way of all new ones (`passwords`) before the unit of work opens; the unit that makes a user drops what was counted
//! against its identifiers while nobody had them.

mod document;
mod fields;
mod password;
mod search;

use axum::response::Response;
use http::StatusCode;
use model::{ClientId, Identifier, TicketKind, User, UserId, UserRecord};
use serde_json::{Map, Value};
use storage::{ConnectionRecord, UserFilter, Work};

use self::document::{identifiers, judge_identifiers, judge_username, text, wire};
pub(crate) use self::document::{new_record, username_rule};
use self::fields::FIELDS;
use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, Outcome, commit};
use super::paging::Paging;
use super::projection::Projection;
use super::schema::{refuse_fixed, require};
use super::uri::{Id, Query};
use crate::account_mails::AccountMail;
use crate::answer::management::{Problem, answer, empty};
use crate::passwords;
use crate::protection::blocks;

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_user"),
    message: "The user does not exist.",
};

/// `GET /users`: all, by page, or those of one e-mail address or user name.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let paging = Paging::read(&query)?;
    let searched = query.get("q").map(str::trim).filter(|q| !q.is_empty());
    let (page, total) = match searched {
        Some(q) => {
            let found = search::search(&call, q).await?;
            let total = found.len() as u64;
            (
                paging.cut(found, |record| record.user.user_id.as_str()),
                total,
            )
        }
        None => {
            let all = UserFilter::default();
            let listed = call.store.list_users(paging.page(), &all).await?;
            (listed.items, listed.total)
        }
    };
    let shown = page.iter().map(wire).collect::<Result<_, _>>()?;
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
    let projection = Projection::read(&query);
    let address = Identifier::of(email);
    let found = call.store.find_users_by_email(&address).await?;
    let shown = found
        .iter()
        .map(|user| wire(user).map(|user| projection.of(user)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &Value::Array(shown)))
}

/// `GET /users/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let user = find(&call, id).await?;
    let shown = Projection::read(&query).of(wire(&user)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /users`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:users"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["connection", "password"])?;
    if !sent.contains_key("username") {
        require(&sent, &["email"])?;
    }
    judge_identifiers(&sent)?;
    let connection = connection_of(&call, &sent).await?.connection;
    judge_username(&connection, &sent)?;
    let password = text(&sent, "password").unwrap_or_default();
    let person = passwords::person(&sent);
    let accepted = password::accepted(&call, &connection, password, person, None).await?;
    let own_id = text(&sent, "user_id").map_or_else(
        || keys::hex24(&*call.app.entropy),
        |id| id.trim_start_matches("auth0|").to_owned(),
    );
    let record = new_record(call.now, &connection, &sent, &own_id, &accepted)?;
    // Unless he says otherwise, whoever makes a user of an unverified address has it verified, as documented.
    let verifies = sent.get("verify_email") != Some(&Value::Bool(false))
        && (!record.user.email_verified || sent.get("verify_email") == Some(&Value::Bool(true)));
    let mail = verification(&call, &record.user, &sent, verifies);

    let made = wire(&record)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create a User", &sent, 201, &made);
    let (cx, by) = (call.cx.clone(), call.as_lifter());
    let added = commit(&call, event, async move |work: &mut Work| {
        let added = work.add_user(&record).await?;
        if added.is_done() {
            let (connection, user) = (&record.connection_id, &record.user.user_id);
            let names = &record.identifiers;
            blocks::end_all_for_identifiers(work, &cx, connection, names, user, &by).await?;
            if let Some(mail) = &mail {
                mail.put_down(work, &cx).await?;
            }
        }
        Ok(added)
    })
    .await?;
    change::added(added, "The user already exists.")?;
    Ok(answer(StatusCode::CREATED, &made))
}

/// `PATCH /users/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:users", "update:users_app_metadata"])?;
    let sent = body.judged(FIELDS)?;
    if !sent.keys().all(|name| name == "app_metadata") {
        call.require(&["update:users"])?;
    }
    refuse_fixed(&sent, &["user_id"])?;
    document::refuse_combinations(&sent)?;
    judge_identifiers(&sent)?;
    let before = find(&call, id).await?;
    let mut record = UserRecord {
        user: document::changed(&before.user, &sent)?,
        updated_at: call.now,
        ..before.clone()
    };
    record.identifiers = identifiers(&record.user);
    if sent.contains_key("username") {
        let connection = call.store.find_connection(&before.connection_id).await?;
        judge_username(&connection.ok_or(MISSING)?.connection, &sent)?;
    }
    let mut accepted = None;
    if sent.contains_key("password") {
        let connection = connection_of(&call, &sent).await?.connection;
        if connection.id != before.connection_id {
            return Err(MISSING);
        }
        let password = text(&sent, "password").unwrap_or_default();
        let person = passwords::person_of(&record.user);
        let judged = password::accepted(&call, &connection, password, person, Some(&before));
        accepted = Some(judged.await?);
        record.last_password_reset = Some(call.now);
    }
    let is_fresh = |identifier: &&Identifier| !before.identifiers.contains(identifier);
    let fresh: Vec<Identifier> = record
        .identifiers
        .iter()
        .filter(is_fresh)
        .cloned()
        .collect();
    let has_new_address = record.user.email != before.user.email;
    let verifies = sent.get("verify_email") == Some(&Value::Bool(true));
    let mail = verification(&call, &record.user, &sent, verifies);

    let after = wire(&record)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Update a User", &sent, 200, &after);
    let (cx, by) = (call.cx.clone(), call.as_lifter());
    let written = commit(&call, event, async move |work: &mut Work| {
        let written = match &accepted {
            Some(accepted) => accepted.write(work, &cx, record.clone()).await?,
            None => work.set_user(&record).await?,
        };
        if written.is_done() {
            let (connection, user) = (&record.connection_id, &record.user.user_id);
            blocks::end_all_for_identifiers(work, &cx, connection, &fresh, user, &by).await?;
            if has_new_address {
                // What was sent to the old address is not for whoever has the new one.
                for kind in TicketKind::ALL {
                    work.remove_tickets_of_user(user, kind).await?;
                }
            }
            if let Some(mail) = &mail {
                mail.put_down(work, &cx).await?;
            }
        }
        Ok(written)
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &after))
}

/// `DELETE /users/{id}`: 204 also for a user who is not there.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:users"])?;
    let id = UserId::new(id);
    let nothing = Value::Null;
    let event = audit::changed(&call, "Delete a User", &nothing, 204, &nothing);
    commit(&call, event, async move |work: &mut Work| {
        for kind in TicketKind::ALL {
            work.remove_tickets_of_user(&id, kind).await?;
        }
        work.remove_user(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn find(call: &ManagementCall, id: String) -> Result<UserRecord, Problem> {
    let found = call.store.find_user(&UserId::new(id)).await?;
    found.ok_or(MISSING)
}

/// The mail that asks a user to verify his address, where he has one and is to get it.
fn verification(
    call: &ManagementCall,
    user: &User,
    sent: &Map<String, Value>,
    is_wanted: bool,
) -> Option<AccountMail> {
    let address = Identifier::of(user.email.as_deref().filter(|_| is_wanted)?);
    let client = text(sent, "client_id").map(ClientId::new);
    let (cx, user) = (&call.cx, &user.user_id);
    Some(AccountMail::verification(
        cx,
        user,
        &address,
        client.as_ref(),
    ))
}

/// The connection that a body names.
async fn connection_of(
    call: &ManagementCall,
    sent: &Map<String, Value>,
) -> Result<ConnectionRecord, Problem> {
    require(sent, &["connection"])?;
    let name = text(sent, "connection").unwrap_or_default();
    let found = call.store.find_connection_by_name(name).await?;
    found.ok_or_else(|| Problem::InvalidBody(format!("The connection does not exist: {name}")))
}
