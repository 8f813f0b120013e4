//! The tenant's own way to send mail: `/api/v2/emails/provider`.
//!
//! Wire: auth0-wire-facts §7.1. The one kind that is built is `smtp`; any other is refused by name. The password is kept
//! sealed and never shown. It stays with the server it was given for: another host or port asks for it again, else
//! whoever may change the provider could have it sent to a server of his own.

mod fields;

use axum::response::Response;
use http::StatusCode;
use model::EmailProvider;
use serde_json::{Map, Value, json};
use storage::{EmailProviderRecord, Work};

use self::fields::{Sent, read};
use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::projection::Projection;
use super::schema::require;
use super::uri::Query;
use crate::answer::management::{Problem, answer, empty};
use crate::courier::{sealed_password, smtp_of};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_email_provider"),
    message: "There is not a configured email provider",
};

/// `GET /emails/provider`.
pub(in super::super) async fn show(
    call: ManagementCall,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:email_provider"])?;
    let record = call.store.find_email_provider().await?.ok_or(MISSING)?;
    let shown = Projection::read(&query).of(shown(&record.provider));
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /emails/provider`.
pub(in super::super) async fn create(
    call: ManagementCall,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["create:email_provider"])?;
    let sent = read(body)?;
    require(&sent.members, &["name", "credentials"])?;
    let provider = sent.onto(None)?;
    let record = record(&call, provider, sent.password.as_deref(), None)?;

    let made = shown(&record.provider);
    let sent = Value::Object(sent.members);
    let event = audit::changed(&call, "Create an email provider", &sent, 201, &made);
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_email_provider(&record).await
    })
    .await?;
    change::added(added, "An email provider is configured already.")?;
    Ok(answer(StatusCode::CREATED, &made))
}

/// `PATCH /emails/provider`.
pub(in super::super) async fn change(
    call: ManagementCall,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:email_provider"])?;
    let sent = read(body)?;
    let before = call.store.find_email_provider().await?.ok_or(MISSING)?;
    let provider = sent.onto(Some(&before.provider))?;
    ask_for_the_password_again(&before, &provider, &sent)?;
    let record = record(&call, provider, sent.password.as_deref(), Some(before))?;

    let after = shown(&record.provider);
    let sent = Value::Object(sent.members);
    let event = audit::changed(&call, "Update the email provider", &sent, 200, &after);
    let written = commit(&call, event, async move |work: &mut Work| {
        work.set_email_provider(&record).await
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &after))
}

/// `DELETE /emails/provider`.
pub(in super::super) async fn remove(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["delete:email_provider"])?;
    let nothing = Value::Null;
    let event = audit::changed(&call, "Delete the email provider", &nothing, 204, &nothing);
    commit(&call, event, async |work: &mut Work| {
        work.remove_email_provider().await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The record with its password sealed, tried for whether mail could go that way at all.
fn record(
    call: &ManagementCall,
    provider: EmailProvider,
    password: Option<&str>,
    before: Option<EmailProviderRecord>,
) -> Result<EmailProviderRecord, Problem> {
    let kept = before
        .as_ref()
        .and_then(|record| record.password_sealed.clone());
    let password_sealed = match (&provider.smtp_user, password) {
        (None, _) => None,
        (Some(_), Some(password)) => Some(sealed_password(&call.app, call.tenant(), password)),
        (Some(_), None) => kept,
    };
    let has_password = password_sealed.is_some();
    if provider.smtp_user.is_some() && !has_password {
        return Err(refused(
            "smtp_pass",
            "is missing; send the password of smtp_user",
        ));
    }
    // The certificates of the operator are not the caller's to mend; a placeholder stands for a password that is kept.
    let tried = password.or(has_password.then_some("kept"));
    smtp_of(&call.app, call.tenant(), &provider, tried).map_err(|error| {
        let (place, complaint) = fields::told(&error);
        refused(place, &complaint)
    })?;
    Ok(EmailProviderRecord {
        provider,
        password_sealed,
        version: before.map_or(1, |record| record.version),
    })
}

fn ask_for_the_password_again(
    before: &EmailProviderRecord,
    after: &EmailProvider,
    sent: &Sent,
) -> Result<(), Problem> {
    let moved = (&before.provider.smtp_host, before.provider.smtp_port)
        != (&after.smtp_host, after.smtp_port);
    let keeps = after.smtp_user.is_some() && sent.password.is_none();
    if moved && keeps && before.password_sealed.is_some() {
        return Err(refused(
            "smtp_pass",
            "is missing; the kept password is for the server it was given for, so send it again with another smtp_host or smtp_port",
        ));
    }
    Ok(())
}

fn refused(place: &str, complaint: &str) -> Problem {
    Problem::InvalidBody(format!(
        "Payload validation error: 'The value {complaint}' on property credentials.{place}."
    ))
}

/// Everything but the password.
fn shown(provider: &EmailProvider) -> Value {
    let mut credentials = json!({
        "smtp_host": provider.smtp_host,
        "smtp_port": provider.smtp_port,
    });
    if let Some(user) = &provider.smtp_user {
        credentials["smtp_user"] = Value::from(user.as_str());
    }
    let mut members = Map::from_iter([
        ("name".to_owned(), json!(fields::SMTP)),
        ("enabled".to_owned(), json!(provider.enabled)),
        ("credentials".to_owned(), credentials),
    ]);
    if let Some(from) = &provider.default_from_address {
        members.insert("default_from_address".to_owned(), json!(from));
    }
    if let Some(settings) = &provider.settings {
        members.insert("settings".to_owned(), json!(settings));
    }
    Value::Object(members)
}
