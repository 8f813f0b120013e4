//! The shields' settings: `/api/v2/attack-protection/*`, and our own in [`own`].
//!
//! Bot detection and captcha are not built: their settings can be read, and only left off.

pub(super) mod own;

use axum::response::Response;
use guard::Allowlist;
use http::StatusCode;
use model::AttackProtection;
use serde_json::{Map, Value, json};

use super::authorization::ManagementCall;
use super::body::Body;
use super::fixed_settings::refuse_changes;
use super::schema::{Field, Kind, field};
use super::tenant_row::{NOT_HERE, change_tenant, present};
use super::uri::Id;
use crate::answer::management::{Problem, answer};

const BRUTE_FORCE: &[Field] = &[
    field("enabled", Kind::Bool),
    field("shields", Kind::ListOf(&["block", "user_notification"])),
    field(
        "mode",
        Kind::OneOf(&["count_per_identifier_and_ip", "count_per_identifier"]),
    ),
    field("allowlist", Kind::Texts(Allowlist::LIMIT)),
    field("max_attempts", Kind::Integer(1, 100)),
];

const SUSPICIOUS_IP: &[Field] = &[
    field("enabled", Kind::Bool),
    field("shields", Kind::ListOf(&["block", "admin_notification"])),
    field("allowlist", Kind::Texts(Allowlist::LIMIT)),
    field(
        "stage",
        Kind::Object(&[
            field(
                "pre-login",
                Kind::Object(&[
                    field("max_attempts", Kind::Integer(1, 2_500)),
                    field("rate", Kind::Integer(34_560, 86_400_000)),
                ]),
            ),
            field(
                "pre-user-registration",
                Kind::Object(&[
                    field("max_attempts", Kind::Integer(1, 72_000)),
                    field("rate", Kind::Integer(1_200, 86_400_000)),
                ]),
            ),
            field(
                "pre-custom-token-exchange",
                Kind::Object(&[
                    field("max_attempts", Kind::Integer(1, 72_000)),
                    field("rate", Kind::Integer(1_200, 86_400_000)),
                ]),
            ),
        ]),
    ),
];

const BREACHED_PASSWORD: &[Field] = &[
    field("enabled", Kind::Bool),
    field(
        "shields",
        Kind::ListOf(&["block", "user_notification", "admin_notification"]),
    ),
    field(
        "admin_notification_frequency",
        Kind::ListOf(&["immediately", "daily", "weekly", "monthly"]),
    ),
    field("method", Kind::OneOf(&["standard", "enhanced"])),
    field(
        "stage",
        Kind::Object(&[
            field("pre-user-registration", STAGE_OF_NEW_PASSWORDS),
            field("pre-change-password", STAGE_OF_NEW_PASSWORDS),
        ]),
    ),
];

const STAGE_OF_NEW_PASSWORDS: Kind = Kind::Object(&[field(
    "shields",
    Kind::ListOf(&["block", "admin_notification"]),
)]);

/// `GET /attack-protection/{shield}`.
pub(super) async fn show(call: ManagementCall, Id(shield): Id) -> Result<Response, Problem> {
    call.require(&["read:attack_protection"])?;
    let settings = present(&call).await?.attack_protection;
    Ok(answer(StatusCode::OK, &read(&settings, &shield)?))
}

/// `PATCH /attack-protection/{shield}`: answers the whole object.
pub(super) async fn change(
    call: ManagementCall,
    Id(shield): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:attack_protection"])?;
    let known = read(&present(&call).await?.attack_protection, &shield)?;
    let sent = match shield.as_str() {
        "brute-force-protection" => body.judged(BRUTE_FORCE)?,
        "suspicious-ip-throttling" => body.judged(SUSPICIOUS_IP)?,
        "breached-password-detection" => body.judged(BREACHED_PASSWORD)?,
        _ => {
            refuse_changes("", &known, &body.unjudged()?)?;
            return Ok(answer(StatusCode::OK, &known));
        }
    };
    judge_allowlist(&sent)?;
    judge_method(&sent)?;

    let what = format!("Update {shield} settings");
    let body = Value::Object(sent.clone());
    let shown = change_tenant(&call, &what, &body, |tenant| {
        let shields = &mut tenant.attack_protection;
        let mut settings = read(shields, &shield)?;
        merge(&mut settings, &sent);
        match shield.as_str() {
            "brute-force-protection" => shields.brute_force = typed(settings)?,
            "breached-password-detection" => shields.breached_password = typed(settings)?,
            _ => shields.suspicious_ip = typed(settings)?,
        }
        read(shields, &shield)
    })
    .await?;
    Ok(answer(StatusCode::OK, &shown))
}

fn read(settings: &AttackProtection, shield: &str) -> Result<Value, Problem> {
    let object = match shield {
        "brute-force-protection" => serde_json::to_value(&settings.brute_force),
        "suspicious-ip-throttling" => serde_json::to_value(&settings.suspicious_ip),
        "breached-password-detection" => serde_json::to_value(&settings.breached_password),
        "bot-detection" => Ok(json!({
            "bot_detection_level": "medium",
            "challenge_password_policy": "never",
            "challenge_passwordless_policy": "never",
            "challenge_password_reset_policy": "never",
            "allowlist": [],
            "monitoring_mode_enabled": false,
        })),
        "captcha" => Ok(json!({
            "arkose": { "site_key": "", "fail_open": false, "client_subdomain": "", "verify_subdomain": "" },
            "auth_challenge": { "fail_open": false },
            "hcaptcha": { "site_key": "" },
            "friendly_captcha": { "site_key": "" },
            "recaptcha_v2": { "site_key": "" },
            "recaptcha_enterprise": { "site_key": "", "project_id": "" },
            "simple_captcha": {},
        })),
        _ => return Err(NOT_HERE),
    };
    object.map_err(|error| Problem::Internal(error.to_string()))
}

fn merge(settings: &mut Value, sent: &Map<String, Value>) {
    let Some(members) = settings.as_object_mut() else {
        return;
    };
    for (name, value) in sent {
        match (value, members.get_mut(name)) {
            (Value::Object(new), Some(old @ Value::Object(_))) => merge(old, new),
            _ => {
                members.insert(name.clone(), value.clone());
            }
        }
    }
}

fn typed<T: serde::de::DeserializeOwned>(settings: Value) -> Result<T, Problem> {
    serde_json::from_value(settings)
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))
}

/// What `enhanced` buys at the vendor is a feed of stolen passwords before they are published; there is none here.
fn judge_method(sent: &Map<String, Value>) -> Result<(), Problem> {
    match sent.get("method") {
        Some(method) if method == "enhanced" => Err(Problem::InvalidBody(
            "Payload validation error: 'Value is not supported' on property method (this server looks passwords up in \
             published breaches only; send standard)."
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

fn judge_allowlist(sent: &Map<String, Value>) -> Result<(), Problem> {
    let Some(Value::Array(entries)) = sent.get("allowlist") else {
        return Ok(());
    };
    let entries: Vec<String> = entries
        .iter()
        .filter_map(|entry| entry.as_str().map(str::to_owned))
        .collect();
    match Allowlist::parse(&entries) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::InvalidBody(format!(
            "Payload validation error: '{error}' on property allowlist."
        ))),
    }
}
