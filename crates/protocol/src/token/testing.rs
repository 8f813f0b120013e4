//! Values that the tests of this folder share.

use std::sync::Arc;

use model::{
    Client, ClientGrant, ClientGrantId, ClientId, ResourceServer, TokenEndpointAuthMethod, User,
};
use serde_json::{Value, json};

use crate::{Caller, Parameters, PasswordRequest, TokenRequest, UserApi, authentication_rule};

pub(super) const CLIENT_ID: &str = "shop";

pub(super) fn form(body: &str) -> Parameters {
    Parameters::parse(Some("application/x-www-form-urlencoded"), body.as_bytes()).unwrap()
}

pub(super) fn password_request(more: &str) -> PasswordRequest {
    let body = format!("grant_type=password&username=ana&password=hunter2&{more}");
    match TokenRequest::read(&form(&body)).unwrap() {
        TokenRequest::Password(request) => request,
        TokenRequest::ClientCredentials(_) => panic!("a password grant was asked for"),
    }
}

pub(super) fn client() -> Client {
    serde_json::from_value(json!({
        "client_id": CLIENT_ID, "name": "Shop", "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["password", "client_credentials"],
    }))
    .unwrap()
}

pub(super) fn caller() -> Caller {
    authentication_rule(Some(Arc::new(client())), Some(true)).unwrap()
}

pub(super) fn public_caller() -> Caller {
    let mut client = client();
    client.token_endpoint_auth_method = Some(TokenEndpointAuthMethod::None);
    authentication_rule(Some(Arc::new(client)), None).unwrap()
}

pub(super) fn api(identifier: &str, scopes: &[&str]) -> Arc<ResourceServer> {
    let scopes: Vec<Value> = scopes
        .iter()
        .map(|value| json!({ "value": value }))
        .collect();
    let api = json!({"id": "api", "identifier": identifier, "scopes": scopes});
    Arc::new(serde_json::from_value(api).unwrap())
}

/// An API whose policy asks nothing of the application.
pub(super) fn user_api(server: Arc<ResourceServer>, management_audience: &str) -> UserApi {
    UserApi::judge(server, management_audience, &ClientId::new(CLIENT_ID), None).unwrap()
}

pub(super) fn client_grant(audience: &str, scope: &[&str]) -> ClientGrant {
    ClientGrant {
        id: ClientGrantId::new("cgr_1"),
        client_id: ClientId::new(CLIENT_ID),
        audience: audience.to_owned(),
        scope: scope.iter().map(|scope| (*scope).to_owned()).collect(),
        allow_all_scopes: false,
        subject_type: model::SubjectType::Client,
        rest: serde_json::Map::new(),
    }
}

pub(crate) fn user() -> User {
    serde_json::from_value(json!({
        "user_id": "auth0|0123456789abcdef01234567", "email": "ana@example.com", "email_verified": true,
        "name": "Ana", "nickname": "ana", "picture": "https://img/ana", "middle_name": "M",
        "phone_number": "+15550100", "phone_verified": false, "identities": [],
    }))
    .unwrap()
}
