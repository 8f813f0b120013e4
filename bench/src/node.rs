//! The release binary under load: started on a throw-away directory and furnished through its own Management API.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "Correct-Horse-7-Battery";
const AUDIENCE: &str = "https://api.example.com/";

type Failure = Box<dyn std::error::Error>;

/// A running server and the application that logs its users in.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
    client_id: String,
    client_secret: String,
    _directory: TempDir,
}

/// The folder of this very program, where the server's binary is too.
pub(crate) fn sibling(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    Ok(own.parent().ok_or("the program has no folder")?.join(name))
}

/// A free address on loopback.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Starts a program and waits until it says that it listens.
pub(crate) fn start(command: &mut Command) -> Result<Child, Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    match BufReader::new(output).lines().next() {
        Some(Ok(line)) if line.starts_with("listening on") => Ok(child),
        other => Err(format!("the program did not start: {other:?}").into()),
    }
}

impl Node {
    /// Starts a server with these hash parameters and `users` users.
    pub(crate) async fn start(memory_kib: u32, passes: u32, users: u64) -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let (address, metrics) = (free_address()?, free_address()?);
        let command = |arguments: &[&str]| -> Result<Command, Failure> {
            let mut command = Command::new(sibling("portcullis")?);
            command
                .args(arguments)
                .arg("--data-dir")
                .arg(directory.path());
            command.args([
                "--public-url",
                &format!("https://localhost:{}/", address.port()),
            ]);
            command.env("PORTCULLIS_ARGON2__MEMORY_KIB", memory_kib.to_string());
            command.env("PORTCULLIS_ARGON2__PASSES", passes.to_string());
            command
                .env("PORTCULLIS_METRICS__LISTEN", metrics.to_string())
                .env("RUST_LOG", "warn");
            Ok(command)
        };
        let keys: Value = serde_json::from_slice(
            &command(&["admin", "create-client", "--json"])?
                .output()?
                .stdout,
        )?;
        let child = start(&mut command(&[
            "serve",
            "--no-tls",
            "--listen",
            &address.to_string(),
        ])?)?;
        let mut node = Self {
            child,
            address,
            client_id: String::new(),
            client_secret: String::new(),
            _directory: directory,
        };
        node.furnish(&keys, users).await?;
        Ok(node)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The documented call, for one user from one source.
    pub(crate) fn login(&self, user: u64, password: &str, source: &str) -> Request<Full<Bytes>> {
        let body = json!({
            "grant_type": "password",
            "username": format!("user{user}@example.com"),
            "password": password,
            "audience": AUDIENCE,
            "scope": "read:orders",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        });
        let request = Request::post("/oauth/token")
            .header("host", "localhost")
            .header("content-type", "application/json");
        request
            .header("auth0-forwarded-for", source)
            .body(Full::from(body.to_string()))
            .expect("a request")
    }

    async fn furnish(&mut self, keys: &Value, users: u64) -> Result<(), Failure> {
        let credentials = json!({
            "grant_type": "client_credentials",
            "client_id": keys["client_id"],
            "client_secret": keys["client_secret"],
            "audience": keys["audience"],
        });
        let token = self.call("POST", "/oauth/token", "", &credentials).await?["access_token"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        let api = json!({"identifier": AUDIENCE, "scopes": [{"value": "read:orders"}]});
        self.call("POST", "/api/v2/resource-servers", &token, &api)
            .await?;
        let client = json!({
            "name": "Shop",
            "app_type": "regular_web",
            "token_endpoint_auth_method": "client_secret_post",
            "is_token_endpoint_ip_header_trusted": true,
            "grant_types": ["password"],
        });
        let client = self
            .call("POST", "/api/v2/clients", &token, &client)
            .await?;
        self.client_id = client["client_id"].as_str().unwrap_or("").to_owned();
        self.client_secret = client["client_secret"].as_str().unwrap_or("").to_owned();
        let directory =
            json!({"name": "Users", "strategy": "auth0", "enabled_clients": [self.client_id]});
        self.call("POST", "/api/v2/connections", &token, &directory)
            .await?;
        self.call(
            "PATCH",
            "/api/v2/tenants/settings",
            &token,
            &json!({"default_directory": "Users"}),
        )
        .await?;
        let limit = json!({"same_user": {"max_attempts": 1_000_000, "rate": 1}});
        self.call(
            "PATCH",
            "/api/v2/portcullis/attack-protection",
            &token,
            &limit,
        )
        .await?;
        for user in 0..users {
            let email = format!("user{user}@example.com");
            let user = json!({"connection": "Users", "email": email, "password": PASSWORD});
            self.call("POST", "/api/v2/users", &token, &user).await?;
        }
        Ok(())
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a load generator has no jobs to drain"
        )]
        tokio::spawn(connection);
        let body: Full<Bytes> = Full::from(body.to_string());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost");
        let request = request
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let response = sender.send_request(request.body(body)?).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
