//! One attempt with a password, from its charge to its settle, detached from the connection that asked for it.
//!
//! Charge, verify, decide, settle together with the log events in one commit, and only then tell.
//! A settle that finds its epoch gone, or a store that fails, tells nobody.
//!
//! A right password that is breached and refused is neither a success nor free: telling so confirms the pair, so it is
//! charged to a pool of the source, and where that is empty it is a wrong guess like any other.

use std::sync::Arc;

use credentials::{Against, Expired, Password, PasswordHash, Slot, Verified};
use guard::{Explained, Outcome, Raised, Reservation};
use jiff::Timestamp;
use model::{EventType, Identifier, LogEvent, UserRecord};
use protocol::{PasswordFacts, Reason, TokenAnswer};
use storage::{AccessTokenRecord, StoreError, Work};
use tokio::time::Instant;

use super::events::{self, Told};
use super::issue::{Issued, issue};
use crate::answer::oauth::Refusal;
use crate::breach::{About, Judged, judge_right};
use crate::directory::ConnectionFacts;
use crate::event_log;
use crate::failpoint;
use crate::protection::attack_mail::{self, Tried};
use crate::protection::decision::{SourceFound, record};
use crate::protection::lifecycle::{self, LiftedBy};
use crate::protection::{
    BlockTurn, Charge, KnownRefusal, Meters, Place, Question, RefusalKey, SecretPool, notice_event,
    spread_event,
};
use crate::request::RequestContext;
use crate::source_address::TrustedSource;

/// Everything an attempt needs, owned, so that it can outlive its request.
pub(super) struct Attempt {
    pub(super) cx: RequestContext,
    pub(super) facts: PasswordFacts,
    pub(super) connection: Arc<ConnectionFacts>,
    pub(super) user: Option<UserRecord>,
    pub(super) password: Password,
    pub(super) against: Against,
    pub(super) source: TrustedSource,
    pub(super) meters: Meters,
    pub(super) refusal_key: RefusalKey,
    /// Of a call with a secret.
    pub(super) asked: Asked,
    /// The identifier as events show it.
    pub(super) user_name: String,
}

/// What a call is to whoever answers calls with secrets.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) pool: Option<Arc<SecretPool>>,
    pub(super) question: Option<Question>,
    pub(super) arrived: Instant,
}

/// What one try came to.
pub(super) enum Step {
    /// Attempts in flight fill the budget: nothing was charged, try again.
    Wait(Option<Place>),
    Done(Result<TokenAnswer, Refusal>),
}

impl Attempt {
    /// Charges and, if permitted, carries the attempt to its end.
    pub(super) async fn run(self: Arc<Self>, slot: Slot, place: Option<Place>) -> Step {
        let refusals = &self.cx.app.protection.refusals;
        let reading = refusals.begin();
        let charged = self.charge().await;
        failpoint::pass("after_charge");
        let charged = match charged {
            Ok(Ok(charge)) => Ok(charge),
            Ok(Err(full)) => return Step::Done(Err(Refusal::by_guard(&self.cx, &full))),
            Err(error) => Err(error),
        };
        match charged {
            Err(error) => {
                tracing::error!(%error, "attempt not charged");
                Step::Done(Err(Reason::TemporarilyUnavailable.into()))
            }
            Ok(Charge::Wait) => Step::Wait(place),
            Ok(Charge::Refuse { reason, until, .. }) => {
                let known = KnownRefusal { reason, until };
                let (key, question) = (self.refusal_key.clone(), self.asked.question);
                refusals.put(key, question, known, reading);
                Step::Done(Err(Refusal::by_guard(&self.cx, &known)))
            }
            Ok(Charge::Permit(reservation)) => {
                let told = Arc::clone(&self).carry_out(reservation, slot).await;
                drop(place);
                Step::Done(told)
            }
        }
    }

    /// Charges, unless the pool of the call's secret is full.
    async fn charge(self: &Arc<Self>) -> Result<Result<Charge, KnownRefusal>, StoreError> {
        let attempt = Arc::clone(self);
        let now = self.cx.now_again();
        let reading = SecretPool::begin(&self.cx);
        let charged = self
            .cx
            .store
            .write(async move |work: &mut Work| {
                let pool = attempt.asked.pool.as_deref();
                let mut turns = Vec::new();
                let charge = attempt
                    .meters
                    .charge_beside(pool, work, &attempt.cx, now, &mut turns)
                    .await?;
                let mut told = Vec::new();
                if let Ok(Charge::Refuse {
                    reason,
                    notice_due: Some(explained),
                    ..
                }) = &charge
                {
                    told.push(attempt.notice(*reason, explained, now));
                }
                attempt.tell_turns(&turns, &mut told, None, now);
                if !told.is_empty() {
                    event_log::stamp(&mut told, now, &*attempt.cx.app.entropy);
                    work.add_events(&told).await?;
                }
                Ok(charge)
            })
            .await?;
        let spent = charged.as_ref().err();
        let full = match &self.asked.pool {
            Some(pool) => pool.found(&self.cx, spent, reading),
            None => None,
        };
        match (charged, full) {
            (Ok(charge), _) => Ok(Ok(charge)),
            (Err(_), Some(full)) => Ok(Err(full)),
            (Err(_), None) => Err(StoreError::Contended),
        }
    }

    /// The event of a refusal that is due.
    fn notice(&self, reason: guard::Reason, explained: &[Explained], now: Timestamp) -> LogEvent {
        let threshold = self.cx.facts.policy.brute_force.max_attempts;
        let address = self.address();
        let mut event = notice_event(&self.cx, reason, &self.user_name, &address, threshold);
        self.describe(&mut event);
        record(
            &mut event,
            reason,
            explained,
            &SourceFound::of(&self.source),
        );
        event_log::stamp(std::slice::from_mut(&mut event), now, &*self.cx.app.entropy);
        event
    }

    async fn carry_out(
        self: Arc<Self>,
        reservation: Reservation,
        slot: Slot,
    ) -> Result<TokenAnswer, Refusal> {
        failpoint::pass("before_hash");
        let verified = slot
            .verify(self.password.clone(), self.against.clone())
            .await;
        failpoint::pass("after_hash");

        let verdict = self.decide(verified).await;

        let now = self.cx.now_again();
        let answer = self.settle(reservation, verdict, now).await;
        failpoint::pass("after_settle");
        answer
    }

    /// From the hash's verdict to what the caller would be told.
    async fn decide(&self, verified: Result<Verified, Expired>) -> Verdict {
        let user = match (verified, &self.user) {
            (Err(Expired { .. }), _) => return Verdict::undone(Refusal::busy(1), Told::Nothing),
            (Ok(Verified::Match), Some(user)) => user,
            (Ok(Verified::Match | Verified::Mismatch), _) => {
                return Verdict {
                    outcome: Outcome::Wrong,
                    told: Told::WrongPassword,
                    result: Err(self.wrong_credentials().into()),
                    judged: None,
                };
            }
        };
        let approved = match self.facts.approve(&user.user) {
            Ok(approved) => approved.with_updated_at(user.updated_at),
            Err(reason) => return Verdict::undone(reason.into(), Told::Refused),
        };
        let judged = judge_right(&self.cx, &self.password, || About {
            source: &self.source.source,
            user: Some(&user.user.user_id),
            event: events::of_user(self, EventType::BreachedPassword),
        })
        .await;
        if judged.refuses() {
            return Verdict {
                judged: Some(judged),
                ..Verdict::undone(Reason::PasswordLeaked.into(), Told::Breached)
            };
        }
        match issue(&self.cx, &approved, self.cx.now_again()).await {
            Ok(issued) => Verdict {
                outcome: Outcome::Right,
                told: Told::Success,
                result: Ok(issued),
                judged: Some(judged),
            },
            Err(reason) => Verdict::undone(reason.into(), Told::Nothing),
        }
    }

    pub(super) fn wrong_credentials(&self) -> Reason {
        Reason::WrongCredentials {
            username_required: self.connection.connection.options.requires_username,
        }
    }

    /// One commit: meters, events, the login on the user, the record of an opaque token.
    async fn settle(
        self: Arc<Self>,
        reservation: Reservation,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<TokenAnswer, Refusal> {
        let Verdict {
            outcome,
            told,
            result,
            judged,
        } = verdict;
        let (answer, opaque) = match result {
            Ok(Issued { answer, opaque }) => (Ok(answer), opaque),
            Err(refusal) => (Err(refusal), None),
        };
        let refused = answer
            .as_ref()
            .err()
            .map(|refusal| refusal.reason.description().into_owned());
        let many_sources = self.spread(told, now);
        failpoint::pass("before_settle");
        let attempt = Arc::clone(&self);
        let settled = self
            .cx
            .store
            .write(async move |work: &mut Work| {
                let confirmed = match &judged {
                    Some(judged) if told == Told::Breached => judged.may_confirm(work, now).await?,
                    _ => true,
                };
                let (outcome, told) = if confirmed {
                    (outcome, told)
                } else {
                    (Outcome::Wrong, Told::Unconfirmed)
                };
                let mut turns = Vec::new();
                let crossed = match attempt
                    .meters
                    .settle_telling(work, &reservation, outcome, now, &mut turns)
                    .await?
                {
                    Ok(crossed) => crossed,
                    Err(lost) => return Ok(Err(lost)),
                };
                let mut rows =
                    events::of_attempt(&attempt, told, refused.as_deref(), &crossed, now);
                if !turns.is_empty() {
                    let by = LiftedBy::Success;
                    attempt.tell_turns(&turns, &mut rows, Some(&by), now);
                    event_log::stamp(&mut rows, now, &*attempt.cx.app.entropy);
                }
                rows.extend(many_sources.clone());
                work.add_events(&rows).await?;
                attempt.send_mails(work, &crossed.raised, now).await?;
                if let Some(judged) = &judged {
                    judged.record(work, now).await?;
                }
                attempt
                    .record_success(work, outcome, opaque.as_ref(), now)
                    .await?;
                Ok(Ok((crossed.raised, told)))
            })
            .await;
        match settled {
            Ok(Ok((raised, told))) => {
                raised.iter().for_each(count_block);
                match told {
                    Told::Breached => count_refusal("breached_password"),
                    Told::Unconfirmed => count_refusal("breached_password_unconfirmed"),
                    _ => {}
                }
                match told {
                    Told::Unconfirmed => Err(self.wrong_credentials().into()),
                    _ => answer,
                }
            }
            Ok(Err(_lost)) => Err(Reason::TemporarilyUnavailable.into()),
            Err(error) => {
                tracing::error!(%error, "attempt not settled; nobody is told its outcome");
                Err(Reason::TemporarilyUnavailable.into())
            }
        }
    }

    async fn record_success(
        &self,
        work: &mut Work,
        outcome: Outcome,
        opaque: Option<&AccessTokenRecord>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (Outcome::Right, Some(user)) = (outcome, &self.user) else {
            return Ok(());
        };
        work.record_login(
            &user.user.user_id,
            now,
            &self.source.source.exact().to_string(),
        )
        .await?;
        match opaque {
            Some(record) => work.add_access_token(record).await,
            None => Ok(()),
        }
    }

    /// The warning that this account is tried from many sources, when it is due.
    fn spread(&self, told: Told, now: Timestamp) -> Option<LogEvent> {
        if told != Told::WrongPassword {
            return None;
        }
        let (tenant, connection) = (&self.cx.tenant().id, &self.connection.connection.id);
        let (account, source) = (self.meters.account()?, &self.source.source);
        let spread = &self.cx.app.protection.spread;
        let at_least = spread.observe(tenant, connection, account, source, now)?;
        let mut warning = spread_event(&self.cx, &self.user_name, at_least);
        self.describe(&mut warning);
        warning.user_id = self.user.as_ref().map(|user| user.user.user_id.clone());
        Some(warning)
    }

    /// Adds the events of blocks that began or ended; `by` is what ends one here, where neither time nor settings do.
    fn tell_turns(
        &self,
        turns: &[BlockTurn],
        rows: &mut Vec<LogEvent>,
        by: Option<&LiftedBy>,
        now: Timestamp,
    ) {
        let tenant = self.cx.tenant();
        for turn in turns {
            let mut event = match (turn.is_begun, by) {
                (true, _) => lifecycle::created(tenant, &turn.block, now),
                (false, Some(by)) => lifecycle::lifted(tenant, &turn.block, by, now),
                (false, None) => lifecycle::ended(tenant, &turn.block, now),
            };
            event.client_id = Some(self.facts.caller().client().client_id.clone());
            event.connection_id = Some(self.connection.connection.id.clone());
            rows.push(event);
        }
    }

    /// Puts down the mails that crossed lines cause, for users who exist and for those who do not alike.
    async fn send_mails(
        &self,
        work: &mut Work,
        raised: &[Raised],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for line in raised {
            match (line, self.meters.account()) {
                (Raised::Blocked { threshold, hold }, Some(account)) => {
                    let tried = Tried {
                        connection_id: &self.connection.connection.id,
                        connection: &self.connection.connection.name,
                        user: self.user.as_ref().map(|user| &user.user.user_id),
                        account,
                        identifier: Identifier::of(self.facts.username()),
                        user_name: &self.user_name,
                        source: &self.source.source,
                        client_id: &self.facts.caller().client().client_id,
                    };
                    attack_mail::tell_user(work, &self.cx, &tried, *threshold, *hold, now).await?;
                }
                (Raised::SuspiciousIp, _) => {
                    let source = &self.source.source;
                    attack_mail::tell_administrators(work, &self.cx, source, now).await?;
                }
                (Raised::Blocked { .. } | Raised::ManyUsers { .. }, _) => {}
            }
        }
        Ok(())
    }

    /// The end user's address as texts show it.
    pub(super) fn address(&self) -> String {
        self.source.source.exact().to_string()
    }

    /// Fills in what every event of this attempt has.
    pub(super) fn describe(&self, event: &mut LogEvent) {
        events::describe(self, event);
    }
}

/// What the hash came to, for the meters, the log and the caller.
struct Verdict {
    outcome: Outcome,
    told: Told,
    result: Result<Issued, Refusal>,
    /// Of a password that was right.
    judged: Option<Judged>,
}

impl Verdict {
    /// Gives the charge back and resets nothing.
    fn undone(refusal: Refusal, told: Told) -> Self {
        Self {
            outcome: Outcome::Undone,
            told,
            result: Err(refusal),
            judged: None,
        }
    }
}

/// Blocks that began on this node; what stands now is in the Management API.
fn count_block(raised: &Raised) {
    let kind = match raised {
        Raised::Blocked { .. } => "brute_force",
        Raised::SuspiciousIp => "suspicious_ip",
        Raised::ManyUsers { .. } => return,
    };
    metrics::counter!("portcullis_blocks", "kind" => kind).increment(1);
}

fn count_refusal(reason: &'static str) {
    metrics::counter!("portcullis_refusals_total", "reason" => reason).increment(1);
}

/// What a password is verified against: the user's hash, or one of the format and cost its connection would have.
pub(super) fn against(
    connection: &ConnectionFacts,
    user: Option<&UserRecord>,
    unknown: &[u8; 32],
) -> Against {
    let stored = user
        .and_then(|user| user.password_hash.as_deref())
        .and_then(|text| PasswordHash::parse(text).ok());
    match stored {
        Some(hash) => Against::Stored(hash),
        None => Against::Decoy(connection.mix.pick(unknown)),
    }
}
