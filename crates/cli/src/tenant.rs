//! `portcullis tenant …`: the tenants of a deployment, straight in the database.
//!
//! On SQLite it needs the server stopped, since one process owns the file; on PostgreSQL nodes see a change within a second.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use keys::SystemEntropy;
use model::Tenant as Row;
use serde_json::{Value, json};
use server::{Clock, Secrets, SystemClock, bootstrap};
use storage::{Page, Store, UserFilter, Work};

use crate::arguments::Database;
use crate::{Failure, open, settings};

/// A node serves a tenant it remembers for less than a second, and a request for at most 25.
const IN_FLIGHT: Duration = Duration::from_secs(27);

#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Make a tenant, with its signing key, under an address of its own.
    Create(Create),
    /// Name every tenant.
    List(List),
    /// Say what a tenant is and has.
    Show(Show),
    /// Remove a tenant with everything it has.
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    database: Database,
    /// Short name: lower-case letters, digits and hyphens.
    #[arg(long)]
    name: String,
    /// Another host that leads to the tenant; its issuer stays the one of --public-url. May be given several times.
    #[arg(long, value_name = "HOST[:PORT]")]
    alias: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    database: Database,
    /// Print one JSON list.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    database: Database,
    /// Name, domain or id.
    tenant: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    database: Database,
    /// Name, domain or id.
    tenant: String,
    /// Do it without asking for the name; nothing brings it back but a backup.
    #[arg(long)]
    yes: bool,
}

/// Runs one of the commands.
pub(crate) async fn run(command: &Tenant) -> Result<(), Failure> {
    match command {
        Tenant::Create(options) => create(options).await,
        Tenant::List(options) => list(options).await,
        Tenant::Show(options) => show(options).await,
        Tenant::Delete(options) => delete(options).await,
    }
}

async fn create(options: &Create) -> Result<(), Failure> {
    let url = options.database.public_url.as_deref().ok_or_else(|| {
        Failure::new(
            "--public-url is missing: the address of the new tenant, as in https://id.example.com/",
        )
    })?;
    let domain = settings::domain(url)?;
    let name = &options.name;
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&name.len()) && name.bytes().all(fits)
    };
    if !is_name(name) {
        return Err(Failure::new(format!(
            "--name `{name}`: use 1 to 63 lower-case letters, digits and hyphens"
        )));
    }
    let alias = |text: &String| {
        settings::host(text)
            .ok_or_else(|| Failure::new(format!("--alias `{text}` is not of the form HOST[:PORT]")))
    };
    let aliases: Vec<String> = options.alias.iter().map(alias).collect::<Result<_, _>>()?;
    let (store, root) = open::deployment(&settings::load(&options.database)?).await?;
    if store
        .list_tenants()
        .await?
        .iter()
        .any(|tenant| tenant.name == *name)
    {
        return Err(Failure::new(format!(
            "there is a tenant called `{name}` already"
        )));
    }

    let (secrets, now) = (Secrets::of(&root), SystemClock.now());
    let made = bootstrap::add_tenant(
        &store,
        &secrets,
        &SystemEntropy,
        now,
        name,
        &domain,
        &aliases,
    );
    let Some(tenant) = made.await? else {
        return Err(Failure::new(taken(&store, &domain, &aliases).await?));
    };
    println!("tenant   {}", tenant.name);
    println!("issuer   {}", tenant.issuer());
    println!("aliases  {}", listed(&tenant.aliases));
    println!("Next: portcullis admin create-client --tenant {name}");
    Ok(())
}

/// Which of the hosts leads to whom.
async fn taken(store: &Store, domain: &str, aliases: &[String]) -> Result<String, Failure> {
    for host in std::iter::once(domain).chain(aliases.iter().map(String::as_str)) {
        if let Some(owner) = store.find_tenant_by_host(host).await? {
            return Ok(format!(
                "{host} leads to the tenant `{}` already",
                owner.name
            ));
        }
    }
    Ok("one of the hosts led to another tenant a moment ago; try again".to_owned())
}

async fn list(options: &List) -> Result<(), Failure> {
    let (store, _) = open::deployment(&settings::load(&options.database)?).await?;
    let mut tenants = store.list_tenants().await?;
    tenants.sort_by(|one, other| one.name.cmp(&other.name));
    if options.json {
        let tenants: Vec<Value> = tenants.iter().map(described).collect();
        println!("{}", Value::Array(tenants));
        return Ok(());
    }
    for tenant in tenants {
        println!(
            "{:<20}  {:<40}  {}",
            tenant.name,
            tenant.issuer(),
            listed(&tenant.aliases)
        );
    }
    Ok(())
}

async fn show(options: &Show) -> Result<(), Failure> {
    let (store, _) = open::deployment(&settings::load(&options.database)?).await?;
    let tenant = open::find_tenant(&store, &options.tenant).await?;
    let rows = store.tenant(&tenant.id);
    let one = || Page::numbered(0, 1);
    let (users, clients, apis) = (
        rows.list_users(one(), &UserFilter::default()).await?.total,
        rows.list_clients(one()).await?.total,
        rows.list_resource_servers(one()).await?.total,
    );
    if options.json {
        let mut shown = described(&tenant);
        for (name, count) in [("users", users), ("applications", clients), ("apis", apis)] {
            shown[name] = json!(count);
        }
        shown["log_retention_days"] = json!(tenant.logs.retention_days);
        println!("{shown}");
        return Ok(());
    }
    println!("tenant        {}", tenant.name);
    println!("issuer        {}", tenant.issuer());
    println!("aliases       {}", listed(&tenant.aliases));
    println!("users         {users}");
    println!("applications  {clients}");
    println!("apis          {apis}");
    println!("logs          {} days", tenant.logs.retention_days);
    Ok(())
}

async fn delete(options: &Delete) -> Result<(), Failure> {
    let settings = settings::load(&options.database)?;
    let (store, _) = open::deployment(&settings).await?;
    let tenant = open::find_tenant(&store, &options.tenant).await?;
    let name = &tenant.name;
    if let Some(default) = &settings.server.default_tenant
        && open::find_tenant(&store, default).await?.id == tenant.id
    {
        return Err(Failure::new(format!(
            "`{name}` is server.default_tenant; name another one there first"
        )));
    }
    if let Some(url) = &settings.server.public_url
        && settings::domain(url)? == tenant.domain
    {
        return Err(Failure::new(format!(
            "`{name}` is the tenant of server.public_url and would be made anew, empty, at the next start; \
             name another address there first"
        )));
    }
    if store.list_tenants().await?.len() == 1 {
        return Err(Failure::new(format!(
            "`{name}` is the only tenant; a deployment keeps one. Remove the database to begin anew"
        )));
    }
    if !options.yes && !typed(&tenant)? {
        return Err(Failure::new(format!(
            "nothing was removed; `{name}` and its users, applications, keys and logs go for ever once its name is typed, \
             or with --yes"
        )));
    }

    // The tenant itself goes last, so that the command can be given again if it is interrupted.
    let rows = store.tenant(&tenant.id);
    rows.write(async move |work: &mut Work| work.close_tenant().await)
        .await?;
    if settings.database.url.is_some() {
        eprintln!(
            "No host leads to `{name}` any more. Waiting 27 s for requests in flight; \
             if this is interrupted, give the same command again …"
        );
        tokio::time::sleep(IN_FLIGHT).await;
    }
    let mut removed = 0;
    // A node that was counting or cleaning up may have written a row behind the first pass.
    loop {
        let found = rows.remove_rows().await?;
        removed += found;
        if found == 0 {
            break;
        }
    }
    rows.write(async move |work: &mut Work| work.remove_tenant().await)
        .await?;
    println!("removed the tenant `{name}` with {removed} rows");
    Ok(())
}

/// Whether the person at the terminal types the tenant's name.
fn typed(tenant: &Row) -> Result<bool, Failure> {
    println!(
        "This removes `{}` ({}) with its users, applications, keys and logs for ever.",
        tenant.name,
        tenant.issuer()
    );
    print!("Type the name to do it: ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == tenant.name)
}

fn described(tenant: &Row) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "issuer": tenant.issuer(),
        "domain": tenant.domain,
        "aliases": tenant.aliases,
    })
}

fn listed(aliases: &[String]) -> String {
    if aliases.is_empty() {
        "–".to_owned()
    } else {
        aliases.join(", ")
    }
}
