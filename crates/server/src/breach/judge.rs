//! The one judgement of all stages: whether the tenant's shield is on, whether the password is breached, what follows.
//!
//! A password that is right is judged only after it was verified and the user may have a token, so that nobody else
//! learns anything of it.

use credentials::Password;
use guard::{Explained, Source};
use jiff::Timestamp;
use model::{BreachedPasswordSettings, LogEvent, UserId};
use storage::{StoreError, Work};

use super::leak::Leak;
use crate::protection::{Charge, Meters};
use crate::request::RequestContext;

/// Where a password was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Login,
    /// `pre-user-registration`.
    SignUp,
    /// `pre-change-password`.
    Change,
}

/// Whose password it is, and from where it came.
pub(crate) struct About<'a> {
    /// As meters count it.
    pub(crate) source: &'a Source,
    /// The user, once there is one.
    pub(crate) user: Option<&'a UserId>,
    /// An event with everything but its type and text: client, directory, address, user name.
    pub(crate) event: LogEvent,
}

/// Whether a source may be told that a right password is breached.
pub(crate) enum Confirmed {
    Yes,
    /// It was told too often; what its pool says, where a record of that is due.
    No {
        record_due: Option<Vec<Explained>>,
    },
}

/// What a judgement came to.
pub(crate) struct Judged {
    leak: Option<Box<Leak>>,
    /// A source could not be asked; administrators are told once an hour.
    warning: Option<Box<LogEvent>>,
    refuses: bool,
    confirmation: Option<Meters>,
}

/// Judges a password that is right.
pub(crate) async fn judge_right<'a>(
    cx: &RequestContext,
    password: &Password,
    about: impl FnOnce() -> About<'a>,
) -> Judged {
    judge(cx, Stage::Login, password, about).await
}

/// Judges a password that is to be set. Where it is refused, the sign-up answers 400 `password_leaked`
/// (auth0-wire-facts §9.1), and a form asks for another one.
pub(crate) async fn judge_new<'a>(
    cx: &RequestContext,
    stage: Stage,
    password: &Password,
    about: impl FnOnce() -> About<'a>,
) -> Judged {
    judge(cx, stage, password, about).await
}

async fn judge<'a>(
    cx: &RequestContext,
    stage: Stage,
    password: &Password,
    about: impl FnOnce() -> About<'a>,
) -> Judged {
    let settings = &cx.tenant().attack_protection.breached_password;
    if !settings.enabled {
        return Judged::NOTHING;
    }
    let looked_up = cx.app.settings.breach.look_up(password).await;
    if !looked_up.is_breached {
        let failed = looked_up.failed;
        let warning = failed.and_then(|source| cx.app.breach_failures.warning(cx, source));
        return Judged {
            warning: warning.map(Box::new),
            ..Judged::NOTHING
        };
    }
    let about = about();
    let refuses = stage.has(settings, "block");
    let confirmation = (refuses && stage == Stage::Login).then(|| {
        let plan = cx.facts.policy.confirmation_plan(about.source);
        Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id)
    });
    Judged {
        leak: Some(Box::new(Leak::new(cx, stage, refuses, about))),
        warning: None,
        refuses,
        confirmation,
    }
}

impl Judged {
    const NOTHING: Self = Self {
        leak: None,
        warning: None,
        refuses: false,
        confirmation: None,
    };

    /// Whether [`Self::record`] writes anything.
    pub(crate) fn has_followings(&self) -> bool {
        self.leak.is_some() || self.warning.is_some()
    }

    /// Whether the password must not be used.
    pub(crate) fn refuses(&self) -> bool {
        self.refuses
    }

    /// Whether the source of a refused login may be told why, which confirms to it that the password is right; counted
    /// in the unit that settles the login. Where not, it is to be told, and charged, as if the password were wrong.
    pub(crate) async fn may_confirm(
        &self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Confirmed, StoreError> {
        let Some(meters) = &self.confirmation else {
            return Ok(Confirmed::Yes);
        };
        Ok(match meters.charge(work, now).await? {
            Charge::Permit(_) => Confirmed::Yes,
            Charge::Refuse { notice_due, .. } => Confirmed::No {
                record_due: notice_due,
            },
            Charge::Wait => Confirmed::No { record_due: None },
        })
    }

    /// Writes what follows from it: events, mails, tallies. Nothing, for most passwords.
    pub(crate) async fn record(&self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
        if let Some(warning) = &self.warning {
            work.add_events(std::slice::from_ref(warning)).await?;
        }
        match &self.leak {
            Some(leak) => leak.record(work, now).await,
            None => Ok(()),
        }
    }
}

impl Stage {
    /// Whether one of the stage's shields is up.
    pub(super) fn has(self, settings: &BreachedPasswordSettings, shield: &str) -> bool {
        let shields = match self {
            Self::Login => &settings.shields,
            Self::SignUp => &settings.stage.pre_user_registration.shields,
            Self::Change => &settings.stage.pre_change_password.shields,
        };
        shields.iter().any(|up| up == shield)
    }

    /// As rows and events name it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SignUp => "signup",
            Self::Change => "change",
        }
    }
}
