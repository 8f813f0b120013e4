//! The load scenarios of `docs`' performance promises, each beside the limit it is measured against, in one run.
//!
//! Machines are shared and noisy: only ratios taken in one run mean anything. Traffic stays on loopback; every loop ends.

mod cpu;
mod empty_handler;
mod load;
mod node;
mod report;
mod scenarios;

use std::net::SocketAddr;

use report::Report;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, address] = arguments.as_slice()
        && command == "empty-handler"
    {
        return empty_handler::serve(address.parse::<SocketAddr>()?).await;
    }

    let mut report = Report::begin();
    report.add(
        &scenarios::password_grant::run("1 password grant, 19 MiB, 2 passes", 19_456, 2, 0.92)
            .await?,
    );
    report.add(
        &scenarios::password_grant::run("2 password grant, 7 MiB, 5 passes", 7_168, 5, 0.88)
            .await?,
    );
    report.add(&scenarios::refused_guess::run().await?);
    report.finish()?;
    Ok(())
}
