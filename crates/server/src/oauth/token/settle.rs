//! The end of an attempt: what the hash came to is settled, logged and mailed in one commit, and then told.
//!
//! A settle that finds its epoch gone, or a store that fails, tells nobody.
//!
//! A right password that is breached and refused is neither a success nor free: telling so confirms the pair, so it is
//! charged to a pool of the source, and where that is empty it is a wrong guess like any other.

use std::sync::Arc;

use guard::{Outcome, Raised, Reservation};
use jiff::Timestamp;
use model::{Identifier, LogEvent};
use protocol::{Reason, TokenAnswer};
use storage::{AccessTokenRecord, StoreError, Work};

use super::attempt::Attempt;
use super::events::{self, Told};
use super::issue::Issued;
use crate::answer::oauth::Refusal;
use crate::breach::{Confirmed, Judged};
use crate::event_log;
use crate::failpoint;
use crate::protection::attack_mail::{self, Throttled, Tried};
use crate::protection::decision::{SourceFound, record};
use crate::protection::lifecycle::LiftedBy;
use crate::protection::spread_event;

/// What the hash came to, for the meters, the log and the caller.
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) told: Told,
    pub(super) result: Result<Issued, Refusal>,
    /// Of a password that was right.
    pub(super) judged: Option<Judged>,
}

impl Verdict {
    /// Gives the charge back and resets nothing.
    pub(super) fn undone(refusal: Refusal, told: Told) -> Self {
        Self {
            outcome: Outcome::Undone,
            told,
            result: Err(refusal),
            judged: None,
        }
    }
}

impl Attempt {
    /// One commit: meters, events, the login on the user, the record of an opaque token.
    pub(super) async fn settle(
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
                    _ => Confirmed::Yes,
                };
                let (outcome, told, record_due) = match confirmed {
                    Confirmed::Yes => (outcome, told, None),
                    Confirmed::No { record_due } => (Outcome::Wrong, Told::Unconfirmed, record_due),
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
                if let (Some(explained), Some(first)) = (&record_due, rows.first_mut()) {
                    let source = SourceFound::of(&attempt.source);
                    record(first, guard::Reason::Pool, explained, &source);
                }
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
                    attack_mail::tell_administrators(
                        work,
                        &self.cx,
                        source,
                        Throttled::Logins,
                        now,
                    )
                    .await?;
                }
                (Raised::Blocked { .. } | Raised::ManyUsers { .. }, _) => {}
            }
        }
        Ok(())
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
