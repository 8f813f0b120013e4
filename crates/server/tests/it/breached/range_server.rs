//! A range API on this machine, over TLS, that answers as a test wants it to.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mood {
    Right,
    /// After so many milliseconds.
    Slow(u64),
    Status(u16),
    /// Never.
    Hangs,
    Foreign,
    /// Without end.
    Floods,
    /// Leads somewhere else.
    Redirects,
}

/// A server that ends with the test.
pub(super) struct RangeServer {
    /// `https://localhost:PORT/range/`.
    pub(super) url: String,
    /// Who vouches for it.
    pub(super) authority: CertificateDer<'static>,
    state: Arc<Told>,
    handle: axum_server::Handle<std::net::SocketAddr>,
}

struct Told {
    passwords: Vec<String>,
    mood: Mutex<Mood>,
    asked: Mutex<Vec<(String, HeaderMap)>>,
}

impl RangeServer {
    /// Knows these passwords.
    pub(super) async fn start(passwords: &[&str]) -> Self {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let authority = key.cert.der().clone();
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![authority.clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Told {
            passwords: passwords
                .iter()
                .map(|&password| password.to_owned())
                .collect(),
            mood: Mutex::new(Mood::Right),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/range/{range}", get(answer))
            .with_state(Arc::clone(&state));
        let handle = axum_server::Handle::new();
        let server =
            axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls)));
        let serving = server
            .unwrap()
            .handle(handle.clone())
            .serve(router.into_make_service());
        #[expect(
            clippy::disallowed_methods,
            reason = "the test's own server, which ends with it"
        )]
        tokio::spawn(serving);
        Self {
            url: format!("https://localhost:{port}/range/"),
            authority,
            state,
            handle,
        }
    }

    /// From now on.
    pub(super) fn becomes(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// What it was asked: the last part of each path, and the headers.
    pub(super) fn asked(&self) -> Vec<(String, HeaderMap)> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl Drop for RangeServer {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn answer(
    State(told): State<Arc<Told>>,
    Path(range): Path<String>,
    headers: HeaderMap,
) -> Response {
    told.asked.lock().unwrap().push((range.clone(), headers));
    let mood = told.mood.lock().unwrap().clone();
    match mood {
        Mood::Right => {}
        Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Mood::Status(status) => {
            return (
                StatusCode::from_u16(status).unwrap(),
                body(&told.passwords, &range),
            )
                .into_response();
        }
        Mood::Hangs => std::future::pending().await,
        Mood::Foreign => return "<html>Welcome</html>".into_response(),
        Mood::Floods => return "0123456789ABCDEF".repeat(1 << 17).into_response(),
        Mood::Redirects => {
            let to = [("location", format!("/range/{range}"))];
            return (StatusCode::FOUND, to).into_response();
        }
    }
    body(&told.passwords, &range).into_response()
}

/// The known passwords of the range among padding, which has a count of 0.
fn body(passwords: &[String], range: &str) -> String {
    let mut lines: Vec<String> = (0..20).map(|number| format!("{number:035X}:0")).collect();
    for password in passwords {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let hash: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        if let Some(rest) = hash.strip_prefix(range) {
            lines.push(format!("{rest}:3"));
        }
    }
    lines.join("\r\n")
}
