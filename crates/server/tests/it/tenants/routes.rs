//! What the Management API answers: paths from the sources of its router, methods by asking.
//!
//! A path that is added later is walked too. One that is declared where nobody looks for it makes a test fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use http::Method;
use testkit::Admin;

/// A path below `/api/v2`, with variables as in `/users/{id}`, and what may be done there.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) path: String,
    pub(super) methods: Vec<Method>,
    /// Whether it holds what is the same for every tenant, and cannot be changed.
    pub(super) is_fixed: bool,
}

/// Every route there is.
pub(super) async fn routes(anybody: &Admin<'_>) -> Vec<Route> {
    // Without a good token, a route says so and anything else says that nothing is there.
    let nobody = anybody.with_token("never.issued.token");
    let mut routes = Vec::new();
    for source in sources().iter().filter(|file| is_of_management(file)) {
        for path in paths_in(source) {
            let asked = path.trim_start_matches('/').replace(['{', '}'], "x");
            let mut methods = Vec::new();
            for method in [
                Method::GET,
                Method::PATCH,
                Method::PUT,
                Method::POST,
                Method::DELETE,
            ] {
                match nobody.send(method.clone(), &asked, None).await.status {
                    401 => methods.push(method),
                    404 => {}
                    other => panic!("{method} {path} answers {other} to nobody"),
                }
            }
            assert!(!methods.is_empty(), "{path} leads nowhere");
            routes.push(Route {
                path,
                methods,
                is_fixed: source.ends_with("fixed_settings.rs"),
            });
        }
    }
    routes
}

/// Sources that declare routes.
fn sources() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    collect(&source_folder(), &mut found);
    found
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if shipped(&path).contains(".route(") {
            found.insert(path);
        }
    }
}

/// A source up to its tests.
fn shipped(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].to_owned()
}

fn is_of_management(file: &Path) -> bool {
    file.starts_with(source_folder().join("management"))
}

fn paths_in(file: &Path) -> BTreeSet<String> {
    let text = shipped(file);
    let literals = text
        .match_indices("\"/")
        .filter_map(|(at, _)| text[at + 1..].split('"').next());
    literals.map(str::to_owned).collect()
}

/// What is outside the Management API is told route by route, in `hosts`, `logins` and `accounts`.
#[test]
fn other_routes_are_known() {
    let others: BTreeSet<PathBuf> = sources()
        .into_iter()
        .filter(|file| !is_of_management(file))
        .collect();
    let folder = source_folder();
    // The metrics have a listener of their own, and figures without a tenant; the outbox is for development, where all
    // mails of the machine are shown to who sits at it.
    let known = ["metrics_endpoint.rs", "outbox.rs", "router.rs"].map(|name| folder.join(name));
    assert_eq!(others, BTreeSet::from(known));
    let paths = paths_in(&folder.join("router.rs"));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/.well-known/jwks.json",
            "/.well-known/openid-configuration",
            "/api/v2",
            "/dbconnections/change_password",
            "/dbconnections/signup",
            "/livez",
            "/lo/unblock",
            "/oauth/token",
            "/readyz",
            "/u/brute-force-protection-unblock",
            "/userinfo",
        ],
        "a new route needs a story of two tenants"
    );
}
