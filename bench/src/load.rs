//! Load on one address: closed loop (as fast as answers come) and open loop (at a fixed rate, late or not).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::Failure;

/// The sending end of a connection.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// Makes the n-th request.
pub(crate) type Requests = Arc<dyn Fn(u64) -> Request<Full<Bytes>> + Send + Sync>;

/// What came back.
#[derive(Debug, Default, Clone)]
pub(crate) struct Outcome {
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) took: Duration,
    latencies: Vec<Duration>,
}

impl Outcome {
    pub(crate) fn count(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.count() as f64 / self.took.as_secs_f64()
    }

    /// A percentile of the latencies.
    pub(crate) fn latency(&self, percent: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = sorted.len() * percent / 100;
        sorted
            .get(index.min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    /// A percentile of the latencies, in milliseconds.
    pub(crate) fn millis(&self, percent: usize) -> f64 {
        self.latency(percent).as_secs_f64() * 1_000.0
    }

    /// Fails unless every answer had this status.
    pub(crate) fn expect(&self, status: u16) -> Result<(), Failure> {
        match self.statuses.keys().find(|other| **other != status) {
            None => Ok(()),
            Some(_) => Err(format!("not every answer was {status}: {:?}", self.statuses).into()),
        }
    }

    fn absorb(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.latencies.extend(other.latencies);
    }
}

/// So many connections, each sending again as soon as it is answered.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    requests: &Requests,
) -> Outcome {
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let loops = (0..connections).map(|_| {
        let (requests, next) = (Arc::clone(requests), Arc::clone(&next));
        async move {
            let mut outcome = Outcome::default();
            let mut connection = connect(address).await;
            while started.elapsed() < time {
                let request = requests(next.fetch_add(1, Ordering::Relaxed));
                send(&mut connection, request, Instant::now(), &mut outcome).await;
            }
            outcome
        }
    });
    collect(
        started,
        futures_util::future::join_all(loops.map(in_background)).await,
    )
}

/// So many requests a second over several connections; latency counts from when a request was due.
pub(crate) async fn open_loop(
    address: SocketAddr,
    rate: f64,
    time: Duration,
    requests: &Requests,
) -> Outcome {
    const CONNECTIONS: u64 = 16;
    let started = Instant::now();
    let loops = (0..CONNECTIONS).map(|lane| {
        let requests = Arc::clone(requests);
        async move {
            let mut outcome = Outcome::default();
            let mut connection = connect(address).await;
            for turn in 0_u64.. {
                let number = turn * CONNECTIONS + lane;
                let due = started + Duration::from_secs_f64(number as f64 / rate);
                if due - started >= time {
                    break;
                }
                tokio::time::sleep_until(due).await;
                send(&mut connection, requests(number), due, &mut outcome).await;
            }
            outcome
        }
    });
    collect(
        started,
        futures_util::future::join_all(loops.map(in_background)).await,
    )
}

/// One call on a connection of its own: status and body.
pub(crate) async fn once(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Bytes), Failure> {
    let mut connection = connect(address).await;
    let response = connection.send_request(request).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// Whether somebody answers there.
pub(crate) async fn answers(address: SocketAddr) -> bool {
    let Ok(stream) = TcpStream::connect(address).await else {
        return false;
    };
    let Ok((mut sender, connection)) = handshake(TokioIo::new(stream)).await else {
        return false;
    };
    let alive = sender.send_request(crate::shop::get("/livez", None));
    tokio::select! {
        answer = alive => answer.is_ok_and(|answer| answer.status().is_success()),
        _ = connection => false,
    }
}

async fn in_background(work: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    #[expect(
        clippy::disallowed_methods,
        reason = "a load generator has no jobs to drain"
    )]
    tokio::spawn(work).await.expect("a loop does not panic")
}

fn collect(started: Instant, outcomes: Vec<Outcome>) -> Outcome {
    let mut all = Outcome {
        took: started.elapsed(),
        ..Outcome::default()
    };
    outcomes.into_iter().for_each(|one| all.absorb(one));
    all
}

/// Opens a connection.
pub(crate) async fn connect(address: SocketAddr) -> Sender {
    let stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    stream
        .set_nodelay(true)
        .expect("sockets can be told to send at once");
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .expect("the server speaks HTTP");
    #[expect(
        clippy::disallowed_methods,
        reason = "a load generator has no jobs to drain"
    )]
    tokio::spawn(connection);
    sender
}

async fn send(
    connection: &mut Sender,
    request: Request<Full<Bytes>>,
    due: Instant,
    outcome: &mut Outcome,
) {
    connection.ready().await.expect("the connection stays open");
    let response = connection
        .send_request(request)
        .await
        .expect("the server answers");
    let status = response.status().as_u16();
    response
        .into_body()
        .collect()
        .await
        .expect("the answer is whole");
    *outcome.statuses.entry(status).or_default() += 1;
    outcome.latencies.push(due.elapsed());
}
