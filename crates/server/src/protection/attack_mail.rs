//! Mails that an attack causes: to the user whose account was tried, to the administrators about a throttled source.
//!
//! Put down in the unit that settles the attempt, within budgets of their own, and composed when they are sent: so an
//! identifier that nobody has costs what a user's does. Who is over his budget gets no mail; the refusals go on.

use guard::{Account, Hold, Source};
use jiff::Timestamp;
use mail::TemplateName;
use model::{ClientId, ConnectionId, Identifier, TicketKind, UserId};
use storage::{StoreError, Work};

use super::unblock_link::UnblockLink;
use super::{Charge, Meters, full_pool};
use crate::courier::{self, Addressee, Link, Notice, Words};
use crate::request::RequestContext;

/// Whose account was tried too often, and from where.
pub(crate) struct Tried<'a> {
    pub(crate) connection_id: &'a ConnectionId,
    pub(crate) connection: &'a str,
    pub(crate) user: Option<&'a UserId>,
    pub(crate) account: &'a Account,
    /// As it was typed.
    pub(crate) identifier: Identifier,
    /// As events show it.
    pub(crate) user_name: &'a str,
    pub(crate) source: &'a Source,
    pub(crate) client_id: &'a ClientId,
}

/// Tells the user that wrong passwords came to an end, or to a line that is watched: once an hour a source, with a cap.
///
/// Where blocks hold from everywhere, the source is still whose mail is counted: a user who has just unblocked himself
/// gets the next link at once when somebody else locks him out again.
pub(crate) async fn tell_user(
    work: &mut Work,
    cx: &RequestContext,
    tried: &Tried<'_>,
    threshold: u32,
    hold: Hold,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = &cx.tenant().attack_protection.brute_force;
    if !settings
        .shields
        .iter()
        .any(|shield| shield == "user_notification")
    {
        return Ok(());
    }
    let purpose = TemplateName::BlockedAccount.as_str();
    let plan = cx
        .facts
        .policy
        .mail_plan(purpose, tried.account, Some(tried.source));
    let meters = Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id);
    match meters.charge(work, now).await? {
        Charge::Permit(_) => {}
        Charge::Wait => return Ok(()),
        Charge::Refuse { notice_due, .. } => {
            let told = notice_due.and_then(|explained| {
                full_pool::of_mailbox(cx, purpose, tried.user_name, &explained)
            });
            return match told {
                Some(event) => work.add_events(&[event]).await,
                None => Ok(()),
            };
        }
    }
    let to = match tried.user {
        Some(user) => Addressee::User(user.clone()),
        None => Addressee::Identifier {
            connection_id: tried.connection_id.clone(),
            identifier: tried.identifier.clone(),
        },
    };
    let address = tried.source.exact();
    let mut notice = Notice::template(TemplateName::BlockedAccount, to);
    notice.client_id = Some(tried.client_id.clone());
    notice.source_ip = Some(address.to_string());
    notice.language = cx.language.clone();
    if hold == Hold::Watched {
        notice.words = watched(cx, threshold, address);
    } else {
        let link = UnblockLink {
            connection_id: tried.connection_id.clone(),
            connection: tried.connection.to_owned(),
            user_id: tried.user.cloned(),
            identifier: tried.user_name.to_owned(),
            address,
            everywhere: settings.mode == "count_per_identifier",
            at: now,
        };
        notice.link = Some(Link {
            kind: TicketKind::Unblock,
            token: keys::opaque_token(&*cx.app.entropy),
            document: link.to_document(),
            lifetime: None,
        });
    }
    let mail = courier::queued(&cx.app, cx.tenant(), &notice, now);
    work.enqueue_mail(&mail).await
}

/// What a source is throttled for.
#[derive(Clone, Copy)]
pub(crate) enum Throttled {
    Logins,
    SignUps,
}

/// Tells the administrators that a source is throttled: of each kind once an hour, whatever the number of sources.
pub(crate) async fn tell_administrators(
    work: &mut Work,
    cx: &RequestContext,
    source: &Source,
    of: Throttled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = &cx.tenant().attack_protection;
    let shields = &settings.suspicious_ip.shields;
    let wanted = shields.iter().any(|shield| shield == "admin_notification");
    if !wanted || settings.administrators.is_empty() {
        return Ok(());
    }
    let purpose = match of {
        Throttled::Logins => "suspicious_ip",
        Throttled::SignUps => "suspicious_sign_ups",
    };
    let plan = cx.facts.policy.administrators_plan(purpose);
    let meters = Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id);
    let Charge::Permit(_) = meters.charge(work, now).await? else {
        return Ok(());
    };
    let address = source.exact();
    let does = if shields.iter().any(|shield| shield == "block") {
        "Further attempts from there are refused, and let through again one by one with time."
    } else {
        "Nothing is refused, because suspicious IP throttling only watches."
    };
    let (subject, what, look) = match of {
        Throttled::Logins => (
            format!("Suspicious logins from {address}"),
            format!(
                "From the address {address}, so many wrong passwords were sent that it looks like an attack."
            ),
            format!("The log has the failures (type fp and fu, ip {address})"),
        ),
        Throttled::SignUps => (
            format!("Suspicious sign-ups from {address}"),
            format!(
                "From the address {address}, so many people signed up that it looks like an attack."
            ),
            format!("The log has the sign-ups (type ss and fs, ip {address})"),
        ),
    };
    let paragraphs = [
        what,
        does.to_owned(),
        format!(
            "{look}; limit_mu tells of every throttled address. This mail is sent at most once an hour, so there may be more \
             addresses than this one."
        ),
        format!(
            "If the address is one of yours that many users share, let the application pass its users' addresses on, or \
             put it on the allowlist; DELETE /api/v2/anomaly/blocks/ips/{address} lifts its throttle."
        ),
    ];
    for mail in courier::to_administrators(&cx.app, cx.tenant(), &subject, &paragraphs, now) {
        work.enqueue_mail(&mail).await?;
    }
    Ok(())
}

/// What a user is told where nothing is refused: without a link, since there is nothing to lift.
fn watched(cx: &RequestContext, threshold: u32, address: std::net::IpAddr) -> Words {
    let name = crate::hosted::page::name_of(cx.tenant());
    Words::Own {
        subject: format!("Wrong passwords for your account at {name}"),
        paragraphs: vec![
            format!("Somebody tried a wrong password for your account {threshold} times, from the address {address}."),
            "If it was you, all is well. If it was not, you need do nothing as long as your password is your own; if you \
             use it elsewhere too, now is a good time to change it."
                .to_owned(),
        ],
    }
}
