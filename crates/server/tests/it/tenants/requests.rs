//! The requests of a walk: every route with every kind of name in its path, its query and its body.
//!
//! A name stands as `<client>`; `<own client>` is the caller's. That the requests are good ones is shown by the tenant's
//! own administrator, for whom each route must do what it is for.

use http::Method;
use serde_json::{Value, json};
use testkit::{AUDIENCE, Admin, Answer, PASSWORD};

use super::furniture::Names;
use super::routes::Route;

/// A request with names left open.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    path: String,
    body: Option<String>,
}

/// What may stand for `{id}`.
const IDS: [&str; 10] = [
    "<client>",
    "<grant>",
    "<connection>",
    "<api>",
    "<identifier>",
    "<user>",
    "<event>",
    "<template>",
    "<job>",
    "<stream>",
];

/// The caller's own, into which a stranger's name may be written.
const OWN: [&str; 5] = [
    "<own client>",
    "<own grant>",
    "<own connection>",
    "<own api>",
    "<own user>",
];

const QUERIES: [(&str, &str); 12] = [
    ("/portcullis/decisions", "identifier=<email>"),
    ("/portcullis/decisions", "user_id=<user>"),
    (
        "/portcullis/decisions/now",
        "identifier=<email>&ip=<address>&connection=<directory>",
    ),
    (
        "/portcullis/decisions/now",
        "identifier=x&ip=192.0.2.9&client_id=<client>",
    ),
    ("/users", "q=email%3A<email>"),
    ("/users-by-email", "email=<email>"),
    ("/user-blocks", "identifier=<email>"),
    ("/connections", "name=<directory>"),
    ("/client-grants", "audience=<identifier>"),
    ("/client-grants", "client_id=<client>"),
    ("/resource-servers", "identifiers=<identifier>"),
    ("/logs", "q=user_id%3A<user>"),
];

/// Each fits some route; a route that none fits is found by `each_request_does_what_it_is_for`.
fn bodies() -> Vec<Value> {
    vec![
        json!({}),
        json!([]),
        json!({"name": "changed"}),
        json!({"description": "changed"}),
        json!({"display_name": "changed"}),
        json!({"scope": []}),
        json!({"email": "changed@example.com"}),
        json!({"blocked": true}),
        json!({"password": "Changed-Horse-7-Battery", "connection": "Users"}),
        json!({"header_trust": {"networks": ["192.0.2.0/24"]}}),
        json!({"enabled": false}),
        json!({"same_user": {"max_attempts": 21}}),
        json!({"retention_days": 21}),
        json!({"friendly_name": "changed"}),
        json!({"default_directory": "<directory>"}),
        json!({"default_audience": "<identifier>"}),
        json!({"enabled_clients": ["<client>"]}),
        json!([{"client_id": "<client>", "status": true}]),
        json!([{"client_id": "<client>", "status": false}]),
        json!({"client_id": "<client>", "audience": "<identifier>", "scope": []}),
        json!({"client_id": "<client>", "audience": AUDIENCE, "scope": []}),
        json!({"client_id": "<own client>", "audience": "<identifier>", "scope": []}),
        json!({"connection": "<directory>", "email": "<email>", "password": PASSWORD}),
        json!({"connection": "Users", "email": "<email>", "password": PASSWORD}),
        json!({"name": "<directory>", "strategy": "auth0", "enabled_clients": ["<client>"]}),
        json!({"name": "a-new-directory", "strategy": "auth0"}),
        json!({"identifier": "<identifier>"}),
        json!({"identifier": "urn:a-new-api"}),
        json!({"default_from_address": "changed@example.com"}),
        json!({"name": "smtp", "credentials": {"smtp_host": "mail.example.com"}}),
        json!({"subject": "changed"}),
        mail("<template>"),
        mail("mfa_oob_code"),
        json!({"user_id": "<user>"}),
        json!({"type": "http", "sink": {"httpEndpoint": "https://siem.example.com/"}}),
        json!({"email": "<email>", "connection_id": "<connection>"}),
    ]
}

fn mail(template: &str) -> Value {
    json!({
        "template": template,
        "body": "changed",
        "from": "",
        "subject": "changed",
        "syntax": "liquid",
        "enabled": true,
    })
}

/// Everything that can be asked of a route.
pub(super) fn requests(route: &Route) -> Vec<Request> {
    let mut requests = Vec::new();
    for method in &route.methods {
        let mut ask = |path: &str, body: Option<String>| {
            requests.push(Request {
                method: method.clone(),
                path: path.to_owned(),
                body,
            });
        };
        let has_body = !matches!(*method, Method::GET | Method::DELETE);
        for path in filled(&route.path, &IDS) {
            if has_body {
                bodies()
                    .iter()
                    .for_each(|body| ask(&path, Some(body.to_string())));
            } else {
                ask(&path, None);
            }
        }
        for (_, query) in QUERIES.iter().filter(|(path, _)| *path == route.path) {
            if !has_body {
                ask(&format!("{}?{query}", route.path), None);
            }
        }
        if has_body && route.path.contains("{id}") {
            let foreign = bodies().into_iter().map(|body| body.to_string());
            let foreign: Vec<String> = foreign.filter(|body| names_another(body)).collect();
            for path in filled(&route.path, &OWN) {
                foreign
                    .iter()
                    .for_each(|body| ask(&path, Some(body.clone())));
            }
        }
    }
    requests
}

fn filled(path: &str, ids: &[&str]) -> Vec<String> {
    let fill = |variable: &str, values: &[&str], paths: Vec<String>| -> Vec<String> {
        let each = |path: &String| -> Vec<String> {
            if !path.contains(variable) {
                return vec![path.clone()];
            }
            values
                .iter()
                .map(|value| path.replace(variable, value))
                .collect()
        };
        paths.iter().flat_map(each).collect()
    };
    let mut paths = vec![path.to_owned()];
    for (variable, values) in [
        ("{id}", ids),
        ("{ip}", &["<address>"]),
        (
            "{shield}",
            &[
                "brute-force-protection",
                "suspicious-ip-throttling",
                "breached-password-detection",
            ],
        ),
        ("{kind}", &["password-change", "email-verification"]),
        ("{prompt}", &["login"]),
        ("{language}", &["en"]),
    ] {
        paths = fill(variable, values, paths);
    }
    for path in &paths {
        assert!(!path.contains('{'), "nothing to put into {path}");
    }
    paths
}

fn names_another(text: &str) -> bool {
    text.replace("<own ", "").contains('<')
}

impl Request {
    /// Whether it names something that is not the caller's.
    pub(super) fn names_another(&self) -> bool {
        names_another(&self.path) || self.body.as_deref().is_some_and(names_another)
    }

    /// Sends it with these names.
    pub(super) async fn send(&self, admin: &Admin<'_>, names: &Names) -> Answer {
        let escape = |name: &str| name.replace('|', "%7C").replace(':', "%3A");
        let path = with_names(&self.path, names, escape);
        let body = self.body.as_ref().map(|body| {
            let body = with_names(body, names, str::to_owned);
            serde_json::from_str(&body).unwrap()
        });
        let path = path.trim_start_matches('/');
        admin.send(self.method.clone(), path, body).await
    }
}

fn with_names(text: &str, names: &Names, written: impl Fn(&str) -> String) -> String {
    names.iter().fold(text.to_owned(), |text, (kind, name)| {
        text.replace(&format!("<{kind}>"), &written(name))
    })
}

/// An answer in which names are left open again.
pub(super) fn without_names(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (kind, name)| {
        text.replace(name.as_str(), &format!("<{kind}>"))
    })
}
