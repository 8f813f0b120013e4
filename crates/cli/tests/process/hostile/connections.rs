//! A thousand connections that are held open in every way: honest logins go on, each is closed within the node's patience,
//! and memory stays bounded.

use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{ANA, furnished, furnished_with, impatient};
use crate::deployment::{Application, Deployment, Engine, Node, PASSWORD};

const CROWD: usize = 1_000;
/// What the crowd may cost at its worst: 64 MB and 50 kB a connection.
const ALLOWED_KB: u64 = (64 << 10) + 50 * CROWD as u64;
/// Far beyond the node's patience: what is open by then stays open.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two bytes of a client that means to be slow.
const PAUSE: Duration = Duration::from_millis(200);

const HEAD: &str =
    "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

/// How a client holds its connection.
#[derive(Clone, Copy)]
enum Held {
    /// Says nothing.
    Idle,
    /// Stops in the middle: of a request's head, or of a TLS hello.
    After(&'static [u8]),
    /// Sends the second part again and again, slowly.
    Slowly(&'static [u8], &'static [u8]),
    /// Asks as fast as it can and reads no answer.
    Unread(&'static [u8]),
}

impl Held {
    /// Fewer where each makes the server fill the system's buffers with answers.
    fn crowd(self) -> usize {
        match self {
            Self::Unread(_) => CROWD / 50,
            Self::Idle | Self::After(_) | Self::Slowly(..) => CROWD,
        }
    }

    /// Until the server ends the connection.
    async fn until_closed(self, stream: TcpStream) {
        let (mut reading, mut writing) = stream.into_split();
        let mut nothing = Vec::new();
        let _ = match self {
            Self::Idle => reading.read_to_end(&mut nothing).await.map(drop),
            Self::After(part) => {
                let _ = writing.write_all(part).await;
                reading.read_to_end(&mut nothing).await.map(drop)
            }
            Self::Slowly(first, again) => {
                let trickle = async {
                    let _ = writing.write_all(first).await;
                    while writing.write_all(again).await.is_ok() {
                        tokio::time::sleep(PAUSE).await;
                    }
                };
                tokio::select! {
                    () = trickle => Ok(()),
                    ended = reading.read_to_end(&mut nothing) => ended.map(drop),
                }
            }
            Self::Unread(request) => loop {
                if let Err(error) = writing.write_all(request).await {
                    break Err(error);
                }
            },
        };
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (way, bytes): (_, &[u8]) = match self {
            Self::Idle => ("idle", b""),
            Self::After(part) => ("stopped after", part),
            Self::Slowly(_, again) => ("slowly sending", again),
            Self::Unread(request) => ("not reading answers to", request),
        };
        let shown = bytes.get(..60).unwrap_or(bytes).escape_ascii();
        write!(f, "{way} {shown}")
    }
}

/// This many connections at once; honest logins go on while they last, and then all of them have ended.
async fn besieged(node: &Node, application: &Application, held: Held) {
    let crowd = join_all((0..held.crowd()).map(|_| connect(node.address()))).await;
    let ended = join_all(crowd.into_iter().map(|stream| held.until_closed(stream)));
    let ended = tokio::time::timeout(PATIENCE, ended);
    let honest = async {
        for _ in 0..3 {
            let told = node.login(application, ANA, PASSWORD, "192.0.2.1").await;
            assert_eq!(told, Some(200), "{held:?}: an honest login amid the crowd");
        }
    };
    let (ended, ()) = tokio::join!(ended, honest);
    assert!(ended.is_ok(), "{held:?}: a connection stays open");
    let told = node.login(application, ANA, PASSWORD, "192.0.2.1").await;
    assert_eq!(told, Some(200), "{held:?}: an honest login after the crowd");
}

/// A connection with room for little, so that answers nobody reads pile up at the server.
async fn connect(address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.set_send_buffer_size(4_096).unwrap();
    socket.connect(address.parse().unwrap()).await.unwrap()
}

/// A figure of the process in kB: `VmRSS`, or `VmHWM` for the highest so far.
fn memory(node: &Node, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(figure))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The clients' ends are files of this process.
fn allow_many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

async fn siege(node: &Node, application: &Application, ways: &[Held]) {
    let before = memory(node, "VmRSS");
    for held in ways {
        besieged(node, application, *held).await;
        let highest = memory(node, "VmHWM");
        println!(
            "{held:?}: {before} kB before, {} kB after, {highest} kB at most",
            memory(node, "VmRSS")
        );
        assert!(
            highest <= before + ALLOWED_KB,
            "{held:?}: {before} kB before, {highest} kB at most"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_held_connections_end_and_leave_logins_alone() {
    allow_many_files();
    let deployment = Deployment::new(Engine::Sqlite);
    let (node, application) = furnished(&deployment).await;
    let body = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
    let chunks = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
    let ways = [
        Held::Idle,
        Held::After(HEAD.as_bytes()),
        Held::After(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        Held::After(body.as_bytes()),
        // An answered request, and then nothing more.
        Held::After(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Held::Slowly(HEAD.as_bytes(), b"X-Slow: loris\r\n"),
        Held::Slowly(body.as_bytes(), b" "),
        Held::Slowly(chunks.as_bytes(), b"1\r\n \r\n"),
        Held::Unread(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ];
    siege(&node, &application, &ways).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_half_open_handshakes_end_and_leave_logins_alone() {
    allow_many_files();
    let deployment = Deployment::new(Engine::Sqlite);
    let node = deployment.start_with_tls(impatient);
    let application = deployment.furnish(&node, &[ANA]).await;
    let ways = [
        Held::Idle,
        // The beginning of a record, of a hello in a record, and what is no TLS at all.
        Held::After(b"\x16\x03\x01"),
        Held::After(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        Held::Slowly(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", b"\0"),
        Held::After(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Held::After(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
        Held::After(b"\x15\x03\x03\x00\x02\x02\x28"),
        Held::After(&[0xff; 20_000]),
    ];
    siege(&node, &application, &ways).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_bound_are_closed_at_once_and_counted() {
    const MOST: usize = 20;
    let deployment = Deployment::new(Engine::Sqlite);
    let bounded = |command: &mut std::process::Command| {
        impatient(command);
        command.env("PORTCULLIS_SERVER__MAX_CONNECTIONS", MOST.to_string());
    };
    let (node, application) = furnished_with(&deployment, bounded).await;
    let crowd = join_all((0..MOST + 10).map(|_| connect(node.address()))).await;
    let ended = join_all(
        crowd
            .into_iter()
            .map(|stream| Held::Idle.until_closed(stream)),
    );
    tokio::time::timeout(PATIENCE, ended).await.unwrap();

    let refused = node
        .counted("portcullis_connections_refused_total", |_| true)
        .await;
    assert!(refused >= 10, "{refused} were refused");
    let told = node.login(&application, ANA, PASSWORD, "192.0.2.1").await;
    assert_eq!(told, Some(200), "every place is free again");
}
