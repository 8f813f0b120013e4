//! More requests than the server can serve, each sent when it is due whether or not others were answered.
//!
//! Bounded by open connections; what would need one more is not sent, and counted.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::load::{Sender, connect};

/// Connections at once.
pub(crate) const MOST_CONNECTIONS: usize = 2_048;

/// Who a request stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Hostile,
    /// Right password, at an address from which the user has logged in before.
    AtHome,
    /// Right password, at an address nobody was ever seen at.
    Newcomer,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) who: Who,
    pub(crate) status: u16,
    /// From when it was due.
    pub(crate) took: Duration,
    pub(crate) says_when_to_retry: bool,
}

/// What a flood came to.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    pub(crate) answers: Vec<Answered>,
    pub(crate) unsent: u64,
}

/// Makes the n-th request.
pub(crate) type Requests = Arc<dyn Fn(u64) -> (Who, Request<Full<Bytes>>) + Send + Sync>;

/// So many requests a second for so long; ends when all are answered.
pub(crate) async fn flood(
    address: SocketAddr,
    rate: f64,
    time: Duration,
    requests: &Requests,
) -> Flood {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let idle: Arc<Mutex<Vec<Sender>>> = Arc::default();
    let started = Instant::now();
    let mut flood = Flood::default();
    let mut open = Vec::new();
    for number in 0_u64.. {
        let due = started + Duration::from_secs_f64(number as f64 / rate);
        if due - started >= time {
            break;
        }
        tokio::time::sleep_until(due).await;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            flood.unsent += 1;
            continue;
        };
        let (who, request) = requests(number);
        let idle = Arc::clone(&idle);
        let sent = async move {
            let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = lock().pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect(address).await,
            };
            let (status, says_when_to_retry) = send(&mut connection, request).await;
            let answered = Answered {
                who,
                status,
                took: due.elapsed(),
                says_when_to_retry,
            };
            lock().push(connection);
            drop(place);
            answered
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "a load generator has no jobs to drain"
        )]
        open.push(tokio::spawn(sent));
    }
    for answer in open {
        flood
            .answers
            .push(answer.await.expect("sending does not panic"));
    }
    flood
}

async fn send(connection: &mut Sender, request: Request<Full<Bytes>>) -> (u16, bool) {
    connection.ready().await.expect("the connection stays open");
    let response = connection
        .send_request(request)
        .await
        .expect("the server answers");
    let status = response.status().as_u16();
    let says_when = response.headers().contains_key("retry-after");
    response
        .into_body()
        .collect()
        .await
        .expect("the answer is whole");
    (status, says_when)
}
