//! `/api/v2/tenants/settings`.
//!
//! The default directory must exist when it is set; the rest that decides nothing yet is kept and given back.

use axum::response::Response;
use http::StatusCode;
use model::TenantSettings;
use serde_json::{Map, Value, json};

use super::authorization::ManagementCall;
use super::body::Body;
use super::projection::Projection;
use super::schema::{Field, Kind, field};
use super::tenant_row::{change_tenant, present};
use super::uri::Query;
use crate::answer::management::{Problem, answer};

/// Flags that decide nothing here are kept; those that would switch on what is not built stay off.
const FLAGS: &[Field] = &[
    field("allow_changing_enable_sso", Kind::Bool),
    field("disable_impersonation", Kind::Bool),
    field("enable_sso", Kind::Bool),
    field("universal_login", Kind::Bool),
    field("new_universal_login_experience_enabled", Kind::Bool),
    field("use_scope_descriptions_for_consent", Kind::Bool),
    field("enable_apis_section", Kind::Bool),
    field("enable_pipeline2", Kind::Bool),
    field("dashboard_log_streams_next", Kind::Bool),
    field("dashboard_insights_view", Kind::Bool),
    field("disable_management_api_sms_obfuscation", Kind::Bool),
    field("disable_fields_map_fix", Kind::Bool),
    field("change_pwd_flow_v1", Kind::Inert(&[])),
    field("enable_adfs_waad_email_verification", Kind::Inert(&[])),
    field(
        "trust_azure_adfs_email_verified_connection_property",
        Kind::Inert(&[]),
    ),
    field("improved_signup_bot_detection_in_classic", Kind::Inert(&[])),
    field("require_pushed_authorization_requests", Kind::Inert(&[])),
    field("revoke_refresh_token_grant", Kind::Inert(&[])),
    field("disable_clickjack_protection_headers", Kind::Inert(&[])),
    field("enable_public_signup_user_exists_error", Kind::Bool),
    field("enable_dynamic_client_registration", Kind::Inert(&[])),
    field("enable_client_connections", Kind::Inert(&[])),
    field("allow_legacy_delegation_grant_types", Kind::Inert(&[])),
    field("allow_legacy_ro_grant_types", Kind::Inert(&[])),
    field("allow_legacy_tokeninfo_endpoint", Kind::Inert(&[])),
    field("allow_other_legacy_grant_types", Kind::Inert(&[])),
    field("enable_legacy_profile", Kind::Inert(&[])),
    field("enable_idtoken_api2", Kind::Inert(&[])),
    field("no_disclose_enterprise_connections", Kind::Inert(&[])),
    field("mfa_show_factor_list_on_enrollment", Kind::Inert(&[])),
    field("remove_alg_from_jwks", Kind::Inert(&[])),
    field("enable_custom_domain_in_emails", Kind::Inert(&[])),
    field(
        "enforce_client_authentication_on_passwordless_start",
        Kind::Inert(&[]),
    ),
];

/// A year at most.
const MINUTES: Kind = Kind::Integer(1, 525_600);

const FIELDS: &[Field] = &[
    field("friendly_name", Kind::NullableText(1_024)),
    field("picture_url", Kind::NullableText(2_048)),
    field("support_email", Kind::NullableText(254)),
    field("support_url", Kind::NullableText(2_048)),
    field("default_directory", Kind::NullableText(128)),
    field("default_audience", Kind::NullableText(600)),
    field("default_redirection_uri", Kind::NullableText(2_048)),
    field(
        "resource_parameter_profile",
        Kind::OneOf(&["audience", "compatibility"]),
    ),
    field("allowed_logout_urls", Kind::Texts(100)),
    field("enabled_locales", Kind::Texts(100)),
    field("session_lifetime", Kind::Any),
    field("idle_session_lifetime", Kind::Any),
    field("ephemeral_session_lifetime", Kind::Any),
    field("idle_ephemeral_session_lifetime", Kind::Any),
    field("session_lifetime_in_minutes", MINUTES),
    field("idle_session_lifetime_in_minutes", MINUTES),
    field("ephemeral_session_lifetime_in_minutes", MINUTES),
    field("idle_ephemeral_session_lifetime_in_minutes", MINUTES),
    field("sandbox_version", Kind::Text(8)),
    field("session_cookie", Kind::AnyObject),
    field("universal_login", Kind::AnyObject),
    field("change_password", Kind::AnyObject),
    field("guardian_mfa_page", Kind::AnyObject),
    field("error_page", Kind::AnyObject),
    field("oidc_logout", Kind::AnyObject),
    field("sessions", Kind::AnyObject),
    field("flags", Kind::Object(FLAGS)),
    field("country_codes", Kind::AnyObject),
    field("device_flow", Kind::AnyObject),
    field("enable_ai_guide", Kind::Bool),
    field("phone_consolidated_experience", Kind::Bool),
    field(
        "dynamic_client_registration_security_mode",
        Kind::OneOf(&["strict", "permissive"]),
    ),
    field("customize_mfa_in_postlogin_action", Kind::Inert(&[])),
    field("client_id_metadata_document_supported", Kind::Inert(&[])),
    field(
        "skip_non_verifiable_callback_uri_confirmation_prompt",
        Kind::Inert(&[]),
    ),
    field("include_session_metadata_in_tenant_logs", Kind::Inert(&[])),
    field(
        "authorization_response_iss_parameter_supported",
        Kind::Inert(&[]),
    ),
    field("security_headers", Kind::Inert(&[])),
    field(
        "allow_organization_name_in_authentication_api",
        Kind::Inert(&[]),
    ),
    field("acr_values_supported", Kind::Inert(&[])),
    field("pushed_authorization_requests_supported", Kind::Inert(&[])),
    field("mtls", Kind::Inert(&[])),
    field("default_token_quota", Kind::Inert(&[])),
];

/// `GET /tenants/settings`.
pub(super) async fn show(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:tenant_settings"])?;
    let tenant = present(&call).await?;
    let mut shown = wire(&tenant.settings)?;
    shown["sandbox_versions_available"] = json!(["22"]);
    Ok(answer(StatusCode::OK, &Projection::read(&query).of(shown)))
}

/// `PATCH /tenants/settings`.
pub(super) async fn change(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["update:tenant_settings"])?;
    let sent = body.judged(FIELDS)?;
    if let Some(name) = sent
        .get("default_directory")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        && call.store.find_connection_by_name(name).await?.is_none()
    {
        return Err(Problem::InvalidBody(format!(
            "Payload validation error: 'No connection is named {name}' on property default_directory."
        )));
    }
    let kept = in_hours(&sent)?;

    let what = "Update tenant settings";
    let shown = change_tenant(&call, what, &Value::Object(sent), |tenant| {
        let mut document = match serde_json::to_value(&tenant.settings) {
            Ok(Value::Object(members)) => members,
            _ => return Err(Problem::Internal("settings are not an object".to_owned())),
        };
        lay_over(&mut document, &kept);
        tenant.settings = serde_json::from_value(Value::Object(document)).map_err(|error| {
            Problem::InvalidBody(format!("Payload validation error: '{error}'."))
        })?;
        wire(&tenant.settings)
    })
    .await?;
    Ok(answer(StatusCode::OK, &shown))
}

/// Lifetimes are kept in hours; who sends minutes (the deploy CLI) reads hours back, fractional where need be.
fn in_hours(sent: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let mut kept = Map::new();
    for (name, value) in sent {
        let Some((hours_name, minutes)) = name.strip_suffix("_in_minutes").zip(value.as_u64())
        else {
            kept.insert(name.clone(), value.clone());
            continue;
        };
        if sent.contains_key(hours_name) {
            return Err(Problem::InvalidBody(format!(
                "Payload validation error: 'Cannot be specified together with {hours_name}' on property {name} (send one of the two)."
            )));
        }
        let hours = if minutes % 60 == 0 {
            json!(minutes / 60)
        } else {
            json!((minutes as f64 / 60.0 * 10_000.0).round() / 10_000.0)
        };
        kept.insert(hours_name.to_owned(), hours);
    }
    Ok(kept)
}

/// Null and the empty text remove; `flags` are merged.
fn lay_over(document: &mut Map<String, Value>, sent: &Map<String, Value>) {
    for (name, value) in sent {
        match (value, document.get_mut(name)) {
            (Value::Null, _) => {
                document.remove(name);
            }
            (Value::String(text), _) if text.is_empty() => {
                document.remove(name);
            }
            (Value::Object(new), Some(Value::Object(old))) if name == "flags" => {
                old.extend(new.clone())
            }
            _ => {
                document.insert(name.clone(), value.clone());
            }
        }
    }
}

fn wire(settings: &TenantSettings) -> Result<Value, Problem> {
    let mut shown = json!({
        "flags": {
            "allow_changing_enable_sso": false,
            "disable_impersonation": true,
            "enable_sso": true,
            "universal_login": true,
            "revoke_refresh_token_grant": false,
            "disable_clickjack_protection_headers": false,
        },
        "enabled_locales": ["en"],
        "sandbox_version": "22",
    });
    let kept =
        serde_json::to_value(settings).map_err(|error| Problem::Internal(error.to_string()))?;
    if let (Some(shown), Some(kept)) = (shown.as_object_mut(), kept.as_object()) {
        lay_over(shown, kept);
    }
    Ok(shown)
}
