//! The limit for everything that costs neither hash nor statement: an axum handler that answers nothing.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::post;

/// Serves until killed.
pub(crate) async fn serve(address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {address}");
    axum::serve(
        listener,
        Router::new().route("/oauth/token", post(async || "")),
    )
    .await?;
    Ok(())
}
