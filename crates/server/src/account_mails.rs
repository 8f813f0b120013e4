//! The mails about an account that people cause themselves: verification, a new password, welcome.
//!
//! Each is composed when it is sent, so a mail to an address that nobody has costs its cause what one to a user does.
//! A mailbox gets ten of a purpose at once and one more an hour, whoever asks: who is beyond that gets none, and
//! the one who asked is not told.

use guard::Account;
use mail::TemplateName;
use model::{ClientId, ConnectionId, Identifier, TicketKind, UserId};
use serde_json::{Map, Value};
use storage::{QueuedMail, StoreError, Work};

use crate::courier::{Addressee, Link, Notice, Words, queued};
use crate::protection::account::mailbox;
use crate::protection::{Charge, Meters, full_pool};
use crate::request::RequestContext;

/// A mail, and what its mailbox still gets.
pub(crate) struct AccountMail {
    mail: QueuedMail,
    purpose: &'static str,
    address: Identifier,
    meters: Meters,
}

impl AccountMail {
    /// Asks the user to show that the address is his; the ticket holds for that address alone.
    pub(crate) fn verification(
        cx: &RequestContext,
        user: &UserId,
        address: &Identifier,
        client: Option<&ClientId>,
    ) -> Self {
        Self::to_verify(cx, "verify_email", user, address, client)
    }

    /// The same within a sign-up, which shares its budget with [`Self::signed_up_again`].
    pub(crate) fn verification_of_sign_up(
        cx: &RequestContext,
        user: &UserId,
        address: &Identifier,
        client: &ClientId,
    ) -> Self {
        Self::to_verify(cx, "sign_up", user, address, Some(client))
    }

    fn to_verify(
        cx: &RequestContext,
        purpose: &'static str,
        user: &UserId,
        address: &Identifier,
        client: Option<&ClientId>,
    ) -> Self {
        let notice = Notice {
            client_id: client.cloned(),
            link: Some(link(cx, TicketKind::EmailVerification, address)),
            ..Notice::template(TemplateName::VerifyEmail, Addressee::User(user.clone()))
        };
        Self::of(cx, purpose, address, notice)
    }

    /// Tells whoever has the address that somebody tried to sign up with it.
    pub(crate) fn signed_up_again(
        cx: &RequestContext,
        connection: &ConnectionId,
        address: &Identifier,
        client: &ClientId,
    ) -> Self {
        let notice = Notice {
            words: Words::Own {
                subject: "You have an account already".to_owned(),
                paragraphs: vec![
                    format!("Somebody just tried to sign up with the address {address}, which has an account already."),
                    "If it was you, sign in as always. If you have forgotten your password, ask for a new one where you sign in.".to_owned(),
                    "If it was not you, you need do nothing: nothing was changed, and whoever it was has not learnt that the account exists.".to_owned(),
                ],
            },
            to: Addressee::Identifier {
                connection_id: connection.clone(),
                identifier: address.clone(),
            },
            client_id: Some(client.clone()),
            source_ip: None,
            language: None,
            link: None,
        };
        Self::of(cx, "sign_up", address, notice)
    }

    /// The link to a new password, for whoever has the address, maybe nobody.
    pub(crate) fn reset(
        cx: &RequestContext,
        connection: &ConnectionId,
        address: &Identifier,
        client: Option<&ClientId>,
    ) -> Self {
        let to = Addressee::Identifier {
            connection_id: connection.clone(),
            identifier: address.clone(),
        };
        let mut link = link(cx, TicketKind::PasswordReset, address);
        // Whoever follows it has the mailbox.
        link.document
            .insert("mark_email_as_verified".to_owned(), Value::Bool(true));
        let notice = Notice {
            client_id: client.cloned(),
            link: Some(link),
            ..Notice::template(TemplateName::ResetEmail, to)
        };
        Self::of(cx, "reset_email", address, notice)
    }

    /// Tells a user that his password was changed.
    pub(crate) fn password_changed(
        cx: &RequestContext,
        user: &UserId,
        address: &Identifier,
    ) -> Self {
        let to = Addressee::User(user.clone());
        let notice = Notice::template(TemplateName::PasswordReset, to);
        Self::of(cx, "password_reset", address, notice)
    }

    /// Welcomes a user whose address was shown to be his.
    pub(crate) fn welcome(cx: &RequestContext, user: &UserId, address: &Identifier) -> Self {
        let to = Addressee::User(user.clone());
        let notice = Notice::template(TemplateName::WelcomeEmail, to);
        Self::of(cx, "welcome_email", address, notice)
    }

    fn of(
        cx: &RequestContext,
        purpose: &'static str,
        address: &Identifier,
        mut notice: Notice,
    ) -> Self {
        let (digests, tenant) = (&cx.app.secrets.meters, cx.tenant());
        let mailbox: Account = mailbox(digests, &tenant.id, address);
        let plan = cx.facts.policy.mail_plan(purpose, &mailbox, None);
        notice.language = cx.language.clone();
        Self {
            mail: queued(&cx.app, tenant, &notice, cx.now),
            purpose,
            address: address.clone(),
            meters: Meters::of_pool(plan, digests, &tenant.id),
        }
    }

    /// Puts it down in the unit that causes it; whether the mailbox gets it.
    pub(crate) async fn put_down(
        &self,
        work: &mut Work,
        cx: &RequestContext,
    ) -> Result<bool, StoreError> {
        match self.meters.charge(work, cx.now).await? {
            Charge::Permit(_) => work.enqueue_mail(&self.mail).await.map(|()| true),
            Charge::Wait => Ok(false),
            Charge::Refuse { notice_due, .. } => {
                let told = notice_due.and_then(|explained| {
                    full_pool::of_mailbox(cx, self.purpose, self.address.as_str(), &explained)
                });
                if let Some(event) = told {
                    work.add_events(&[event]).await?;
                }
                Ok(false)
            }
        }
    }
}

fn link(cx: &RequestContext, kind: TicketKind, address: &Identifier) -> Link {
    Link {
        kind,
        token: keys::opaque_token(&*cx.app.entropy),
        document: Map::from_iter([("email".to_owned(), Value::from(address.as_str()))]),
        lifetime: None,
    }
}
