//! What an attempt would meet now: the guard is asked with the rows as they stand, and nothing is counted.
//!
//! It is what an administrator asks while a user is on the telephone. It promises nothing: an attempt that is made a moment
//! later meets the rows of that moment.

use std::net::IpAddr;
use std::sync::Arc;

use guard::{Explained, Reason, Says, Source, Standing};
use model::{Identifier, wire_time};
use serde_json::{Value, json};
use storage::StoreError;

use super::account::account_of;
use super::decision::{SourceFound, Whom, ends_at, lifts, meter_shown, word_of_reason};
use super::meters::Meters;
use super::policy::policy_for;
use crate::directory::{ClientFacts, ConnectionFacts};
use crate::event_log::address_text;
use crate::request::RequestContext;
use crate::source_address::{HeaderDecision, TrustedSource};

/// Who would try, from where, through which application.
pub(crate) struct Present {
    pub(crate) typed: String,
    pub(crate) identifier: Identifier,
    pub(crate) connection: Arc<ConnectionFacts>,
    /// The end user's address.
    pub(crate) address: IpAddr,
    pub(crate) client: Option<Arc<ClientFacts>>,
    /// The address the application calls from, where it is another one.
    pub(crate) caller: Option<IpAddr>,
}

/// The answer, for people.
pub(crate) async fn present(cx: &RequestContext, asked: Present) -> Result<Value, StoreError> {
    let connection = &asked.connection.connection;
    let user = cx
        .store
        .find_user_by_identifier(&connection.id, &asked.identifier)
        .await?;
    let user_id = user.as_ref().map(|user| &user.user.user_id);
    let digests = &cx.app.secrets.meters;
    let tenant = &cx.tenant().id;
    let account = account_of(digests, tenant, &connection.id, &asked.identifier, user_id);
    let source = source_of(&asked);
    let attempt = guard::Attempt {
        connection: connection.id.as_str().to_owned(),
        account,
        source: source.source,
        standing: source.standing,
    };
    let plan = policy_for(&cx.facts, &asked.connection).plan(&attempt);
    let login = judged(cx, Meters::of_pool(plan, digests, tenant)).await?;
    let caller = caller_of(&asked);
    let secrets = match (&asked.client, caller) {
        (Some(client), Some(caller)) => {
            let client = client.client.client_id.as_str();
            let plan = cx
                .facts
                .policy
                .client_secret_plan(client, &Source::new(caller));
            judged(cx, Meters::of_pool(plan, digests, tenant)).await?
        }
        _ => Vec::new(),
    };

    let explained: Vec<Explained> = secrets.into_iter().chain(login).collect();
    let refusing = first_reason(&explained);
    let waits = explained.iter().any(|meter| meter.says == Says::Wait);
    let is_blocked = user.as_ref().is_some_and(|user| user.user.blocked);
    let mut shown = json!({
        "now": wire_time(cx.now),
        "answer": match refusing {
            Some(_) => "refused",
            None if waits => "waits",
            None => "admitted",
        },
        "identifier": asked.typed,
        "connection": connection.name,
        "account": { "is_known": user.is_some(), "is_blocked_by_administrator": is_blocked },
        "source": SourceFound::of(&source).shown(),
        "meters": explained.iter().map(meter_shown).collect::<Vec<_>>(),
        "counted": false,
    });
    if let Some(user_id) = user_id {
        shown["account"]["user_id"] = json!(user_id);
    }
    let Some(reason) = refusing else {
        shown["lift"] = json!(blocked_by_administrator(
            is_blocked,
            user_id.map(|id| id.as_str())
        ));
        return Ok(shown);
    };
    let word = word_of_reason(reason, &explained).unwrap_or_default();
    let met = match reason {
        Reason::Pool => caller.unwrap_or(asked.address),
        Reason::Blocked | Reason::SuspiciousIp | Reason::SameUser => source.source.exact(),
    };
    let met = address_text(met);
    let whom = Whom {
        identifier: Some(&asked.typed),
        user: user_id.map(|id| id.as_str()),
        address: Some(&met),
    };
    shown["reason"] = json!(word);
    shown["status"] = json!(429);
    if let Some(ends_at) = ends_at(reason, &explained) {
        shown["ends_at"] = json!(wire_time(ends_at));
    }
    shown["lift"] = json!(lifts(word, &whom));
    Ok(shown)
}

/// A full pool of secrets comes first, since nothing else is looked at then; else the guard's own order.
fn first_reason(explained: &[Explained]) -> Option<Reason> {
    let refusing = explained.iter().filter(|meter| meter.refuses());
    refusing.filter_map(|meter| meter.reason).next()
}

async fn judged(cx: &RequestContext, meters: Meters) -> Result<Vec<Explained>, StoreError> {
    let rows = cx.store.look_at_meters(&meters.keys()).await?;
    Ok(meters.plan().explain(&rows, cx.now))
}

/// The source as it would be found if the application did what it should.
fn source_of(asked: &Present) -> TrustedSource {
    let own = asked.caller.unwrap_or(asked.address);
    let (address, standing, decision) = match &asked.client {
        None => (asked.address, Standing::Own, HeaderDecision::Absent),
        Some(facts) if facts.client.is_public() => {
            (asked.address, Standing::Own, HeaderDecision::Absent)
        }
        Some(facts) if !facts.client.is_token_endpoint_ip_header_trusted => {
            (own, Standing::Backend, HeaderDecision::UntrustedClient)
        }
        Some(facts)
            if asked
                .caller
                .is_some_and(|caller| !facts.header_trust.allows(caller)) =>
        {
            (own, Standing::Distrusted, HeaderDecision::ForeignNetwork)
        }
        Some(_) => (asked.address, Standing::Vouched, HeaderDecision::Used),
    };
    TrustedSource {
        source: Source::new(address),
        standing,
        decision,
    }
}

/// Where the application calls from, as far as it is known; a trusted one calls from elsewhere than its users.
fn caller_of(asked: &Present) -> Option<IpAddr> {
    let trusted = asked.client.as_ref().is_some_and(|facts| {
        facts.client.is_token_endpoint_ip_header_trusted && !facts.client.is_public()
    });
    asked.caller.or((!trusted).then_some(asked.address))
}

fn blocked_by_administrator(is_blocked: bool, user: Option<&str>) -> Vec<Value> {
    if !is_blocked {
        return Vec::new();
    }
    let path = super::decision::user_path(user.unwrap_or_default());
    vec![json!({
        "how": "An administrator has blocked this user: a right password is refused. Set blocked to false.",
        "call": format!("PATCH {path}"),
    })]
}
