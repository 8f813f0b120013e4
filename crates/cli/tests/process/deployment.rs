//! A deployment in a temporary directory, and the nodes that serve it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use temporary_postgres::TemporaryPostgres;

pub(crate) const AUDIENCE: &str = "https://api.example.com/";
pub(crate) const PASSWORD: &str = "Correct-Horse-7-Battery";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Where data is and how it is reached.
pub(crate) struct Deployment {
    pub(crate) directory: TempDir,
    pub(crate) database: Option<String>,
    pub(crate) root_key: String,
    domain_port: u16,
    administrator: Value,
}

/// The server-side application of the stories.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) token: String,
}

/// One running process.
pub(crate) struct Node {
    child: Child,
    pub(crate) base: String,
    metrics: String,
    pub(crate) http: Client,
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .env_clear()
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    command
}

/// Ends every request: of a thousand at a node that is killed, the client's pool may leave one waiting for a connection
/// that nobody opens.
fn client() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(60))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Deployment {
    /// Prepares the database and an administrator's application.
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::on(None),
            Engine::Postgres => Self::on(Some(TemporaryPostgres::shared().create_database())),
        }
    }

    /// On this PostgreSQL database, or on SQLite.
    pub(crate) fn on(database: Option<String>) -> Self {
        let mut deployment = Self {
            directory: tempfile::tempdir().unwrap(),
            database,
            root_key: "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=".to_owned(),
            domain_port: free_port(),
            administrator: Value::Null,
        };
        if deployment.database.is_some() {
            deployment.output(&["migrate"]);
        }
        deployment.administrator =
            serde_json::from_str(&deployment.output(&["admin", "create-client", "--json"]))
                .unwrap();
        deployment
    }

    /// The binary with this deployment's settings and address.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_without_address(arguments);
        command
            .arg("--public-url")
            .arg(format!("https://localhost:{}/", self.domain_port));
        command
    }

    /// The binary with this deployment's settings, for commands about another tenant or all of them.
    pub(crate) fn command_without_address(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.directory.path());
        command
            .env("PORTCULLIS_ARGON2__MEMORY_KIB", "64")
            .env("PORTCULLIS_ARGON2__PASSES", "1");
        if let Some(url) = &self.database {
            command
                .env("PORTCULLIS_DATABASE__URL", url)
                .env("PORTCULLIS_SERVER__ROOT_KEY", &self.root_key);
        }
        command
    }

    /// The administrator's application: its id, secret and audience.
    pub(crate) fn administrator(&self) -> &Value {
        &self.administrator
    }

    fn output(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a node and waits until it listens.
    pub(crate) fn start(&self) -> Node {
        self.start_with(|_| {})
    }

    /// Starts a node that kills itself at a failpoint's n-th hit.
    #[cfg(feature = "failpoints")]
    pub(crate) fn start_armed(&self, failpoint: &str) -> Node {
        self.start_with(|command| {
            command.env("CRASH_AT", failpoint);
        })
    }

    /// Starts a node whose command was changed.
    pub(crate) fn start_with(&self, change: impl FnOnce(&mut Command)) -> Node {
        self.start_over("http", "--no-tls", change)
    }

    /// The same over TLS; the development CA is in the data directory by then.
    pub(crate) fn start_with_tls(&self, change: impl FnOnce(&mut Command)) -> Node {
        let mut node = self.start_over("https", "--tls-dev", change);
        let ca = std::fs::read(self.directory.path().join("dev-ca/ca.pem")).unwrap();
        let ca = Certificate::from_pem(&ca).unwrap();
        let trusting = client().tls_certs_only([ca]);
        // A kept connection may be closed by the node just when it is used again.
        node.http = trusting.pool_max_idle_per_host(0).build().unwrap();
        node
    }

    fn start_over(&self, scheme: &str, flag: &str, change: impl FnOnce(&mut Command)) -> Node {
        // The client has no other provider built in; a second installation is refused, which is fine.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (port, metrics) = (free_port(), free_port());
        let mut command = self.command(&["serve", flag, "--listen", &format!("127.0.0.1:{port}")]);
        command
            .env("PORTCULLIS_METRICS__LISTEN", format!("127.0.0.1:{metrics}"))
            .stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From here on a panic ends the process too.
        let node = Node {
            child,
            base: format!("{scheme}://127.0.0.1:{port}"),
            metrics: format!("http://127.0.0.1:{metrics}/metrics"),
            http: client().build().unwrap(),
        };
        let line = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(
            line.starts_with("listening on"),
            "the node did not start: {line}"
        );
        node
    }

    /// Makes API, directory, application and users through a node, and raises the limits that are not measured.
    pub(crate) async fn furnish(&self, node: &Node, users: &[&str]) -> Application {
        let keys = &self.administrator;
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": keys["client_id"],
            "client_secret": keys["client_secret"],
            "audience": keys["audience"],
        });
        let token = node.call(Method::POST, "/oauth/token", None, body).await["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let admin = async |method: Method, path: &str, body: Value| {
            node.call(method, &format!("/api/v2/{path}"), Some(&token), body)
                .await
        };
        admin(
            Method::POST,
            "resource-servers",
            json!({"identifier": AUDIENCE, "scopes": [{"value": "read:orders"}]}),
        )
        .await;
        let client = admin(
            Method::POST,
            "clients",
            json!({
                "name": "Shop",
                "app_type": "regular_web",
                "token_endpoint_auth_method": "client_secret_post",
                "is_token_endpoint_ip_header_trusted": true,
                "grant_types": ["password"],
            }),
        )
        .await;
        let directory =
            json!({"name": "Users", "strategy": "auth0", "enabled_clients": [client["client_id"]]});
        admin(Method::POST, "connections", directory).await;
        admin(
            Method::PATCH,
            "tenants/settings",
            json!({"default_directory": "Users"}),
        )
        .await;
        admin(
            Method::PATCH,
            "portcullis/attack-protection",
            json!({"same_user": {"max_attempts": 100_000}}),
        )
        .await;
        let stage = json!({"stage": {"pre-login": {"max_attempts": 2_500, "rate": 34_560}}});
        admin(
            Method::PATCH,
            "attack-protection/suspicious-ip-throttling",
            stage,
        )
        .await;
        for email in users {
            admin(
                Method::POST,
                "users",
                json!({"connection": "Users", "email": email, "password": PASSWORD}),
            )
            .await;
        }
        let text = |member: &str| client[member].as_str().unwrap().to_owned();
        Application {
            client_id: text("client_id"),
            client_secret: text("client_secret"),
            token,
        }
    }
}

impl Node {
    /// A call that must succeed.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> Value {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The status a login is answered with; none if the connection broke.
    pub(crate) async fn login(
        &self,
        application: &Application,
        user: &str,
        password: &str,
        source: &str,
    ) -> Option<u16> {
        let body = json!({
            "grant_type": "password",
            "username": user,
            "password": password,
            "audience": AUDIENCE,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
        });
        let request = self
            .http
            .post(format!("{}/oauth/token", self.base))
            .header("auth0-forwarded-for", source);
        let response = request.json(&body).send().await.ok()?;
        let status = response.status().as_u16();
        // An outcome is told only if its body arrived.
        response.bytes().await.ok().map(|_| status)
    }

    /// Wrong guesses all at once; the statuses that were told.
    pub(crate) async fn burst(
        &self,
        application: &Application,
        user: &str,
        source: &str,
        count: usize,
    ) -> Vec<u16> {
        let guesses = (0..count).map(|number| async move {
            self.login(application, user, &format!("guess-{number}"), source)
                .await
        });
        futures_util::future::join_all(guesses)
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    /// Runs of the password hash, from the metrics.
    pub(crate) async fn hashes(&self) -> u64 {
        self.counted("portcullis_password_hashes_total", |labels| {
            !labels.contains("outcome=\"new\"")
        })
        .await
    }

    /// The sum of a metric's lines with these labels.
    pub(crate) async fn counted(&self, metric: &str, labels: impl Fn(&str) -> bool) -> u64 {
        let response = self.http.get(&self.metrics).send().await.unwrap();
        let text = response.text().await.unwrap();
        let lines = text.lines().filter(|line| {
            line.strip_prefix(metric)
                .is_some_and(|rest| rest.starts_with(['{', ' ']) && labels(rest))
        });
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// How many events of a type the log has, at most 100.
    pub(crate) async fn events(&self, application: &Application, query: &str) -> usize {
        let path = format!("/api/v2/logs?per_page=100&q={query}");
        self.call(Method::GET, &path, Some(&application.token), Value::Null)
            .await
            .as_array()
            .unwrap()
            .len()
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        let (_, address) = self.base.split_once("://").unwrap();
        address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for the process to end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Statuses counted.
pub(crate) fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|one| **one == status).count()
}

/// Stories that are told on both engines.
macro_rules! on_both {
    ($($name:ident = $story:ident;)+) => {$(
        mod $name {
            use $crate::deployment::Engine;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$story(Engine::Postgres).await;
            }
        }
    )+};
}
pub(crate) use on_both;
