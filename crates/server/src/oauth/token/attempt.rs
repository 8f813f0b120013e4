//! One attempt with a password, from its charge to its settle, detached from the connection that asked for it.
//!
//! Charge, verify, decide, settle together with the log events in one commit (`settle`), and only then tell.

use std::sync::Arc;

use credentials::{Against, Expired, Password, PasswordHash, Slot, Verified};
use guard::{Explained, Outcome, Reservation};
use jiff::Timestamp;
use model::{EventType, LogEvent, UserRecord};
use protocol::{PasswordFacts, Reason, TokenAnswer};
use storage::{StoreError, Work};
use tokio::time::Instant;

use super::events::{self, Told};
use super::issue::issue;
use super::settle::Verdict;
use crate::answer::oauth::Refusal;
use crate::breach::{About, judge_right};
use crate::directory::ConnectionFacts;
use crate::event_log;
use crate::failpoint;
use crate::protection::decision::{SourceFound, record};
use crate::protection::lifecycle::{self, LiftedBy};
use crate::protection::{
    BlockTurn, Charge, KnownRefusal, Meters, Place, Question, RefusalKey, SecretPool, notice_event,
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

    /// Adds the events of blocks that began or ended; `by` is what ends one here, where neither time nor settings do.
    pub(super) fn tell_turns(
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

    /// The end user's address as texts show it.
    pub(super) fn address(&self) -> String {
        self.source.source.exact().to_string()
    }

    /// Fills in what every event of this attempt has.
    pub(super) fn describe(&self, event: &mut LogEvent) {
        events::describe(self, event);
    }
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
