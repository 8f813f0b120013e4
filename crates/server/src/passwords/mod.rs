//! The one way of every new password: sign-up, the page behind a reset link, the Management API.
//!
//! A password is judged (policy, dictionary, personal data, history) and hashed before any unit of work opens; what comes
//! of it is an [`Accepted`], which nothing else makes and without which no hash is written. Writing it ends every
//! block of the account and every other reset link (`docs/decisions/0016-what-a-new-password-ends.md`).

mod rules;

use credentials::{Password, PasswordHash, PersonalData, Share, Unfit, Verified};
use model::{Connection, TicketKind, UserRecord};
use storage::{StoreError, Work, Written};

use crate::breach::{About, Stage, judge_new};
use crate::protection::blocks;
use crate::protection::lifecycle::LiftedBy;
use crate::request::RequestContext;
pub(crate) use rules::{Rules, person, person_of, policy_text};

/// A password that somebody wants to have.
pub(crate) struct Proposal<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) password: &'a str,
    pub(crate) person: PersonalData,
    /// The user as he is; none where he is about to be made.
    pub(crate) before: Option<&'a UserRecord>,
    pub(crate) share: Share,
}

/// Why a password is not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Empty, or beyond the bound.
    NotAPassword(String),
    Unfit(Unfit),
    /// Used before, as far back as the directory remembers.
    Reused,
    /// Known from a breach, where the tenant's shield blocks that.
    Leaked,
    Busy {
        retry_after: u64,
    },
    Store(StoreError),
}

/// A password that was judged, hashed.
#[derive(Clone)]
pub(crate) struct Accepted {
    hash: PasswordHash,
    /// The hash that was in use when it was judged.
    instead_of: Option<String>,
    history: u32,
}

/// Judges a password and hashes it.
pub(crate) async fn accept(
    cx: &RequestContext,
    proposal: Proposal<'_>,
) -> Result<Accepted, Refused> {
    let rules = Rules::of(&proposal.connection.options);
    let password = Password::new(proposal.password)
        .map_err(|error| Refused::NotAPassword(error.to_string()))?;
    let common = |text: &str| breached::built_in(text).is_some();
    rules
        .policy
        .judge(&password, &proposal.person, common)
        .map_err(Refused::Unfit)?;
    if let Some(user) = proposal.before
        && was_used(cx, user, rules.history, &password, &proposal.share).await?
    {
        return Err(Refused::Reused);
    }
    let slot = admit(cx, &proposal.share)?;
    let hashed = slot.hash(password, cx.app.settings.password_scheme).await;
    Ok(Accepted {
        hash: hashed.map_err(|_| Refused::Busy { retry_after: 1 })?,
        instead_of: proposal.before.and_then(|user| user.password_hash.clone()),
        history: rules.history,
    })
}

/// The same for a password that somebody chooses for himself: it is looked up in lists of breached ones, too, and what
/// follows from that is written before anybody is told.
pub(crate) async fn accept_chosen<'a>(
    cx: &RequestContext,
    proposal: Proposal<'_>,
    stage: Stage,
    about: impl FnOnce() -> About<'a>,
) -> Result<Accepted, Refused> {
    let text = proposal.password;
    let accepted = accept(cx, proposal).await?;
    let password = Password::new(text).map_err(|error| Refused::NotAPassword(error.to_string()))?;
    let judged = judge_new(cx, stage, &password, about).await;
    let refuses = judged.refuses();
    if judged.has_followings() {
        let now = cx.now_again();
        let written = cx
            .store
            .write(async move |work: &mut Work| judged.record(work, now).await);
        written.await.map_err(Refused::Store)?;
    }
    if refuses {
        return Err(Refused::Leaked);
    }
    Ok(accepted)
}

impl Accepted {
    /// Puts the hash and its scheme into the record of a user who is about to be made.
    pub(crate) fn put(&self, record: &mut UserRecord) {
        record.password_scheme = Some(self.hash.scheme().to_string());
        record.password_hash = Some(self.hash.as_str().to_owned());
    }

    /// Writes a user with his new password, and what follows from it. [`Written::Moved`] where he got another one since
    /// this one was judged.
    ///
    /// This node forgets its refusals only when the caller says so after the commit.
    pub(crate) async fn write(
        &self,
        work: &mut Work,
        cx: &RequestContext,
        mut record: UserRecord,
    ) -> Result<Written, StoreError> {
        if record.password_hash != self.instead_of {
            return Ok(Written::Moved);
        }
        self.put(&mut record);
        record.updated_at = cx.now;
        record.last_password_reset = Some(cx.now);
        let written = work.set_user(&record).await?;
        if written != Written::Done {
            return Ok(written);
        }
        let user = &record.user.user_id;
        // The one in use counts as one of them.
        if let (Some(old), 2..) = (&self.instead_of, self.history) {
            let keep = self.history - 1;
            work.remember_password(user, old, cx.now, keep).await?;
        }
        let by = LiftedBy::PasswordChange;
        blocks::end_all_for_account(work, cx, &record.connection_id, user, &by).await?;
        work.remove_tickets_of_user(user, TicketKind::PasswordReset)
            .await?;
        Ok(written)
    }
}

/// Whether it is one of the user's last passwords, the present one first; at most 24 hashes, one after the other.
async fn was_used(
    cx: &RequestContext,
    user: &UserRecord,
    history: u32,
    password: &Password,
    share: &Share,
) -> Result<bool, Refused> {
    if history == 0 {
        return Ok(false);
    }
    let older = cx.store.list_password_history(&user.user.user_id).await;
    let older = older.map_err(Refused::Store)?;
    let hashes = user.password_hash.iter().chain(&older);
    for text in hashes.take(usize::try_from(history).unwrap_or(usize::MAX)) {
        let Ok(hash) = PasswordHash::parse(text) else {
            continue;
        };
        let slot = admit(cx, share)?;
        let against = credentials::Against::Stored(hash);
        match slot.verify(password.clone(), against).await {
            Ok(Verified::Match) => return Ok(true),
            Ok(Verified::Mismatch) => {}
            Err(_) => return Err(Refused::Busy { retry_after: 1 }),
        }
    }
    Ok(false)
}

fn admit(cx: &RequestContext, share: &Share) -> Result<credentials::Slot, Refused> {
    cx.app.pool.admit(share).map_err(|busy| Refused::Busy {
        retry_after: busy.retry_after.as_secs(),
    })
}
