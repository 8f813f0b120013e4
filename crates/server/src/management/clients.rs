//! Applications: `/api/v2/clients`.
//!
//! A secret is shown only to tokens that may read client keys. The trusted header needs an application that authenticates.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use keys::{Binding, SecretDigest};
use model::{Client, ClientId, ClientRecord, TokenEndpointAuthMethod};
use serde_json::{Map, Value, json};
use storage::{Page, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::{Paging, Query};
use super::schema::{Field, Kind, field, judge, require};
use crate::answer::management::{Problem, answer, empty};
use crate::bootstrap::CLIENT_SECRET_FIELD;

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_client"),
    message: "The client does not exist",
};

const GRANT_TYPES: &[&str] = &[
    "implicit",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "http://auth0.com/oauth/grant-type/password-realm",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

const REFRESH: &[Field] = &[
    field("rotation_type", Kind::OneOf(&["rotating", "non-rotating"])),
    field(
        "expiration_type",
        Kind::OneOf(&["expiring", "non-expiring"]),
    ),
    field("leeway", Kind::Integer(0, 31_536_000)),
    field("token_lifetime", Kind::Integer(1, 157_788_000)),
    field("infinite_token_lifetime", Kind::Bool),
    field("idle_token_lifetime", Kind::Integer(1, 157_788_000)),
    field("infinite_idle_token_lifetime", Kind::Bool),
    field("policies", Kind::Inert(&[])),
];

const FIELDS: &[Field] = &[
    field("name", Kind::Text(255)),
    field("description", Kind::NullableText(140)),
    field("client_secret", Kind::Text(256)),
    field("logo_uri", Kind::NullableText(1_024)),
    field(
        "app_type",
        Kind::OneOf(&["native", "spa", "regular_web", "non_interactive"]),
    ),
    field("is_first_party", Kind::Bool),
    field("oidc_conformant", Kind::Bool),
    field("callbacks", Kind::Texts(100)),
    field("allowed_origins", Kind::Texts(100)),
    field("web_origins", Kind::Texts(100)),
    field("client_aliases", Kind::Texts(100)),
    field("allowed_clients", Kind::Texts(100)),
    field("allowed_logout_urls", Kind::Texts(100)),
    field("grant_types", Kind::ListOf(GRANT_TYPES)),
    field(
        "token_endpoint_auth_method",
        Kind::NullableOneOf(&["none", "client_secret_post", "client_secret_basic"]),
    ),
    field("is_token_endpoint_ip_header_trusted", Kind::Bool),
    field(
        "jwt_configuration",
        Kind::Object(&[
            field("alg", Kind::OneOf(&["RS256", "HS256"])),
            field("lifetime_in_seconds", Kind::Integer(1, 2_592_000)),
            field("secret_encoded", Kind::Inert(&[])),
            field("scopes", Kind::AnyObject),
        ]),
    ),
    field("refresh_token", Kind::Object(REFRESH)),
    field("sso", Kind::Bool),
    field("sso_disabled", Kind::Bool),
    field("cross_origin_authentication", Kind::Inert(&[])),
    field("cross_origin_auth", Kind::Inert(&[])),
    field("cross_origin_loc", Kind::NullableText(1_024)),
    field("custom_login_page_on", Kind::Bool),
    field("custom_login_page", Kind::Text(65_536)),
    field("form_template", Kind::Text(65_536)),
    field("addons", Kind::AnyObject),
    field("client_metadata", Kind::AnyObject),
    field("mobile", Kind::AnyObject),
    field("initiate_login_uri", Kind::NullableText(1_024)),
    field("native_social_login", Kind::Inert(&[])),
    field("encryption_key", Kind::Inert(&[])),
    field("default_organization", Kind::Inert(&[])),
    field("organization_usage", Kind::Inert(&["deny"])),
    field("organization_require_behavior", Kind::Inert(&["no_prompt"])),
    field("client_authentication_methods", Kind::Inert(&[])),
    field("require_pushed_authorization_requests", Kind::Inert(&[])),
    field("require_proof_of_possession", Kind::Inert(&[])),
    field("signed_request_object", Kind::Inert(&[])),
    field("compliance_level", Kind::Inert(&["none"])),
    field("oidc_logout", Kind::Inert(&[])),
    field("session_transfer", Kind::Inert(&[])),
];

/// `GET /clients`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&[
        "read:clients",
        "read:client_keys",
        "read:client_credentials",
        "read:client_summary",
    ])?;
    let paging = Paging::read(&query)?;
    if query
        .get("is_global")
        .is_some_and(|global| global == "true")
    {
        return Ok(paging.answer("clients", Vec::new(), 0));
    }
    let all = call.store.list_clients(Page::ALL).await?.items;
    let wanted = |record: &ClientRecord| {
        let fits_type = query.get("app_type").is_none_or(|wanted| {
            let own = serde_json::to_value(record.client.app_type).unwrap_or_default();
            wanted.split(',').any(|one| own == one)
        });
        let party = query
            .get("is_first_party")
            .is_none_or(|wanted| *wanted == record.client.is_first_party.to_string());
        fits_type && party
    };
    let fitting: Vec<ClientRecord> = all.into_iter().filter(wanted).collect();
    let total = fitting.len() as u64;
    let shown = paging
        .cut(fitting)
        .iter()
        .map(|record| show_record(&call, record))
        .collect::<Result<_, _>>()?;
    Ok(paging.answer("clients", shown, total))
}

/// `GET /clients/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&[
        "read:clients",
        "read:client_keys",
        "read:client_credentials",
        "read:client_summary",
    ])?;
    let record = call
        .store
        .find_client(&ClientId::new(id))
        .await?
        .ok_or(MISSING)?;
    let shown = Paging::read(&query)?.project(show_record(&call, &record)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /clients`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:clients"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    require(&sent, &["name"])?;
    let id = ClientId::new(keys::client_id(&*call.app.entropy));
    let secret = match sent.get("client_secret").and_then(Value::as_str) {
        Some(secret) => strong(secret)?.to_owned(),
        None => keys::client_secret(&*call.app.entropy),
    };
    let client = read(with_defaults(&id, &sent))?;
    let record = seal(
        &call,
        ClientRecord {
            client,
            secret_digest: [0; 32],
            secret_sealed: Vec::new(),
            created_at: call.now,
            updated_at: call.now,
            version: 1,
        },
        &secret,
    );

    let event = audit::changed(&call, "Create a client", &Value::Object(sent), 201);
    let row = record.clone();
    let added = call
        .store
        .write(async move |work: &mut Work| {
            let added = work.add_client(&row).await?;
            work.add_events(std::slice::from_ref(&event)).await?;
            Ok(added)
        })
        .await?;
    call.app.forget_cached();
    change::added(added, "The client already exists.")?;
    Ok(answer(
        StatusCode::CREATED,
        &with_secret(wire(&call, &record)?, &secret),
    ))
}

/// `PATCH /clients/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:clients", "update:client_keys"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    let before = call
        .store
        .find_client(&ClientId::new(id))
        .await?
        .ok_or(MISSING)?;
    let mut document = to_map(&before.client)?;
    merge(&mut document, &sent);
    let secret = sent
        .get("client_secret")
        .and_then(Value::as_str)
        .map(strong)
        .transpose()?;
    let mut record = ClientRecord {
        client: read(document)?,
        updated_at: call.now,
        ..before
    };
    if let Some(secret) = secret {
        call.require(&["update:client_keys"])?;
        record = seal(&call, record, secret);
    }

    save(&call, "Update a client", &Value::Object(sent), &record).await?;
    Ok(answer(StatusCode::OK, &show_record(&call, &record)?))
}

/// `POST /clients/{id}/rotate-secret`.
pub(super) async fn rotate_secret(
    call: ManagementCall,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    call.require(&["update:client_keys"])?;
    let before = call
        .store
        .find_client(&ClientId::new(id))
        .await?
        .ok_or(MISSING)?;
    let secret = keys::client_secret(&*call.app.entropy);
    let record = seal(
        &call,
        ClientRecord {
            updated_at: call.now,
            ..before
        },
        &secret,
    );

    save(&call, "Rotate a client secret", &Value::Null, &record).await?;
    Ok(answer(
        StatusCode::OK,
        &with_secret(wire(&call, &record)?, &secret),
    ))
}

/// `DELETE /clients/{id}`.
pub(super) async fn remove(
    call: ManagementCall,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    call.require(&["delete:clients"])?;
    let id = ClientId::new(id);
    let event = audit::changed(&call, "Delete a client", &Value::Null, 204);
    commit(&call, event, async move |work: &mut Work| {
        work.remove_client(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn save(
    call: &ManagementCall,
    what: &str,
    sent: &Value,
    record: &ClientRecord,
) -> Result<(), Problem> {
    let event = audit::changed(call, what, sent, 200);
    let row = record.clone();
    let written = commit(call, event, async move |work: &mut Work| {
        work.set_client(&row).await
    })
    .await?;
    change::written(written, MISSING)
}

fn with_defaults(id: &ClientId, sent: &Map<String, Value>) -> Map<String, Value> {
    let public = sent
        .get("token_endpoint_auth_method")
        .is_some_and(|method| method == "none");
    let mut grants = vec!["authorization_code", "implicit", "refresh_token"];
    if !public {
        grants.push("client_credentials");
    }
    let defaults = json!({
        "client_id": id,
        "global": false,
        "is_first_party": true,
        "oidc_conformant": false,
        "sso_disabled": false,
        "cross_origin_auth": false,
        "cross_origin_authentication": false,
        "custom_login_page_on": true,
        "is_token_endpoint_ip_header_trusted": false,
        "grant_types": grants,
        "jwt_configuration": { "secret_encoded": false, "lifetime_in_seconds": 36_000 },
        "refresh_token": {
            "rotation_type": "non-rotating",
            "expiration_type": "non-expiring",
            "leeway": 0,
            "token_lifetime": 2_592_000,
            "idle_token_lifetime": 1_296_000,
            "infinite_token_lifetime": true,
            "infinite_idle_token_lifetime": true,
        },
    });
    let mut document = match defaults {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    merge(&mut document, sent);
    document
}

/// Lays a change over a document: null removes, the two nested settings are merged, the rest is replaced.
fn merge(document: &mut Map<String, Value>, sent: &Map<String, Value>) {
    for (name, value) in sent {
        match (name.as_str(), value, document.get_mut(name)) {
            ("client_secret", ..) => {}
            (_, Value::Null, _) => {
                document.remove(name);
            }
            (
                "jwt_configuration" | "refresh_token" | "client_metadata",
                Value::Object(new),
                Some(Value::Object(old)),
            ) => {
                for (member, value) in new {
                    if value.is_null() {
                        old.remove(member);
                    } else {
                        old.insert(member.clone(), value.clone());
                    }
                }
            }
            _ => {
                document.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The typed client, with the rules that span fields.
fn read(document: Map<String, Value>) -> Result<Client, Problem> {
    let invalid = |text: &str| Problem::InvalidBody(text.to_owned());
    let client: Client = serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))?;
    if client.name.is_empty() || client.name.contains(['<', '>']) {
        return Err(invalid(
            "Payload validation error: 'String does not match pattern' on property name (at least one character, no < or >).",
        ));
    }
    let authenticates = matches!(
        client.token_endpoint_auth_method,
        Some(
            TokenEndpointAuthMethod::ClientSecretPost | TokenEndpointAuthMethod::ClientSecretBasic
        )
    );
    if client.is_token_endpoint_ip_header_trusted && !authenticates {
        return Err(invalid(
            "The flag is_token_endpoint_ip_header_trusted can only be set true on clients that require authentication \
             (i.e. token_endpoint_auth_method is set to 'client_secret_post' or 'client_secret_basic'). Send \
             token_endpoint_auth_method with one of these values in the same request, or set the flag to false.",
        ));
    }
    if client.token_endpoint_auth_method == Some(TokenEndpointAuthMethod::None)
        && client.may_use("client_credentials")
    {
        return Err(invalid(
            "Application must not have Token Endpoint Authentication Method set to \"none\" when client_credentials grant type is enabled",
        ));
    }
    Ok(client)
}

fn strong(secret: &str) -> Result<&str, Problem> {
    if secret.len() >= 32 {
        return Ok(secret);
    }
    Err(Problem::InvalidBody(
        "Payload validation error: 'String is too short' on property client_secret (at least 32 characters; leave it out to get one).".to_owned(),
    ))
}

fn seal(call: &ManagementCall, record: ClientRecord, secret: &str) -> ClientRecord {
    let binding = binding(call, &record.client.client_id);
    let secret_sealed =
        call.app
            .secrets
            .sealer
            .seal(&binding, secret.as_bytes(), &*call.app.entropy);
    ClientRecord {
        secret_digest: SecretDigest::of(secret).to_bytes(),
        secret_sealed,
        ..record
    }
}

fn binding<'a>(call: &'a ManagementCall, id: &'a ClientId) -> Binding<'a> {
    Binding {
        tenant: call.tenant().id.as_str(),
        row: id.as_str(),
        field: CLIENT_SECRET_FIELD,
    }
}

/// The wire's form, as far as this token may see it.
fn show_record(call: &ManagementCall, record: &ClientRecord) -> Result<Value, Problem> {
    let mut shown = wire(call, record)?;
    if call.holds(&["read:client_keys", "update:client_keys", "create:clients"]) {
        let opened = call.app.secrets.sealer.open(
            &binding(call, &record.client.client_id),
            &record.secret_sealed,
        );
        let opened = opened.map_err(|error| Problem::Internal(error.to_string()))?;
        return Ok(with_secret(shown, &String::from_utf8_lossy(&opened)));
    }
    if !call.holds(&["read:clients", "update:clients"])
        && let Some(members) = shown.as_object_mut()
    {
        members.retain(|name, _| {
            matches!(
                name.as_str(),
                "client_id" | "app_type" | "name" | "description"
            )
        });
    }
    Ok(shown)
}

fn wire(call: &ManagementCall, record: &ClientRecord) -> Result<Value, Problem> {
    let mut members = to_map(&record.client)?;
    members.insert("tenant".to_owned(), Value::from(call.tenant().name.clone()));
    Ok(Value::Object(members))
}

fn with_secret(mut shown: Value, secret: &str) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.insert("client_secret".to_owned(), Value::from(secret));
    }
    shown
}

fn to_map(client: &Client) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(client) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Internal("a client is not an object".to_owned())),
    }
}
