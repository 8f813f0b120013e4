//! `POST /dbconnections/signup`.
//!
//! Malformed calls and closed directories are refused for nothing; every other sign-up counts for its source, whatever
//! comes of it. Whether an address has an account is not told: by default a known one is answered like a new one, after
//! the same work, and its owner gets a mail (`docs/decisions/0015-a-sign-up-does-not-tell-who-has-an-account.md`).

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use guard::Reason as GuardReason;
use http::HeaderMap;
use model::{EventType, ExistingAccount, Identifier, UserRecord};
use protocol::SignUpRequest;
use serde_json::{Map, Value, json};
use storage::{SignedUp, Work};

use super::{
    Arrived, Asker, arrived, asker, directory, event, explain, is_on, log_refusal, unavailable,
};
use crate::account_mails::AccountMail;
use crate::answer::dbconnections::{Refusal, signed_up};
use crate::breach::{About, Stage};
use crate::directory::ConnectionFacts;
use crate::event_log::{address_text, stamp};
use crate::management::users::{new_record, username_rule};
use crate::passwords::{self, Proposal, person};
use crate::protection::attack_mail::{self, Throttled};
use crate::protection::decision::SourceFound;
use crate::protection::lifecycle::LiftedBy;
use crate::protection::{Meters, blocks, notice_event, share};
use crate::request::RequestContext;

/// The endpoint.
pub(crate) async fn sign_up(
    cx: RequestContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match answer(&cx, &headers, body).await {
        Ok(user) => signed_up(&user),
        Err(refusal) => refusal.into_response(cx.now),
    }
}

/// A sign-up whose application and directory are known.
struct SignUp {
    request: SignUpRequest,
    asker: Asker,
    connection: Arc<ConnectionFacts>,
    address: Identifier,
    username: Option<Identifier>,
}

async fn answer(
    cx: &RequestContext,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Refusal> {
    let arrived = arrived(headers, body)?;
    let sign_up = judge(cx, headers, &arrived).await?;
    charge(cx, &sign_up).await?;
    match carry_out(cx, &sign_up).await {
        Err(Failed::Untold(refusal)) => {
            let mut event = sign_up.event(cx, EventType::SignupFailed);
            explain(&mut event, &refusal);
            log_refusal(cx, event, &sign_up.asker.source.source).await?;
            Err(refusal)
        }
        Err(Failed::Logged(refusal)) => Err(refusal),
        Ok(user) => Ok(user),
    }
}

/// The rules about what was sent, before anything is counted.
async fn judge(
    cx: &RequestContext,
    headers: &HeaderMap,
    arrived: &Arrived<'_>,
) -> Result<SignUp, Refusal> {
    let request =
        SignUpRequest::read(arrived.content_type, &arrived.body).map_err(Refusal::Malformed)?;
    let asker = asker(
        cx,
        headers,
        arrived,
        &request.client_id,
        EventType::SignupFailed,
    )
    .await?;
    let client = &asker.client.client.client_id;
    let connection = directory(cx, &request.connection, Some(client)).await?;
    let username = request.username.as_deref().map(Identifier::of);
    let sign_up = SignUp {
        address: Identifier::of(&request.email),
        username,
        request,
        asker,
        connection,
    };
    if let Err(refusal) = sign_up.is_open() {
        let mut event = sign_up.event(cx, EventType::SignupFailed);
        explain(&mut event, &refusal);
        log_refusal(cx, event, &sign_up.asker.source.source).await?;
        return Err(refusal);
    }
    Ok(sign_up)
}

impl SignUp {
    fn is_open(&self) -> Result<(), Refusal> {
        if is_on(&self.connection, "disable_signup") {
            return Err(Refusal::SignUpDisabled);
        }
        let options = &self.connection.connection.options;
        match (&self.username, options.requires_username) {
            (None, true) => Err(Refusal::UsernameMissing),
            (Some(_), false) => Err(Refusal::UsernameNotTaken),
            (Some(name), true) => username_rule(options)
                .judge(name)
                .map_err(Refusal::UsernameUnfit),
            (None, false) => Ok(()),
        }
    }

    fn event(&self, cx: &RequestContext, event_type: EventType) -> model::LogEvent {
        let (client, source) = (&self.asker.client, &self.asker.source);
        let address = self.address.as_str();
        event(
            cx,
            event_type,
            Some(client),
            Some(&self.connection),
            source,
            address,
        )
    }

    /// What the person said of himself, as the document of a user has it.
    fn document(&self) -> Map<String, Value> {
        let fields = &self.request.fields;
        let mut document = Map::from_iter([("email".to_owned(), json!(self.request.email))]);
        if let Some(name) = &self.request.username {
            document.insert("username".to_owned(), json!(name));
        }
        for (name, text) in &fields.texts {
            document.insert((*name).to_owned(), json!(text));
        }
        if !fields.user_metadata.is_empty() {
            document.insert("user_metadata".to_owned(), json!(fields.user_metadata));
        }
        document
    }

    /// What the caller sees of the user, who may not be there.
    fn shown(&self, own_id: &str) -> Value {
        let mut shown = self.document();
        shown.insert("email".to_owned(), json!(self.address));
        if let Some(name) = &self.username {
            shown.insert("username".to_owned(), json!(name));
        }
        shown.insert("_id".to_owned(), json!(own_id));
        shown.insert("email_verified".to_owned(), Value::Bool(false));
        Value::Object(shown)
    }
}

/// Counts the sign-up for its source.
async fn charge(cx: &RequestContext, sign_up: &SignUp) -> Result<(), Refusal> {
    let source = &sign_up.asker.source;
    let plan = cx
        .facts
        .policy
        .sign_up_plan(&source.source, source.standing);
    let meters = Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id);
    let address = address_text(source.source.exact());
    let notice = notice_event(cx, GuardReason::SuspiciousIp, "", &address, 0);
    let mut limited = sign_up.event(cx, EventType::SuspiciousIpBlock);
    limited.description = notice.description;
    limited.details.insert("flow".to_owned(), json!("signup"));
    stamp(
        std::slice::from_mut(&mut limited),
        cx.now_again(),
        &*cx.app.entropy,
    );
    let (found, from) = (SourceFound::of(source), source.source);
    let unit_cx = cx.clone();
    let permitted = cx
        .store
        .write(async move |work: &mut Work| {
            let (reason, now) = (GuardReason::SuspiciousIp, unit_cx.now);
            let charged = super::charge(work, &meters, reason, &limited, &found, now).await?;
            if charged.is_told {
                let of = Throttled::SignUps;
                attack_mail::tell_administrators(work, &unit_cx, &from, of, now).await?;
            }
            Ok(charged.permits)
        })
        .await
        .map_err(unavailable)?;
    if permitted {
        return Ok(());
    }
    metrics::counter!("portcullis_refusals_total", "reason" => "sign_up").increment(1);
    Err(Refusal::TooManySignUps)
}

/// A sign-up that failed, and whether its event was written with it.
enum Failed {
    Untold(Refusal),
    Logged(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Untold(refusal)
    }
}

async fn carry_out(cx: &RequestContext, sign_up: &SignUp) -> Result<Value, Failed> {
    let client = &sign_up.asker.client.client.client_id;
    let document = sign_up.document();
    let accepted = passwords::accept_chosen(
        cx,
        Proposal {
            connection: &sign_up.connection.connection,
            password: sign_up.request.password.expose(),
            person: person(&document),
            before: None,
            share: share(
                &cx.app,
                &sign_up.asker.source.source,
                client.as_str(),
                sign_up.asker.standing,
            ),
        },
        Stage::SignUp,
        || About {
            source: &sign_up.asker.source.source,
            user: None,
            event: sign_up.event(cx, EventType::BreachedPasswordAtSignup),
        },
    )
    .await
    .map_err(Refusal::Password)?;
    let own_id = keys::hex24(&*cx.app.entropy);
    let record = new_record(
        cx.now,
        &sign_up.connection.connection,
        &document,
        &own_id,
        &accepted,
    )
    .map_err(|_| Refusal::Unavailable)?;
    let signed_up = write(cx, sign_up, record).await?;
    // Also for an address that was not given to anybody: forgetting takes its time.
    cx.app.protection.forget();
    match (signed_up, existing_account(cx)) {
        (SignedUp::Done, _) | (SignedUp::AddressTaken, Told::Nothing) => Ok(sign_up.shown(&own_id)),
        (SignedUp::UsernameTaken, _) => Err(Failed::Logged(Refusal::UsernameExists)),
        (SignedUp::AddressTaken, Told::Generic) => Err(Failed::Logged(Refusal::InvalidSignUp)),
        (SignedUp::AddressTaken, Told::Exists) => Err(Failed::Logged(Refusal::UserExists)),
    }
}

/// What whoever signs up with an address in use is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Generic,
    Exists,
}

fn existing_account(cx: &RequestContext) -> Told {
    let tenant = cx.tenant();
    let flags = tenant.settings.rest.get("flags");
    let flag = flags.and_then(|flags| flags.get("enable_public_signup_user_exists_error"));
    match (flag, tenant.attack_protection.sign_up.existing_account) {
        (Some(Value::Bool(true)), _) => Told::Exists,
        (_, ExistingAccount::InvalidSignup) => Told::Generic,
        (_, ExistingAccount::Conceal) => Told::Nothing,
    }
}

/// One unit, of the same statements for a new address and a known one.
async fn write(
    cx: &RequestContext,
    sign_up: &SignUp,
    record: UserRecord,
) -> Result<SignedUp, Refusal> {
    let (address, username) = (sign_up.address.clone(), sign_up.username.clone());
    let client = &sign_up.asker.client.client.client_id;
    let user = &record.user.user_id;
    let verify = AccountMail::verification_of_sign_up(cx, user, &address, client);
    let again = AccountMail::signed_up_again(cx, &record.connection_id, &address, client);
    let mut events = [EventType::SignupSucceeded, EventType::SignupFailed]
        .map(|event_type| sign_up.event(cx, event_type));
    stamp(&mut events, cx.now_again(), &*cx.app.entropy);
    let [mut succeeded, failed] = events;
    succeeded.user_id = Some(user.clone());
    let concealed = existing_account(cx) == Told::Nothing;
    let unit_cx = cx.clone();
    let written = cx.store.write(async move |work: &mut Work| {
        let signed_up = work.sign_up(&record, &address, username.as_ref()).await?;
        let mut event = match signed_up {
            SignedUp::Done => succeeded.clone(),
            SignedUp::UsernameTaken | SignedUp::AddressTaken => failed.clone(),
        };
        let (mail, names) = match signed_up {
            SignedUp::UsernameTaken => {
                explain(&mut event, &Refusal::UsernameExists);
                work.add_events(std::slice::from_ref(&event)).await?;
                return Ok(signed_up);
            }
            SignedUp::Done => (&verify, record.identifiers.clone()),
            SignedUp::AddressTaken => {
                explain(&mut event, &Refusal::UserExists);
                // What was counted against a name that nobody gets stays; looking at it costs the same.
                let names = vec![address.clone(); record.identifiers.len()];
                (&again, names)
            }
        };
        let (connection, user, by) = (
            &record.connection_id,
            &record.user.user_id,
            LiftedBy::SignUp,
        );
        blocks::end_all_for_identifiers(work, &unit_cx, connection, &names, user, &by).await?;
        if signed_up == SignedUp::Done || concealed {
            mail.put_down(work, &unit_cx).await?;
        }
        work.add_events(std::slice::from_ref(&event)).await?;
        Ok(signed_up)
    });
    written.await.map_err(unavailable)
}
