//! Jobs: `/api/v2/jobs/verification-email`, and what became of one.
//!
//! The mail is put down in the unit that makes the job, so the job is done by then: it is `completed`, or `failed` where
//! the mailbox had its share of such mails. Jobs are kept for a day. Imports and exports are not built.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use model::{ClientId, EventType, Identifier, UserId, wire_time};
use serde_json::{Map, Value, json};
use storage::{JobRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::commit;
use super::schema::{Field, Kind, field, require};
use super::tickets::check_client;
use super::uri::Id;
use crate::account_mails::AccountMail;
use crate::answer::management::{Problem, answer};
use crate::event_log::{bounded, database_strategy, draft};

const KEPT: Duration = Duration::from_secs(24 * 3_600);

const VERIFICATION: &[Field] = &[
    field("user_id", Kind::Text(255)),
    field("client_id", Kind::Text(64)),
    field("organization_id", Kind::Inert(&[])),
    field("identity", Kind::Inert(&[])),
];

/// `POST /jobs/verification-email`.
pub(super) async fn send_verification(
    call: ManagementCall,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:users"])?;
    let sent = body.judged(VERIFICATION)?;
    require(&sent, &["user_id"])?;
    check_client(&call, &sent).await?;
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let id = UserId::new(text("user_id").unwrap_or_default());
    let user = call.store.find_user(&id).await?.ok_or(Problem::NotFound {
        code: Some("inexistent_user"),
        message: "The user does not exist.",
    })?;
    let address = user
        .user
        .email
        .as_deref()
        .map(Identifier::of)
        .ok_or_else(|| {
            Problem::InvalidBody("The user has no email address to verify.".to_owned())
        })?;
    let client = text("client_id").map(ClientId::new);
    let mail = AccountMail::verification(&call.cx, &id, &address, client.as_ref());
    let job_id = keys::prefixed_id("job_", 16, &*call.app.entropy);
    let shown = json!({
        "type": "verification_email",
        "status": "pending",
        "created_at": wire_time(call.now),
        "id": job_id,
    });
    let requested = [
        EventType::VerificationRequested,
        EventType::VerificationRequestFailed,
    ];
    let [succeeded, failed] = requested.map(|event_type| {
        let mut event = draft(&call.cx, event_type);
        event.user_id = Some(id.clone());
        event.user_name = Some(bounded(address.as_str()));
        event.client_id = client.clone();
        event.connection_id = Some(user.connection_id.clone());
        if event_type == EventType::VerificationRequestFailed {
            "The mailbox had its share of such mails.".clone_into(&mut event.description);
        }
        database_strategy(&mut event);
        event
    });

    let what = "Send a verification email";
    let event = audit::changed(&call, what, &Value::Object(sent), 201, &shown);
    let cx = call.cx.clone();
    commit(&call, event, async move |work: &mut Work| {
        let (status, event) = if mail.put_down(work, &cx).await? {
            ("completed", &succeeded)
        } else {
            ("failed", &failed)
        };
        work.add_events(std::slice::from_ref(event)).await?;
        let job = JobRecord {
            job_id: job_id.clone(),
            document: Map::from_iter([
                ("type".to_owned(), json!("verification_email")),
                ("status".to_owned(), json!(status)),
            ]),
            created_at: cx.now,
            expires_at: cx.now + KEPT,
        };
        work.add_job(&job).await.map(|()| true)
    })
    .await?;
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `GET /jobs/{id}`.
pub(super) async fn show(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["create:users", "read:users", "update:users"])?;
    let job = call.store.find_job(&id, call.now).await?;
    let job = job.ok_or(Problem::NotFound {
        code: Some("inexistent_job"),
        message: "The job does not exist.",
    })?;
    let mut shown = job.document;
    shown.insert("id".to_owned(), json!(job.job_id));
    shown.insert("created_at".to_owned(), json!(wire_time(job.created_at)));
    Ok(answer(StatusCode::OK, &Value::Object(shown)))
}
