//! `portcullis serve`: bind, announce, serve, drain on SIGTERM or Ctrl-C.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use metrics_exporter_prometheus::PrometheusBuilder;
use server::courier::{Courier, route};
use server::log_streams::LogStreams;
use server::serve::Transport;
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::DEFAULT_DOMAIN;
use crate::arguments::Serve;
use crate::{Failure, mailing, open, settings, tls};

/// Runs until told to stop.
pub(crate) async fn run(options: &Serve) -> Result<(), Failure> {
    log_to_stderr();
    let settings = settings::load_for_serving(options)?;
    let addresses = &settings.server.listen;
    let fallback = addresses
        .first()
        .map_or(DEFAULT_DOMAIN.to_owned(), |first| {
            format!("localhost:{}", first.port())
        });
    let transport = transport(options, &settings.server.data_dir)?;
    let mail = mailing::settings(&settings, options.tls_dev)?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let listeners = bind(addresses)?;
    let metrics_listener = bind(&[settings.metrics.listen])?;

    let opened = open::open(&settings, &fallback).await?;
    tracing::info!(domain = opened.tenant.domain, durability = %opened.store.durability(), "store open");
    let app = open::app(&settings, opened, mail).await?;
    server::sweep::start(&app);
    server::statistics::start(&app);
    Courier::new(&app, route(&app)).start();
    LogStreams::new(&app).start();
    server::breach::start(&app).await;
    let announced: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let router = server::router(app.clone());
    // Whoever reads that this server listens may stop it at once, and it must end as it should.
    let stop = stop_signal();
    let mut listening = server::serve::serve(&app, &router, listeners, &transport)?;
    let metrics_router = server::metrics_endpoint::router(metrics);
    let metrics = server::serve::serve(&app, &metrics_router, metrics_listener, &Transport::Plain)?;
    let scheme = if matches!(transport, Transport::Plain) {
        "http"
    } else {
        "https"
    };
    for address in announced {
        println!("listening on {scheme}://{address}");
    }

    let stopped = tokio::select! {
        () = stop => Ok(()),
        error = listening.failed() => Err(Failure::new(format!("a listener failed: {error}"))),
    };
    tracing::info!("draining");
    metrics.stop();
    listening.drain(&app).await;
    stopped
}

/// SIGTERM, or Ctrl-C at a terminal, from this call on.
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    let of = |kind| signal(kind).expect("signal handlers can be installed");
    let (mut terminate, mut interrupt) = (of(SignalKind::terminate()), of(SignalKind::interrupt()));
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// JSON lines on standard error; `RUST_LOG` chooses what.
pub(crate) fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,server=info,portcullis=info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Binds every address, or says which one is taken.
pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let bind = |address: &SocketAddr| {
        listener(*address)
            .map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))
    };
    addresses.iter().map(bind).collect()
}

/// With room for a burst of connections: beyond the standard library's 128 the system would drop them in silence.
fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    const WAITING: u32 = 4_096;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)?.into_std()
}

fn transport(options: &Serve, data_dir: &Path) -> Result<Transport, Failure> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Ok(Transport::Tls(tls::from_files(certificate, key)?)),
        _ if options.tls_dev => Ok(Transport::Tls(tls::development(data_dir)?)),
        _ if options.no_tls => Ok(Transport::Plain),
        _ => Err(Failure::new(
            "say how to serve: --tls-cert FILE --tls-key FILE, --tls-dev for localhost, or --no-tls behind a TLS proxy",
        )),
    }
}
