//! Which way a tenant's mails go: its own provider, else the operator's way, else none for now.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keys::Binding;
use mail::{Credentials, Outbox, Security, Smtp, SmtpSettings, SmtpSettingsError, Transport};
use model::{EmailProvider, Tenant, TenantId};
use storage::StoreError;

use crate::app::App;

/// Which way a tenant's mails go; an error is a failure for now, and its text is kept with the mail.
pub type Route = Arc<dyn Fn(TenantId) -> BoxFuture<'static, Result<Way, String>> + Send + Sync>;

/// A way, and whom its mails are from.
#[derive(Clone, Debug)]
pub struct Way {
    pub transport: Arc<Transport>,
    pub sender: Sender,
}

/// Whom a mail is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Whom the template names, else this one, else `no-reply@` the tenant's host.
    OfTenant(Option<String>),
    /// This one, whatever a template says: over the operator's server no tenant speaks in another's name.
    OfOperator(String),
}

/// The operator's way for tenants without a provider of their own.
#[derive(Clone, Debug, Default)]
pub enum DefaultWay {
    /// None: their mails wait, and are given up after a day.
    #[default]
    None,
    /// Demo and development: mails stay on this node.
    Outbox(Outbox),
    /// The operator's own server, and the sender of everything that goes over it.
    Smtp { smtp: Smtp, from: String },
}

/// From the connection to the server's last word.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a mail that finds no way is told.
const NO_WAY: &str =
    "this tenant has no enabled e-mail provider, and the server has no mail.smtp_host";

/// The way of every tenant, as the settings and the tenant's provider say when it is asked for.
pub fn route(app: &Arc<App>) -> Route {
    let app = Arc::clone(app);
    Arc::new(move |tenant| {
        let app = Arc::clone(&app);
        Box::pin(async move { way_of(&app, &tenant).await })
    })
}

async fn way_of(app: &App, tenant: &TenantId) -> Result<Way, String> {
    let rows = app.tenant(tenant);
    let unreadable = |error: StoreError| error.to_string();
    let record = rows.find_email_provider().await.map_err(unreadable)?;
    let Some(record) = record.filter(|record| record.provider.enabled) else {
        return default_way(&app.settings.mail.default_way);
    };
    let Some(tenant) = rows.find_tenant().await.map_err(unreadable)? else {
        return Err("the tenant is gone".to_owned());
    };
    let password = match &record.password_sealed {
        Some(sealed) => Some(opened_password(app, &tenant, sealed)?),
        None => None,
    };
    let smtp = smtp_of(app, &tenant, &record.provider, password.as_deref())
        .map_err(|error| format!("the e-mail provider cannot be used: {error}"))?;
    Ok(Way {
        transport: Arc::new(Transport::Smtp(smtp)),
        sender: Sender::OfTenant(record.provider.default_from_address),
    })
}

/// A tenant's provider as something that can send.
pub(crate) fn smtp_of(
    app: &App,
    tenant: &Tenant,
    provider: &EmailProvider,
    password: Option<&str>,
) -> Result<Smtp, SmtpSettingsError> {
    let roots = app.settings.mail.roots.clone();
    let credentials = provider.smtp_user.clone().zip(password);
    Smtp::new(SmtpSettings {
        host: provider.smtp_host.clone(),
        port: provider.smtp_port,
        security: Security::suitable(&provider.smtp_host, provider.smtp_port, roots),
        credentials: credentials.map(|(user, password)| Credentials {
            user,
            password: password.to_owned(),
        }),
        hello: host_of(tenant).to_owned(),
        timeout: PATIENCE,
    })
}

/// The password of a tenant's provider, as it is kept.
pub(crate) fn sealed_password(app: &App, tenant: &Tenant, password: &str) -> Vec<u8> {
    let binding = password_binding(tenant);
    app.secrets
        .sealer
        .seal(&binding, password.as_bytes(), &*app.entropy)
}

fn opened_password(app: &App, tenant: &Tenant, sealed: &[u8]) -> Result<String, String> {
    let opened = app.secrets.sealer.open(&password_binding(tenant), sealed);
    let opened = opened.map_err(|error| format!("the password of the e-mail provider: {error}"))?;
    String::from_utf8(opened.to_vec())
        .map_err(|_| "the password of the e-mail provider is no text".to_owned())
}

fn password_binding(tenant: &Tenant) -> Binding<'_> {
    Binding {
        tenant: tenant.id.as_str(),
        row: "email_provider",
        field: "smtp_pass",
    }
}

/// How the tenant's mails name their origin: its host, where that is a name.
pub(super) fn host_of(tenant: &Tenant) -> &str {
    let host = tenant.domain.split(':').next().unwrap_or_default();
    if host.is_empty() || host.starts_with('[') {
        return "localhost";
    }
    host
}

fn default_way(way: &DefaultWay) -> Result<Way, String> {
    match way {
        DefaultWay::None => Err(NO_WAY.to_owned()),
        DefaultWay::Outbox(outbox) => Ok(Transport::Outbox(outbox.clone()).into()),
        DefaultWay::Smtp { smtp, from } => Ok(Way {
            transport: Arc::new(Transport::Smtp(smtp.clone())),
            sender: Sender::OfOperator(from.clone()),
        }),
    }
}

impl From<Transport> for Way {
    fn from(transport: Transport) -> Self {
        Self {
            transport: Arc::new(transport),
            sender: Sender::OfTenant(None),
        }
    }
}
