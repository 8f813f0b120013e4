//! Pools: budgets of what is no login (sign-ups, tickets, client secrets, mails), each with meters of its own.
//!
//! None of them is ever charged to a user's password budget, nor the other way round. Where a pool counts failures
//! its plan is charged before the thing is looked at and settled afterwards, like a login's.

use std::time::Duration;

use crate::policy::{Planned, is_exempt};
use crate::{Account, Bucket, MeterKind, Plan, Policy, Source, Standing};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Wrong tickets of one source: a mistyped or worn-out link now and then, never a search.
pub(crate) const TICKETS: Bucket = bucket(20, MINUTE);
/// Wrong secrets of one application from one source: a deployment with an old secret tries again and again.
pub(crate) const CLIENT_SECRETS: Bucket = bucket(100, MINUTE);
/// Mails that one source may ask for.
pub(crate) const MAILS_ASKED: Bucket = bucket(100, MINUTE);
/// Mails that one source may ask for to one address (auth0-wire-facts §2.5).
pub(crate) const MAILS_ASKED_FOR: Bucket = bucket(10, MINUTE);
/// Mails of one purpose that one addressee gets, whoever asks.
pub(crate) const MAILS_TO: Bucket = bucket(10, HOUR);
/// Mails of one purpose about one source (auth0-wire-facts §5.1).
pub(crate) const MAILS_ABOUT: Bucket = bucket(1, HOUR);

impl Policy {
    /// A sign-up (stage `pre-user-registration`): every one counts, whatever comes of it.
    pub fn sign_up_plan(&self, source: &Source, standing: Standing) -> Plan {
        let mut plan = Planned::under(self);
        if !is_exempt(&self.suspicious_ip.allowlist, source, standing) {
            plan.add_widths(MeterKind::SignUp, None, source);
        }
        plan.plan()
    }

    /// Telling a source that a password was right and is breached; no allowlist exempts from it.
    pub fn confirmation_plan(&self, source: &Source) -> Plan {
        let mut plan = Planned::under(self);
        plan.add_widths(MeterKind::Confirmation, None, source);
        plan.plan()
    }

    /// Looking at a one-time ticket of this kind: wrong tickets of one kind spend nothing of another's pool.
    pub fn ticket_plan(&self, kind: &str, source: &Source) -> Plan {
        let kind = Account::Known(kind.to_owned());
        let mut plan = Planned::under(self);
        plan.add_widths(
            MeterKind::Ticket,
            Some(&("ticket".to_owned(), kind)),
            source,
        );
        plan.plan()
    }

    /// Looking at the secret of an application that there is.
    pub fn client_secret_plan(&self, client: &str, source: &Source) -> Plan {
        let account = Account::Known(client.to_owned());
        let mut plan = Planned::under(self);
        plan.add_widths(
            MeterKind::ClientSecret,
            Some(&("client_secret".to_owned(), account)),
            source,
        );
        plan.plan()
    }

    /// Looking at secrets of applications that nobody has: one pool a source, whatever names it invents.
    pub fn unknown_clients_plan(&self, source: &Source) -> Plan {
        let nobody = Account::Known(String::new());
        let mut plan = Planned::under(self);
        plan.add_widths(
            MeterKind::ClientSecret,
            Some(&("unknown_clients".to_owned(), nobody)),
            source,
        );
        plan.plan()
    }

    /// Asking for a mail of this purpose to an address, which is a keyed digest whether or not anybody has it.
    pub fn mail_asked_plan(&self, purpose: &str, address: &Account, source: &Source) -> Plan {
        let mut plan = Planned::under(self);
        plan.add(
            MeterKind::MailAskedFor,
            Some((purpose.to_owned(), address.clone())),
            Some(source.prefix()),
        );
        plan.add_widths(MeterKind::MailAsked, None, source);
        plan.plan()
    }

    /// Telling a tenant's administrators of something; who is refused tells nothing.
    pub fn administrators_plan(&self, purpose: &str) -> Plan {
        let everybody = Account::Known("administrators".to_owned());
        let mut plan = Planned::under(self);
        plan.add(
            MeterKind::MailAbout,
            Some((purpose.to_owned(), everybody)),
            None,
        );
        plan.plan()
    }

    /// Sending a mail of this purpose; about a source, where there is one. Who is refused gets no mail.
    pub fn mail_plan(&self, purpose: &str, to: &Account, about: Option<&Source>) -> Plan {
        let account = Some((purpose.to_owned(), to.clone()));
        let mut plan = Planned::under(self);
        plan.add(MeterKind::MailTo, account.clone(), None);
        if let Some(source) = about {
            plan.add(MeterKind::MailAbout, account, Some(source.prefix()));
        }
        plan.plan()
    }

    /// Something that is told once an hour, and then waits: a mail of which each user gets one, an event of which each
    /// source makes one. Who is refused tells nothing.
    pub fn hourly_plan(&self, what: &str, whom: Option<&Account>, about: Option<&Source>) -> Plan {
        let whom = whom.cloned().unwrap_or(Account::Known(String::new()));
        let mut plan = Planned::under(self);
        plan.add(
            MeterKind::MailAbout,
            Some((what.to_owned(), whom)),
            about.map(Source::prefix),
        );
        plan.plan()
    }
}

const fn bucket(max_attempts: u32, rate: Duration) -> Bucket {
    Bucket { max_attempts, rate }
}
