//! From a notice to the message that is sent: who gets it, what it says, where its link leads.
//!
//! Composing may happen again after a failure or a crash: the ticket of a link is stored once and stays the same.

use std::time::Duration;

use mail::{DEFAULT_LINK_LIFETIME, Draft, Message, Rendered, Variables};
use model::{EmailTemplate, EventType, LogEvent, Tenant, UserId, UserRecord};
use serde_json::{Map, Value};
use storage::{ClaimedMail, QueuedMail, StoreError, TenantStore, TicketRecord, Work};

use super::notice::{Addressee, Link, Notice, Words, binding};
use super::settle::about;
use super::way::{Sender, host_of};
use super::wording::{Worded, add_to_ticket, word};
use crate::app::App;
use crate::event_log::stamp;

/// What a claimed mail came to.
pub(super) enum Composed {
    Message(Box<Message>),
    /// Nobody is to get it: there is no such user, he has no address, or the tenant switched this mail off.
    Nobody,
    /// It can never be sent; why.
    Broken(String),
}

/// Composes a claimed mail; an error is a failure for now.
pub(super) async fn compose(
    app: &App,
    rows: &TenantStore,
    claimed: &ClaimedMail,
    sender: Option<&Sender>,
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
    let own = own_template(rows, &notice.words).await?;
    if own.as_ref().is_some_and(|own| !own.enabled) {
        return Ok(Composed::Nobody);
    }
    let variables = variables(rows, &tenant, &notice, user.as_ref()).await?;
    let draft = |rendered: Rendered| Draft {
        from: from(&tenant, sender, rendered.from),
        to: to.clone(),
        subject: rendered.subject,
        html: rendered.html,
        message_id: queued.message_id.clone(),
        date: queued.created_at,
    };
    let worded = word(
        &notice.words,
        own.as_ref(),
        &variables,
        queued.created_at,
        draft,
    );
    let Worded { message, mut flaws } = match worded {
        Ok(worded) => worded,
        Err(why) => return broken(&why),
    };
    let user_id = user.map(|user| user.user.user_id);
    let ticket = notice.link.map(|link| {
        let (ticket, flaw) = ticket(link, own.as_ref(), &variables, user_id, queued);
        flaws.extend(flaw);
        ticket
    });
    // Of a mail that is composed again, the flaws were told.
    let mut events: Vec<LogEvent> = match claimed.attempt {
        1 => flaws.first().map(|flaw| replaced(queued, flaw, &tenant)),
        _ => None,
    }
    .into_iter()
    .collect();
    if ticket.is_some() || !events.is_empty() {
        stamp(&mut events, app.clock.now(), &*app.entropy);
        rows.write(async move |work: &mut Work| {
            if let Some(ticket) = &ticket {
                work.add_ticket(ticket).await?;
            }
            if !events.is_empty() {
                work.add_events(&events).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(Composed::Message(Box::new(message)))
}

/// The tenant's own template of a mail that has one.
async fn own_template(
    rows: &TenantStore,
    words: &Words,
) -> Result<Option<EmailTemplate>, StoreError> {
    match words {
        Words::Own { .. } => Ok(None),
        Words::Template(name) => {
            let record = rows.find_email_template(name).await?;
            Ok(record.map(|record| record.template))
        }
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
            let callback_domain = client
                .rest
                .get("callbacks")
                .and_then(|urls| origin(urls.get(0)?));
            Map::from_iter([
                ("name".to_owned(), Value::from(client.name)),
                (
                    "clientID".to_owned(),
                    Value::from(client.client_id.as_str()),
                ),
                ("callback_domain".to_owned(), Value::from(callback_domain)),
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
        request_language: notice.language.clone(),
        ..Variables::default()
    })
}

/// Scheme, host and port of an address.
fn origin(url: &Value) -> Option<String> {
    let (scheme, rest) = url.as_str()?.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{host}"))
}

/// The ticket of a link, and what was wrong with where it leads.
fn ticket(
    link: Link,
    own: Option<&EmailTemplate>,
    variables: &Variables,
    user_id: Option<UserId>,
    queued: &QueuedMail,
) -> (TicketRecord, Option<String>) {
    let of_template = own.and_then(|own| own.url_lifetime_in_seconds);
    let lifetime = link.lifetime.or(of_template);
    let lifetime = lifetime.map_or(DEFAULT_LINK_LIFETIME, |seconds| {
        Duration::from_secs(u64::from(seconds))
    });
    let mut document = link.document;
    let added = own.map(|own| add_to_ticket(&mut document, own, variables, queued.created_at));
    let ticket = TicketRecord {
        digest: keys::SecretDigest::of(&link.token).to_bytes(),
        kind: link.kind,
        user_id,
        document,
        created_at: queued.created_at,
        expires_at: queued.created_at + lifetime,
    };
    (ticket, added.and_then(Result::err))
}

/// The event of a mail whose template could not be used.
fn replaced(queued: &QueuedMail, flaw: &str, tenant: &Tenant) -> LogEvent {
    let description = format!("The e-mail template could not be used, ours was: {flaw}");
    about(
        queued,
        EventType::Warning,
        &description,
        flaw,
        &tenant.domain,
    )
}

fn from(tenant: &Tenant, sender: Option<&Sender>, named: Option<String>) -> String {
    let default = match sender {
        Some(Sender::OfOperator(from)) => return from.clone(),
        Some(Sender::OfTenant(default)) => default.clone(),
        None => None,
    };
    named
        .or(default)
        .unwrap_or_else(|| format!("no-reply@{}", host_of(tenant)))
}
