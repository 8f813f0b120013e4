//! `portcullis admin …`: makes what an administrator needs to begin, straight in the database.
//!
//! On SQLite it needs the server stopped, since one process owns the file.

use std::sync::Arc;

use keys::{Entropy, SystemEntropy};
use serde_json::json;
use server::{Clock, Secrets, SystemClock, bootstrap};

use crate::arguments::{Admin, CreateClient};
use crate::open::Opened;
use crate::{Failure, open, settings, tls};

pub(crate) const DEFAULT_DOMAIN: &str = "localhost:8443";

/// Runs one of the commands.
pub(crate) async fn run(command: &Admin) -> Result<(), Failure> {
    match command {
        Admin::CreateClient(options) => create_client(options).await,
    }
}

/// An application that may do everything in the Management API.
pub(crate) struct ManagementClient {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) audience: String,
}

/// Makes one.
pub(crate) async fn management_client(
    opened: &Opened,
    name: &str,
) -> Result<ManagementClient, Failure> {
    let secrets = Secrets::of(&opened.root);
    let entropy: Arc<dyn Entropy + Send + Sync> = Arc::new(SystemEntropy);
    let rows = opened.store.tenant(&opened.tenant.id);
    let now = SystemClock.now();
    let (id, client_secret) =
        bootstrap::create_management_client(&rows, &secrets, &entropy, now, &opened.tenant, name)
            .await?;
    Ok(ManagementClient {
        client_id: id.as_str().to_owned(),
        client_secret,
        audience: opened.tenant.management_audience(),
    })
}

async fn create_client(options: &CreateClient) -> Result<(), Failure> {
    let mut settings = settings::load(&options.database)?;
    if let Some(tenant) = &options.tenant {
        settings.server.public_url = None;
        settings.server.default_tenant = Some(tenant.clone());
    }
    let opened = open::open(&settings, DEFAULT_DOMAIN).await?;
    let ManagementClient {
        client_id,
        client_secret,
        audience,
    } = management_client(&opened, &options.name).await?;
    if options.json {
        // The CA exists once a server has run with --tls-dev; it is made here so that the path can be relied on.
        tls::ensure_dev_ca(&settings.server.data_dir)?;
        let ca = std::path::absolute(tls::dev_ca(&settings.server.data_dir))?;
        println!(
            "{}",
            json!({
                "domain": opened.tenant.domain,
                "client_id": client_id,
                "client_secret": client_secret,
                "audience": audience,
                "ca_file": ca,
            })
        );
    } else {
        println!("domain         {}", opened.tenant.domain);
        println!("client_id      {client_id}");
        println!("client_secret  {client_secret}");
        println!("audience       {audience}");
        println!(
            "The secret is shown this once. The application may do everything in the Management API."
        );
    }
    Ok(())
}
