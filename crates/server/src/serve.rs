//! Listening: bound sockets in, answers out, until told to drain.
//!
//! Draining stops accepting, lets open requests end, then waits for everything that was detached from its connection.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;

use crate::app::App;
use crate::connection::Bounded;
use crate::settings::ConnectionSettings;

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(20);
/// Larger heads are refused (431).
const MAX_HEAD: usize = 32 * 1024;

/// What goes over a listener.
#[derive(Clone)]
pub enum Transport {
    Tls(Arc<ServerConfig>),
    Plain,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tls(_) => "Tls",
            Self::Plain => "Plain",
        })
    }
}

/// Running listeners.
#[derive(Debug)]
pub struct Listening {
    handle: Handle<SocketAddr>,
    servers: Vec<tokio::task::JoinHandle<std::io::Result<()>>>,
}

/// Serves `router` on every listener.
pub fn serve(
    app: &App,
    router: &Router,
    listeners: Vec<TcpListener>,
    transport: &Transport,
) -> std::io::Result<Listening> {
    let handle = Handle::new();
    let settings = &app.settings.connections;
    let bounded = Bounded::new(settings);
    let mut servers = Vec::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let service = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let running = match transport {
            Transport::Tls(config) => {
                let config = RustlsConfig::from_config(Arc::clone(config));
                let acceptor = RustlsAcceptor::new(config)
                    .handshake_timeout(settings.handshake)
                    .acceptor(bounded.clone());
                let mut server = axum_server::from_tcp(listener)?
                    .acceptor(acceptor)
                    .first_request_timeout(settings.head)
                    .handle(handle.clone());
                bound(server.http_builder(), settings);
                app.jobs.detach(server.serve(service))
            }
            Transport::Plain => {
                let mut server = axum_server::from_tcp(listener)?
                    .acceptor(bounded.clone())
                    .first_request_timeout(settings.head)
                    .handle(handle.clone());
                bound(server.http_builder(), settings);
                app.jobs.detach(server.serve(service))
            }
        };
        servers.push(running);
    }
    Ok(Listening { handle, servers })
}

fn bound(builder: &mut Builder<TokioExecutor>, settings: &ConnectionSettings) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.head)
        .keep_alive_timeout(settings.head)
        .max_header_list_size(MAX_HEAD as u32)
        .max_concurrent_streams(250);
}

impl Listening {
    /// Waits until a listener fails; does not return otherwise.
    pub async fn failed(&mut self) -> std::io::Error {
        let (ended, _, _) = futures_util::future::select_all(&mut self.servers).await;
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => std::io::Error::other("a listener ended"),
        }
    }

    /// Stops accepting and ends idle connections.
    pub fn stop(&self) {
        self.handle.graceful_shutdown(Some(DRAIN));
    }

    /// Stops accepting, lets requests end, and waits for detached work.
    pub async fn drain(self, app: &App) {
        self.stop();
        app.jobs.drain().await;
        app.pool.shutdown();
    }
}
