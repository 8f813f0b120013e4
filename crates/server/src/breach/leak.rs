//! What a breached password causes beside its refusal (auth0-wire-facts §5.3, §6.3, §7.4): an event and mails to
//! administrators once an hour and source, a mail to the user once an hour, and a tally for digests and statistics.
//!
//! Refusing is never throttled. Everything random is drawn here, so that the unit which writes it may run again.

use guard::{Account, Plan};
use jiff::Timestamp;
use mail::TemplateName;
use model::{EventType, LogEvent, UserId};
use serde_json::{Value, json};
use storage::{BreachTally, QueuedMail, StoreError, Work};

use super::judge::{About, Stage};
use crate::courier::{Addressee, Notice, queued, to_administrators};
use crate::day::day_of;
use crate::event_log::{bounded, stamp};
use crate::protection::decision::record_breached;
use crate::protection::{Charge, Meters};
use crate::request::RequestContext;

/// The rows of a tally are written by many at once.
const SHARDS: u8 = 16;

/// A breached password that was handed in.
pub(super) struct Leak {
    event: LogEvent,
    event_meters: Meters,
    /// Mails, and how often they may be sent.
    mails: Vec<(Meters, Vec<QueuedMail>)>,
    tally: BreachTally,
}

impl Leak {
    pub(super) fn new(cx: &RequestContext, stage: Stage, refused: bool, about: About<'_>) -> Self {
        let now = cx.now_again();
        let settings = &cx.tenant().attack_protection.breached_password;
        let event = event(cx, stage, refused, now, about.event);
        let hourly = |what: &str, whom: Option<&Account>, everywhere: bool| {
            let source = (!everywhere).then_some(about.source);
            pool(cx, cx.facts.policy.hourly_plan(what, whom, source))
        };
        let mut mails = Vec::new();
        if stage.has(settings, "user_notification")
            && let Some(user) = about.user
        {
            let account = Account::Known(user.as_str().to_owned());
            let name = TemplateName::StolenCredentials;
            let meters = hourly(name.as_str(), Some(&account), true);
            mails.push((meters, vec![to_user(cx, &event, user, now)]));
        }
        let admins = stage.has(settings, "admin_notification");
        let at_once = settings.admin_notification_frequency.iter();
        if admins && at_once.clone().any(|often| often == "immediately") {
            let what = format!("{}_administrators", event.event_type.code());
            let told = to_all_administrators(cx, stage, refused, &event, now);
            mails.push((hourly(&what, None, false), told));
        }
        let mut shard = [0];
        cx.app.entropy.fill(&mut shard);
        Self {
            event_meters: hourly(event.event_type.code(), None, false),
            event,
            mails,
            tally: BreachTally {
                day: day_of(now),
                stage: stage.word(),
                shard: i16::from(shard[0] % SHARDS),
                refused,
            },
        }
    }

    pub(super) async fn record(&self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
        if is_permitted(&self.event_meters, work, now).await? {
            work.add_events(std::slice::from_ref(&self.event)).await?;
        }
        for (meters, mails) in &self.mails {
            if mails.is_empty() || !is_permitted(meters, work, now).await? {
                continue;
            }
            for mail in mails {
                work.enqueue_mail(mail).await?;
            }
        }
        work.add_breach(&self.tally).await
    }
}

fn pool(cx: &RequestContext, plan: Plan) -> Meters {
    Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id)
}

async fn is_permitted(
    meters: &Meters,
    work: &mut Work,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let charge = meters.charge(work, now).await?;
    Ok(matches!(charge, Charge::Permit(_)))
}

fn event(
    cx: &RequestContext,
    stage: Stage,
    refused: bool,
    now: Timestamp,
    described: LogEvent,
) -> LogEvent {
    let mut event = described;
    let (event_type, attempted) = match stage {
        Stage::Login => (EventType::BreachedPassword, "login"),
        Stage::SignUp => (EventType::BreachedPasswordAtSignup, "sign up"),
        Stage::Change => (EventType::BreachedPasswordAtChange, "change a password"),
    };
    event.event_type = event_type;
    let address = event.ip.as_deref().unwrap_or_default();
    let followed = if refused {
        "A shield to prevent this action was enabled, further attempts are blocked."
    } else {
        "No shield to prevent this action is enabled, so it went on."
    };
    event.description = bounded(&format!(
        "Someone behind the IP address: {address} attempted to {attempted} with a leaked password. {followed}"
    ));
    let ours = event.details.entry("portcullis").or_insert(json!({}));
    if let Value::Object(ours) = ours {
        ours.insert("refused".to_owned(), Value::Bool(refused));
    }
    record_breached(&mut event, refused);
    stamp(std::slice::from_mut(&mut event), now, &*cx.app.entropy);
    event
}

/// Tells the user that the password is known to others.
fn to_user(cx: &RequestContext, event: &LogEvent, user: &UserId, now: Timestamp) -> QueuedMail {
    let to = Addressee::User(user.clone());
    let notice = Notice {
        client_id: event.client_id.clone(),
        source_ip: event.ip.clone(),
        language: cx.language.clone(),
        ..Notice::template(TemplateName::StolenCredentials, to)
    };
    queued(&cx.app, cx.tenant(), &notice, now)
}

/// Tells every administrator which account it is about.
fn to_all_administrators(
    cx: &RequestContext,
    stage: Stage,
    refused: bool,
    event: &LogEvent,
    now: Timestamp,
) -> Vec<QueuedMail> {
    let tenant = cx.tenant();
    let account = event.user_name.as_deref().unwrap_or("somebody");
    let address = event.ip.as_deref().unwrap_or("an unknown address");
    let (subject, what) = match stage {
        Stage::Login => (
            "Login with a breached password",
            format!(
                "{account} logged in from {address} with the right password, which is known from a breach."
            ),
        ),
        Stage::SignUp => (
            "Sign-up with a breached password",
            format!(
                "{account} signed up from {address} with a password that is known from a breach."
            ),
        ),
        Stage::Change => (
            "Breached password chosen",
            format!("{account} chose, from {address}, a new password that is known from a breach."),
        ),
    };
    let followed = match (stage, refused) {
        (Stage::Login, true) => {
            "The login was refused, and will be until the password is changed. If it was not the owner, somebody is trying stolen passwords."
        }
        (Stage::SignUp | Stage::Change, true) => "The password was refused.",
        (Stage::Login, false) => {
            "The login went on, because the shield does not block. Ask the owner to change the password."
        }
        (Stage::SignUp | Stage::Change, false) => {
            "The password was taken, because the shield does not block."
        }
    };
    let connection = event.connection.as_deref().unwrap_or_default();
    let application = event.client_name.as_deref().unwrap_or_default();
    let paragraphs = [
        what,
        followed.to_owned(),
        format!("Directory: {connection}. Application: {application}. Time: {now:.0}."),
        "At most one mail like this is sent an hour about one address; the log has an event of the same kind."
            .to_owned(),
    ];
    let subject = format!("{subject} at {}", tenant.domain);
    to_administrators(&cx.app, tenant, &subject, &paragraphs, now)
}
