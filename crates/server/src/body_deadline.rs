//! A request's body has a deadline as a whole: one byte now and then does not move it.
//!
//! What is late is an error, never an end: a body cut short must not read as a shorter one. Sizes are bounded in `router`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Sleep;

use crate::app::App;
use crate::router::MAX_BODY;

/// What any body is that is longer than allowed.
static TOO_LONG: [u8; MAX_BODY + 1] = [b' '; MAX_BODY + 1];

/// Gives the body of a request its deadline; what is declared too long is too long before it has arrived.
pub(crate) async fn limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let late = Box::pin(tokio::time::sleep(app.settings.connections.body));
    let timed = |body: Body| match body.size_hint().lower() {
        declared if declared > MAX_BODY as u64 => Body::from(&TOO_LONG[..]),
        _ => Body::new(Timed { body, late }),
    };
    next.run(request.map(timed)).await
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the request body took too long")]
struct Late;

struct Timed {
    body: Body,
    late: Pin<Box<Sleep>>,
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => self
                .late
                .as_mut()
                .poll(cx)
                .map(|()| Some(Err(axum::Error::new(Late)))),
            ready => ready,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
