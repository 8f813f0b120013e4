//! A mail on its way into the queue: what it is about, as the unit of work that causes it knows it.
//!
//! It is put down sealed, because it may hold the one-time ticket of a link, and composed when it is sent (`compose`):
//! so a login renders no template, and a mail to nobody costs its cause exactly what a mail to somebody does.

use jiff::Timestamp;
use keys::Binding;
use mail::TemplateName;
use model::{ClientId, ConnectionId, Identifier, Tenant, TicketKind, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use storage::QueuedMail;

use super::way::host_of;
use crate::app::App;

/// What a mail is about, and for whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub words: Words,
    pub to: Addressee,
    /// The application through which it came about.
    pub client_id: Option<ClientId>,
    /// Where the attempt came from, as texts show it.
    pub source_ip: Option<String>,
    /// The language of the request that caused it (`request_language`).
    #[serde(default)]
    pub language: Option<String>,
    pub link: Option<Link>,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Words {
    /// The name of a template: the tenant's, or else ours.
    Template(String),
    /// A text of ours that no tenant edits; plain, each paragraph one line.
    Own {
        subject: String,
        paragraphs: Vec<String>,
    },
}

/// Who gets a mail. Who is nobody when it is composed, or has no address, gets none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Addressee {
    User(UserId),
    /// Whoever has this identifier by then.
    Identifier {
        connection_id: ConnectionId,
        identifier: Identifier,
    },
    Address(String),
}

/// A one-time link. Its ticket is stored when the mail is composed, and lives from the notice's time on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub kind: TicketKind,
    /// The ticket in clear: `keys::opaque_token`.
    pub token: String,
    /// What its taking needs to know ([`storage::TicketRecord::document`]).
    pub document: Map<String, Value>,
    /// Seconds it lives; by default what the template says.
    pub lifetime: Option<u32>,
}

impl Notice {
    /// A mail from a template.
    pub fn template(name: TemplateName, to: Addressee) -> Self {
        Self {
            words: Words::Template(name.as_str().to_owned()),
            to,
            client_id: None,
            source_ip: None,
            language: None,
            link: None,
        }
    }
}

/// Makes a notice ready for [`storage::Work::enqueue_mail`]; due at once. A unit that runs again puts down the same mail.
pub fn queued(app: &App, tenant: &Tenant, notice: &Notice, now: Timestamp) -> QueuedMail {
    let mail_id = keys::hex24(&*app.entropy);
    let host = host_of(tenant);
    let clear = serde_json::to_vec(notice).expect("texts and numbers become JSON");
    let binding = binding(tenant.id.as_str(), &mail_id);
    let sealed = app.secrets.sealer.seal(&binding, &clear, &*app.entropy);
    QueuedMail {
        kind: match &notice.words {
            Words::Template(name) => name.clone(),
            Words::Own { .. } => "portcullis_notice".to_owned(),
        },
        recipient: match &notice.to {
            Addressee::Address(address) => address.clone(),
            Addressee::User(_) | Addressee::Identifier { .. } => String::new(),
        },
        message_id: format!("<{mail_id}@{host}>"),
        sealed,
        created_at: now,
        next_try_at: now,
        mail_id,
    }
}

/// The mails that tell a tenant's administrators something; none where no administrator is named.
/// How often something may be told is the caller's to bound.
pub fn to_administrators(
    app: &App,
    tenant: &Tenant,
    subject: &str,
    paragraphs: &[String],
    now: Timestamp,
) -> Vec<QueuedMail> {
    let words = Words::Own {
        subject: subject.to_owned(),
        paragraphs: paragraphs.to_vec(),
    };
    let administrators = tenant.attack_protection.administrators.iter();
    let notices = administrators.map(|address| Notice {
        words: words.clone(),
        to: Addressee::Address(address.clone()),
        client_id: None,
        source_ip: None,
        language: None,
        link: None,
    });
    notices
        .map(|notice| queued(app, tenant, &notice, now))
        .collect()
}

/// What a sealed notice belongs to.
pub(super) fn binding<'a>(tenant: &'a str, mail_id: &'a str) -> Binding<'a> {
    Binding {
        tenant,
        row: mail_id,
        field: "mail",
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
