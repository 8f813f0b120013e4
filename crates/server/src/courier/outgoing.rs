//! A mail on its way into the queue: made, sealed and named before the unit of work that puts it down.
//!
//! The text may hold one-time links, so storage gets it sealed, bound to tenant and mail.

use jiff::Timestamp;
use keys::Binding;
use mail::{Draft, Message, MessageError, Rendered, TemplateName};
use model::Tenant;
use storage::QueuedMail;

use crate::app::App;

/// What a mail says, and to whom.
#[derive(Debug)]
pub struct Letter<'a> {
    pub kind: TemplateName,
    /// One address.
    pub to: &'a str,
    /// The sender where the template names none.
    pub default_from: &'a str,
    pub rendered: Rendered,
}

/// Makes a letter ready for [`storage::Work::enqueue_mail`]; due at once. A unit that runs again puts down the same mail.
pub fn outgoing(
    app: &App,
    tenant: &Tenant,
    letter: Letter<'_>,
    now: Timestamp,
) -> Result<QueuedMail, MessageError> {
    let mail_id = keys::hex24(&*app.entropy);
    let host = tenant.domain.split(':').next().unwrap_or_default();
    let message = Message::new(Draft {
        from: letter
            .rendered
            .from
            .unwrap_or_else(|| letter.default_from.to_owned()),
        to: letter.to.to_owned(),
        subject: letter.rendered.subject,
        html: letter.rendered.html,
        message_id: format!("<{mail_id}@{host}>"),
        date: now,
    })?;
    let binding = binding(tenant.id.as_str(), &mail_id);
    let sealed = app
        .secrets
        .sealer
        .seal(&binding, &message.to_bytes(), &*app.entropy);
    Ok(QueuedMail {
        kind: letter.kind.to_string(),
        recipient: message.to().address().to_owned(),
        message_id: message.message_id().to_owned(),
        sealed,
        created_at: now,
        next_try_at: now,
        mail_id,
    })
}

/// What a sealed message belongs to.
pub(super) fn binding<'a>(tenant: &'a str, mail_id: &'a str) -> Binding<'a> {
    Binding {
        tenant,
        row: mail_id,
        field: "mail",
    }
}
