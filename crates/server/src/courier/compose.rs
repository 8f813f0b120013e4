//! From a notice to the message that is sent: who gets it, what it says, where its link leads.
//!
//! Composing may happen again after a failure or a crash: the ticket of a link is stored once and stays the same.

use std::time::Duration;

use mail::{DEFAULT_LINK_LIFETIME, Draft, Message, Rendered, Template, TemplateName, Variables};
use model::{Tenant, UserRecord};
use serde_json::{Map, Value};
use storage::{ClaimedMail, StoreError, TenantStore, TicketRecord, Work};

use super::notice::{Addressee, Link, Notice, Words, binding};
use crate::app::App;

/// What a claimed mail came to.
pub(super) enum Composed {
    Message(Box<Message>),
    /// Nobody is to get it: there is no such user, or he has no address.
    Nobody,
    /// It can never be sent; why.
    Broken(String),
}

/// Composes a claimed mail; an error is a failure for now.
pub(super) async fn compose(
    app: &App,
    rows: &TenantStore,
    claimed: &ClaimedMail,
) -> Result<Composed, StoreError> {
    let broken = |why: &dyn std::fmt::Display| Ok(Composed::Broken(why.to_string()));
    let queued = &claimed.mail;
    let binding = binding(rows.tenant_id().as_str(), &queued.mail_id);
    let opened = match app.secrets.sealer.open(&binding, &queued.sealed) {
        Ok(opened) => opened,
        Err(error) => return broken(&error),
    };
    let notice: Notice = match serde_json::from_slice(&opened) {
        Ok(notice) => notice,
        Err(_) => return broken(&"these bytes are no notice"),
    };
    let Some(tenant) = rows.find_tenant().await? else {
        return Ok(Composed::Nobody);
    };
    let Some((to, user)) = addressee(rows, &notice.to).await? else {
        return Ok(Composed::Nobody);
    };
    let variables = variables(rows, &tenant, &notice, user.as_ref()).await?;
    let rendered = match render(&notice.words, &variables, queued.created_at) {
        Ok(rendered) => rendered,
        Err(why) => return broken(&why),
    };
    if let Some(link) = &notice.link {
        add_ticket(rows, link, user.as_ref(), queued).await?;
    }
    let message = Message::new(Draft {
        from: rendered.from.unwrap_or_else(|| default_from(&tenant)),
        to,
        subject: rendered.subject,
        html: rendered.html,
        message_id: queued.message_id.clone(),
        date: queued.created_at,
    });
    match message {
        Ok(message) => Ok(Composed::Message(Box::new(message))),
        Err(error) => broken(&error),
    }
}

/// The address, and the user where there is one.
async fn addressee(
    rows: &TenantStore,
    to: &Addressee,
) -> Result<Option<(String, Option<UserRecord>)>, StoreError> {
    let user = match to {
        Addressee::Address(address) => return Ok(Some((address.clone(), None))),
        Addressee::User(user_id) => rows.find_user(user_id).await?,
        Addressee::Identifier {
            connection_id,
            identifier,
        } => {
            rows.find_user_by_identifier(connection_id, identifier)
                .await?
        }
    };
    Ok(user.and_then(|user| Some((user.user.email.clone()?, Some(user)))))
}

async fn variables(
    rows: &TenantStore,
    tenant: &Tenant,
    notice: &Notice,
    user: Option<&UserRecord>,
) -> Result<Variables, StoreError> {
    let application = match &notice.client_id {
        Some(id) => rows.find_client(id).await?,
        None => None,
    };
    let setting = |name: &str| {
        let text = tenant.settings.rest.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let url = |link: &Link| {
        format!(
            "https://{}{}?ticket={}",
            tenant.domain,
            link.kind.path(),
            link.token
        )
    };
    Ok(Variables {
        user: match user.map(|user| serde_json::to_value(&user.user)) {
            Some(Ok(Value::Object(members))) => members,
            _ => Map::new(),
        },
        source_ip: notice.source_ip.clone(),
        application: application.map_or_else(Map::new, |record| {
            let client = record.client;
            let metadata = client.rest.get("client_metadata").cloned();
            Map::from_iter([
                ("name".to_owned(), Value::from(client.name)),
                (
                    "clientID".to_owned(),
                    Value::from(client.client_id.as_str()),
                ),
                (
                    "client_metadata".to_owned(),
                    metadata.unwrap_or_else(|| Value::Object(Map::new())),
                ),
            ])
        }),
        connection: user
            .and_then(|user| user.user.identities.first())
            .map(|identity| identity.connection.clone()),
        tenant: tenant.name.clone(),
        friendly_name: setting("friendly_name"),
        support_email: setting("support_email"),
        support_url: setting("support_url"),
        url: notice.link.as_ref().map(url),
        ..Variables::default()
    })
}

fn render(words: &Words, variables: &Variables, now: jiff::Timestamp) -> Result<Rendered, String> {
    match words {
        Words::Template(name) => {
            let name: TemplateName = name.parse().map_err(|error| format!("{name}: {error}"))?;
            let rendered = Template::builtin(name).render(variables, now);
            rendered.map_err(|error| error.to_string())
        }
        Words::Own {
            subject,
            paragraphs,
        } => Ok(mail::plain(subject, paragraphs)),
    }
}

async fn add_ticket(
    rows: &TenantStore,
    link: &Link,
    user: Option<&UserRecord>,
    queued: &storage::QueuedMail,
) -> Result<(), StoreError> {
    let lifetime = link.lifetime.map_or(DEFAULT_LINK_LIFETIME, |seconds| {
        Duration::from_secs(u64::from(seconds))
    });
    let ticket = TicketRecord {
        digest: keys::SecretDigest::of(&link.token).to_bytes(),
        kind: link.kind,
        user_id: user.map(|user| user.user.user_id.clone()),
        document: link.document.clone(),
        created_at: queued.created_at,
        expires_at: queued.created_at + lifetime,
    };
    rows.write(async move |work: &mut Work| work.add_ticket(&ticket).await)
        .await
}

fn default_from(tenant: &Tenant) -> String {
    let host = tenant.domain.split(':').next().unwrap_or_default();
    format!("no-reply@{host}")
}
