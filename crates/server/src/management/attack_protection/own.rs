//! Our own settings of attack protection: `/api/v2/portcullis/attack-protection`.
//!
//! The limit for one user from one source, the bucket of right but breached passwords that one source may be told, the
//! administrators who get notices, and what a sign-up tells of accounts that exist.

use std::collections::HashSet;

use axum::response::Response;
use http::StatusCode;
use mail::Mailbox;
use model::AttackProtection;
use serde_json::{Map, Value, json};

use super::super::authorization::ManagementCall;
use super::super::body::Body;
use super::super::schema::{Field, Kind, field};
use super::super::tenant_row::{change_tenant, present};
use super::{merge, typed};
use crate::answer::management::{Problem, answer};

/// Each notice goes to all of them.
const MOST_ADMINISTRATORS: usize = 20;

const FIELDS: &[Field] = &[
    field(
        "same_user",
        Kind::Object(&[
            field("enabled", Kind::Bool),
            field("max_attempts", Kind::Integer(1, 1_000_000)),
            field("rate", Kind::Integer(1, 86_400_000)),
        ]),
    ),
    field(
        "confirmations",
        Kind::Object(&[
            field("max_attempts", Kind::Integer(1, 1_000_000)),
            field("rate", Kind::Integer(1, 86_400_000)),
        ]),
    ),
    field("administrators", Kind::Texts(MOST_ADMINISTRATORS)),
    field(
        "sign_up",
        Kind::Object(&[field(
            "existing_account",
            Kind::OneOf(&["conceal", "invalid_signup"]),
        )]),
    ),
];

/// `GET /portcullis/attack-protection`.
pub(in super::super) async fn show(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["read:attack_protection"])?;
    let settings = present(&call).await?.attack_protection;
    Ok(answer(StatusCode::OK, &read(&settings)))
}

/// `PATCH /portcullis/attack-protection`: answers the whole object.
pub(in super::super) async fn change(
    call: ManagementCall,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:attack_protection"])?;
    let sent = body.judged(FIELDS)?;
    judge_administrators(&sent)?;

    let what = "Update attack protection settings";
    let body = Value::Object(sent.clone());
    let shown = change_tenant(&call, what, &body, |tenant| {
        let shields = &mut tenant.attack_protection;
        let mut settings = read(shields);
        merge(&mut settings, &sent);
        shields.same_user = typed(settings["same_user"].take())?;
        shields.confirmations = typed(settings["confirmations"].take())?;
        shields.administrators = typed(settings["administrators"].take())?;
        shields.sign_up = typed(settings["sign_up"].take())?;
        Ok(read(shields))
    })
    .await?;
    Ok(answer(StatusCode::OK, &shown))
}

fn read(settings: &AttackProtection) -> Value {
    json!({
        "same_user": settings.same_user,
        "confirmations": settings.confirmations,
        "administrators": settings.administrators,
        "sign_up": settings.sign_up,
    })
}

/// Bare addresses, each once: what cannot be sent to would be found out when a notice matters.
fn judge_administrators(sent: &Map<String, Value>) -> Result<(), Problem> {
    let entries = sent.get("administrators").and_then(Value::as_array);
    let mut seen = HashSet::new();
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        let text = entry.as_str().unwrap_or_default();
        let complaint = match text.parse::<Mailbox>() {
            Err(error) => error.to_string(),
            Ok(mailbox) if mailbox.address() != text => {
                "is more than an address; write ana@example.com".to_owned()
            }
            Ok(_) if !seen.insert(text.to_lowercase()) => {
                "stands in the list already; leave one of them out".to_owned()
            }
            Ok(_) => continue,
        };
        return Err(Problem::InvalidBody(format!(
            "Payload validation error: 'The address {complaint}' on property administrators[{index}]."
        )));
    }
    Ok(())
}
