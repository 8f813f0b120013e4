//! The password grant (RFC 6749 §4.3 and the vendor's realm variant).
//!
//! Everything the caller controls is judged first; then the look-up, a place in the hashing queue, and the attempt.

use std::sync::Arc;
use std::time::Duration;

use credentials::{ClientStanding, Password, Share};
use http::HeaderMap;
use jiff::Timestamp;
use model::{ClientId, Identifier, ResourceServer, SubjectType};
use protocol::{
    Audience, Caller, DirectoryChoice, PasswordFacts, PasswordRequest, Reason, TokenAnswer, UserApi,
};
use storage::{Shown, StoreError};
use tokio::time::Instant;

use super::attempt::{Asked, Attempt, Step, against};
use super::events;
use crate::answer::oauth::Refusal;
use crate::directory::{ClientFacts, ConnectionFacts, ConnectionName};
use crate::event_log::user_name;
use crate::protection::account::{account_of, unknown_digest};
use crate::protection::policy::policy_for;
use crate::protection::{KnownRefusal, Meters, RefusalKey, header_watch};
use crate::request::RequestContext;
use crate::source_address::{TrustedSource, decide};

/// Exchanges a user's password for tokens.
pub(super) async fn exchange(
    cx: &RequestContext,
    headers: &HeaderMap,
    caller: Caller,
    client: &ClientFacts,
    asked: Asked,
    request: PasswordRequest,
) -> Result<TokenAnswer, Refusal> {
    let source = decide(headers, &caller, &client.header_trust, cx.address());
    metrics::counter!("portcullis_source_decisions_total", "decision" => source.decision.label())
        .increment(1);
    if let Some(warning) = header_watch::warning(cx, caller.client(), &source) {
        events::warn(cx, warning).await;
    }
    let client_id = caller.client().client_id.clone();
    let judged = judge(cx, caller, request).await;
    let (connection, facts) = match judged {
        Ok(judged) => judged,
        Err((grant, reason)) => {
            return Err(events::refused(cx, grant, Some(client_id), Some(&source), reason).await);
        }
    };
    let identifier = Identifier::of(facts.username());
    let tenant = &cx.tenant().id;
    let refusal_key = RefusalKey::new(
        tenant,
        &connection.connection.id,
        &identifier,
        &source.source,
        source.standing,
    );
    if let Some(known) = known_refusal(cx, &refusal_key, &asked, cx.now) {
        return Err(Refusal::by_guard(cx, &known));
    }

    let tried = (refusal_key, asked);
    let attempt = prepare(cx, facts, connection, identifier, source, tried)
        .await
        .map_err(|error| {
            tracing::error!(%error, "user not looked up");
            Refusal::from(Reason::TemporarilyUnavailable)
        })?;

    take(attempt).await
}

/// What this node knows. Of a call whose secret was right, only what was read for the same question since it came: an older
/// reading, or another application's, need not know that the pool of its secret is full, and would tell that it is right.
fn known_refusal(
    cx: &RequestContext,
    key: &RefusalKey,
    asked: &Asked,
    now: Timestamp,
) -> Option<KnownRefusal> {
    let refusals = &cx.app.protection.refusals;
    let Some(pool) = &asked.pool else {
        return refusals.get(key, now);
    };
    let known = refusals.answer_read_since(asked.question.as_ref()?, asked.arrived, now)?;
    pool.was_read();
    Some(known)
}

/// The rules about what the caller asked for, before anybody is looked up.
async fn judge(
    cx: &RequestContext,
    caller: Caller,
    request: PasswordRequest,
) -> Result<(Arc<ConnectionFacts>, PasswordFacts), (protocol::GrantType, Reason)> {
    let grant = request.grant;
    let failed = |reason| (grant, reason);
    let unavailable = |error: StoreError| {
        tracing::error!(%error, "connection or API not read");
        (grant, Reason::TemporarilyUnavailable)
    };
    let settings = &cx.tenant().settings;
    caller.require_grant(grant).map_err(failed)?;
    let choice = protocol::password::directory(&request, settings).map_err(failed)?;
    let name = match &choice {
        DirectoryChoice::ByName(name) => ConnectionName::Name(name.clone()),
        DirectoryChoice::ByRealm(realm) => ConnectionName::Realm(realm.clone()),
    };
    let directory = &cx.app.directory;
    let connection = directory
        .connection(&cx.app, &cx.store, &cx.tenant().id, name)
        .await
        .map_err(unavailable)?;
    let known = connection.as_ref().map(|facts| &facts.connection);
    protocol::password::connection_rule(&choice, known, caller.client()).map_err(failed)?;
    let connection = connection.ok_or((grant, Reason::NoDefaultDirectory))?;
    let api = match protocol::password::audience(&request, settings) {
        Audience::None => None,
        Audience::Api(identifier) => {
            let found = directory
                .resource_server(&cx.store, &cx.tenant().id, &identifier)
                .await
                .map_err(unavailable)?;
            let found = found.ok_or((grant, Reason::ServiceNotEnabled(identifier)))?;
            let client = &caller.client().client_id;
            let api = user_api(cx, client, &found.server).await;
            Some(api.map_err(unavailable)?.map_err(failed)?)
        }
    };
    let facts = PasswordFacts::judge(caller, request, api).map_err(failed)?;
    Ok((connection, facts))
}

/// The API as far as its policy lets this application's users in.
async fn user_api(
    cx: &RequestContext,
    client: &ClientId,
    server: &Arc<ResourceServer>,
) -> Result<Result<UserApi, Reason>, StoreError> {
    let grant = if UserApi::asks_for_grant(server) {
        let audience = &server.identifier;
        cx.store
            .find_client_grant_for(client, audience, SubjectType::User)
            .await?
    } else {
        None
    };
    let management = cx.tenant().management_audience();
    Ok(UserApi::judge(
        Arc::clone(server),
        &management,
        client,
        grant,
    ))
}

/// Looks the user up and lays out what the attempt touches; hit or miss costs the same statement.
async fn prepare(
    cx: &RequestContext,
    facts: PasswordFacts,
    connection: Arc<ConnectionFacts>,
    identifier: Identifier,
    source: TrustedSource,
    (refusal_key, asked): (RefusalKey, Asked),
) -> Result<Attempt, StoreError> {
    let tenant = &cx.tenant().id;
    let digests = &cx.app.secrets.meters;
    let id = &connection.connection.id;
    let user = cx.store.find_user_by_identifier(id, &identifier).await?;
    let account = account_of(
        digests,
        tenant,
        id,
        &identifier,
        user.as_ref().map(|user| &user.user.user_id),
    );
    let unknown = unknown_digest(digests, tenant, id, &identifier);
    let user_name = user_name(
        &cx.app,
        tenant.as_str(),
        facts.username(),
        &identifier,
        user.as_ref(),
    );
    let shown = Shown {
        identifier: user_name.clone(),
        address: source.source.exact().to_string(),
        connection: connection.connection.name.clone(),
        user: None,
    };
    let attempt = guard::Attempt {
        connection: id.as_str().to_owned(),
        account,
        source: source.source,
        standing: source.standing,
    };
    let policy = policy_for(&cx.facts, &connection);
    Ok(Attempt {
        meters: Meters::of(policy, attempt, digests, tenant, shown),
        password: Password::new(facts.password())
            .expect("the request was read within the same bounds"),
        against: against(&connection, user.as_ref(), &unknown),
        cx: cx.clone(),
        facts,
        connection,
        user,
        source,
        refusal_key,
        asked,
        user_name,
    })
}

/// Waits for its turn, takes a place in the hashing queue, and tries until the attempt is permitted or refused.
async fn take(attempt: Attempt) -> Result<TokenAnswer, Refusal> {
    const FIRST_PAUSE: Duration = Duration::from_millis(20);
    const LONGEST_PAUSE: Duration = Duration::from_millis(200);

    let attempt = Arc::new(attempt);
    let app = &attempt.cx.app;
    let deadline = Instant::now() + app.protection.waiting.patience;
    let share = share(&attempt);
    let mut place = match attempt
        .meters
        .line(policy_for(&attempt.cx.facts, &attempt.connection))
    {
        Some((key, capacity)) => Some(
            app.protection
                .lines
                .enter(key, capacity, deadline)
                .await
                .map_err(|_| Refusal::busy(1))?,
        ),
        None => None,
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let now = attempt.cx.now_again();
        if let Some(known) = known_refusal(&attempt.cx, &attempt.refusal_key, &attempt.asked, now) {
            return Err(Refusal::by_guard(&attempt.cx, &known));
        }
        let slot = app
            .pool
            .admit(&share)
            .map_err(|busy| Refusal::busy(busy.retry_after.as_secs()))?;
        let step = app.jobs.detach(Arc::clone(&attempt).run(slot, place)).await;
        match step {
            Ok(Step::Done(told)) => return told,
            Ok(Step::Wait(kept)) => place = kept,
            Err(_) => return Err(Reason::ServerError.into()),
        }
        if Instant::now() + pause > deadline {
            return Err(Refusal::busy(1));
        }
        tokio::time::sleep(jittered(app, pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Between half of the pause and all of it, so that nodes do not poll in step.
fn jittered(app: &crate::App, pause: Duration) -> Duration {
    let mut random = [0; 1];
    app.entropy.fill(&mut random);
    pause / 2 + pause.mul_f64(f64::from(random[0]) / 512.0)
}

/// Whose share of the hashing queue the attempt takes.
fn share(attempt: &Attempt) -> Share {
    let caller = attempt.facts.caller();
    let standing = if caller.is_authenticated() {
        ClientStanding::Authenticated
    } else {
        ClientStanding::Public
    };
    let client = caller.client().client_id.as_str();
    crate::protection::share(&attempt.cx.app, &attempt.source.source, client, standing)
}
