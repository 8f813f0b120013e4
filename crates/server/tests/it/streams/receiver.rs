//! An HTTP receiver on this machine that behaves as a story wants it to, and remembers what it was sent.
//!
//! It reads and writes bytes itself, so that it can hang, close early and answer half. It ends with its value.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    /// After so many milliseconds.
    Slow(u64),
    /// This status, and headers as they are written.
    Status(u16, &'static str),
    /// Never.
    Hangs,
    /// Closes the connection instead of answering.
    ClosesEarly,
    /// Says 200 and closes before the rest of its answer.
    ClosesHalfway,
}

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Whether it was told that it was taken.
    pub(crate) taken: bool,
}

impl Received {
    /// The events of a body with one a line.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let lines = self.body.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn batch(&self) -> &str {
        &self.headers["x-portcullis-batch"]
    }
}

struct State {
    mood: Mutex<Mood>,
    received: Mutex<Vec<Received>>,
    connections: Mutex<usize>,
    ended: AtomicBool,
}

pub(crate) struct Receiver {
    pub(crate) port: u16,
    state: Arc<State>,
}

impl Receiver {
    /// On a free port, and willing.
    pub(crate) fn start() -> Self {
        Self::on(0)
    }

    /// On the port where another one was.
    pub(crate) fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            mood: Mutex::new(Mood::Takes),
            received: Mutex::default(),
            connections: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                *serving.connections.lock().unwrap() += 1;
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serve(&serving, &stream));
            }
        });
        Self { port, state }
    }

    /// `http://127.0.0.1:PORT/events`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/events", self.port)
    }

    /// From now on.
    pub(crate) fn becomes(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// Everything that was sent, in the order of arrival.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then goes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Requests of one connection until it ends.
fn serve(state: &State, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read(&mut reader) {
        if state.ended.load(Ordering::SeqCst) {
            return;
        }
        let mood = state.mood.lock().unwrap().clone();
        request.taken = matches!(
            mood,
            Mood::Takes | Mood::Slow(_) | Mood::ClosesHalfway | Mood::Status(200..=299, _)
        );
        state.received.lock().unwrap().push(request);
        let answer = match mood {
            Mood::Takes => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Mood::Slow(millis) => {
                wait(state, Duration::from_millis(millis));
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()
            }
            Mood::Status(status, headers) => {
                format!("HTTP/1.1 {status} So\r\n{headers}Content-Length: 0\r\n\r\n")
            }
            Mood::Hangs => return wait(state, Duration::from_secs(60)),
            Mood::ClosesEarly => return,
            Mood::ClosesHalfway => {
                let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
                let _ = (&*stream).write_all(half.as_bytes());
                return;
            }
        };
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Waits in short steps, so that the end is noticed.
fn wait(state: &State, time: Duration) {
    const STEP: Duration = Duration::from_millis(20);
    let (_silent, never) = channel::<()>();
    let mut left = time;
    while !left.is_zero() && !state.ended.load(Ordering::SeqCst) {
        let _ = never.recv_timeout(STEP.min(left));
        left = left.saturating_sub(STEP);
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let mut line = String::new();
    let mut next = |reader: &mut BufReader<&TcpStream>| -> Option<String> {
        line.clear();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = next(reader)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let line = next(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        path,
        headers,
        body: String::from_utf8(body).ok()?,
        taken: false,
    })
}
