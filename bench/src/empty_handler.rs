//! The limit for everything that costs neither hash nor statement: an axum handler that answers nothing, on the kind of
//! listener that the server has.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};

use axum::Router;
use hyper_util::rt::TokioTimer;

use crate::Failure;
use crate::node;

/// Serves until killed.
pub(crate) async fn serve(address: SocketAddr) -> Result<(), Failure> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {address}");
    let mut server = axum_server::from_tcp(listener)?;
    server.http_builder().http1().timer(TokioTimer::new());
    let router = Router::new().fallback(async || "");
    server
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await?;
    Ok(())
}

/// The handler in a process of its own, as the server is.
pub(crate) struct EmptyHandler {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl EmptyHandler {
    pub(crate) fn start() -> Result<Self, Failure> {
        let address = node::free_address()?;
        let mut command = Command::new(node::sibling("bench")?);
        let child = node::start(command.arg("empty-handler").arg(address.to_string()))?;
        Ok(Self { child, address })
    }
}

impl Drop for EmptyHandler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
