//! What every accepted connection is wrapped in: a place among the open ones, and a bound on unread answers.
//!
//! Bounds on heads are in `serve`, on bodies in `body_deadline`, on the handshake in the TLS acceptor.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::Layer;

use crate::settings::ConnectionSettings;

/// Admits connections as long as there are places.
#[derive(Clone, Debug)]
pub(crate) struct Bounded {
    places: Arc<Semaphore>,
    write: Duration,
}

/// One open connection: its place is free again when its service is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Place(
    #[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>,
);

impl Bounded {
    pub(crate) fn new(settings: &ConnectionSettings) -> Self {
        Self {
            places: Arc::new(Semaphore::new(settings.most)),
            write: settings.write,
        }
    }
}

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = AddExtension<S, Place>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics::counter!("portcullis_connections_refused_total").increment(1);
            return ready(Err(io::Error::other("every place is taken")));
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.write));
        let service = Extension(Place(Arc::new(place))).layer(service);
        ready(Ok((Box::pin(stream), service)))
    }
}
