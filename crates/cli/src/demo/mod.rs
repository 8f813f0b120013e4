//! `portcullis demo`: a throw-away server on which the login story is played, then served on.
//!
//! Everything is made through the Management API, as a customer would, with the server's own CA.

mod http;
mod story;
mod world;

use server::courier::{Courier, DefaultWay, route};
use server::log_streams::LogStreams;
use server::serve::Transport;

use crate::arguments::Demo;
use crate::settings::Settings;
use crate::{Failure, admin, mailing, open, serve, tls};

/// Starts the server, plays the story, and serves until stopped.
pub(crate) async fn run(options: &Demo) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("portcullis-demo-")
        .tempdir()?;
    let settings = settings(directory.path());
    println!(
        "Portcullis demo: a throw-away server in {}",
        directory.path().display()
    );
    let transport = Transport::Tls(tls::development(directory.path())?);
    let listeners = serve::bind(&[options.listen])?;
    let domain = format!(
        "localhost:{}",
        listeners
            .first()
            .map_or(8443, |bound| bound.local_addr().map_or(8443, |a| a.port()))
    );

    let opened = open::open(&settings, &domain).await?;
    let keys = admin::management_client(&opened, "Demo administrator").await?;
    let app = open::app(&settings, opened, mailing::settings(&settings, true)?).await?;
    Courier::new(&app, route(&app)).start();
    LogStreams::new(&app).start();
    server::statistics::start(&app);
    let router = server::router(app.clone());
    let listening = server::serve::serve(&app, &router, listeners, &transport)?;
    println!("listening on https://{domain}/");

    let ca = tls::dev_ca(directory.path());
    let http = http::Http::new(&domain, &ca)?;
    let world = world::build(&http, &keys).await?;
    let DefaultWay::Outbox(outbox) = &app.settings.mail.default_way else {
        return Err(Failure::new("the demo keeps its mails in an outbox"));
    };
    story::play(&http, &world, outbox).await?;
    story::paste(&domain, &ca, &world);
    if !options.once {
        println!("\nMails of this demo stay in https://{domain}/outbox");
        println!("Serving on. Ctrl-C ends the demo and deletes its data.");
        serve::stop_signal().await;
    }
    listening.drain(&app).await;
    Ok(())
}

fn settings(directory: &std::path::Path) -> Settings {
    let mut settings = Settings::default();
    settings.server.data_dir = directory.to_owned();
    settings
}
