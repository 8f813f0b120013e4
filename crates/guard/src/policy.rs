//! The shields of a tenant in `auth0` mode, and which meters they put on an attempt (auth0-wire-facts §5.1, §5.2, §5.5).
//!
//! Ranges of the numbers are checked where settings come in. A limit of 0 counts as 1: no policy refuses everybody.

use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::plan::{Meter, Plan};
use crate::pool::{CLIENT_SECRETS, MAILS_ABOUT, MAILS_ASKED, MAILS_ASKED_FOR, MAILS_TO, TICKETS};
use crate::rule::{Judgement, Rule};
use crate::{Account, Allowlist, Attempt, MeterKind, MeterName, Row, Source, Standing, Width};

/// All shields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub brute_force: BruteForce,
    pub suspicious_ip: SuspiciousIp,
    pub same_user: SameUser,
    /// Right but breached passwords of which one source may be told.
    pub confirmations: Bucket,
}

/// What a shield does with what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shield {
    /// It counts nothing.
    Off,
    /// It counts and raises events, but never makes anybody wait or refuses him.
    Observe,
    Enforce,
}

/// Brute-force protection: consecutive failures of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BruteForce {
    pub shield: Shield,
    pub mode: CountMode,
    pub allowlist: Allowlist,
    /// Failures until the block.
    pub max_attempts: u32,
}

/// Whether the source is part of what brute-force protection counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountMode {
    /// `count_per_identifier_and_ip`.
    PerIdentifierAndIp,
    /// `count_per_identifier`: account lockout.
    PerIdentifier,
}

/// Suspicious IP throttling: failures of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspiciousIp {
    pub shield: Shield,
    pub allowlist: Allowlist,
    pub pre_login: Bucket,
    pub pre_user_registration: Bucket,
}

/// So many at once, then one more every `rate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub max_attempts: u32,
    /// Time in which one attempt is regained.
    pub rate: Duration,
}

/// The limit of logins of one user from one source, right or wrong. No allowlist applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameUser {
    pub shield: Shield,
    pub max_attempts: u32,
    /// Time in which one attempt is regained.
    pub rate: Duration,
}

/// How many times the threshold one account has within an IPv6 /48, regained evenly over ten days.
const PREFIX_FACTOR: u32 = 10;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Policy {
    /// The meters that this attempt touches.
    pub fn plan(&self, attempt: &Attempt) -> Plan {
        let (source, standing) = (&attempt.source, attempt.standing);
        let brute_force = !is_exempt(&self.brute_force.allowlist, source, standing);
        let suspicious_ip = !is_exempt(&self.suspicious_ip.allowlist, source, standing);

        let here = Some(source.prefix());
        let account = Some((attempt.connection.clone(), attempt.account.clone()));
        let mut plan = Planned::under(self);
        if brute_force {
            match self.brute_force.mode {
                CountMode::PerIdentifierAndIp => {
                    plan.add(MeterKind::Pair, account.clone(), here);
                    if let Some(prefix) = source.prefix48() {
                        plan.add(MeterKind::IdentifierPrefix, account.clone(), Some(prefix));
                    }
                }
                CountMode::PerIdentifier => plan.add(MeterKind::Identifier, account.clone(), None),
            }
        }
        if suspicious_ip {
            plan.add_widths(MeterKind::Source, None, source);
        }
        let users_share_limits = !plan.meters.is_empty();
        plan.add(MeterKind::SameUser, account, here);
        if users_share_limits && attempt.standing == Standing::Backend {
            plan.add(MeterKind::ManyUsers, None, here);
        }
        Plan::new(plan.meters, attempt.account.mark())
    }

    /// Until when rows of this kind refuse, if this one does: the judgement that lists of blocks show.
    pub fn blocked(&self, kind: MeterKind, row: &Row, now: Timestamp) -> Option<Timestamp> {
        if self.shield(kind) != Shield::Enforce {
            return None;
        }
        let rule = self.rule(kind);
        match rule.judge(&rule.standing(row, now)) {
            Judgement::Refuse { until } => Some(until),
            Judgement::Admit | Judgement::Wait => None,
        }
    }

    /// With how many failures rows of this kind are blocks; none while this policy makes none of them one.
    pub fn block_threshold(&self, kind: MeterKind) -> Option<u32> {
        match (self.shield(kind), self.rule(kind)) {
            (Shield::Enforce, Rule::Consecutive { threshold }) => Some(threshold),
            _ => None,
        }
    }

    /// How meters of this kind count under this policy, whether or not their shield is on.
    pub fn rule(&self, kind: MeterKind) -> Rule {
        let threshold = self.brute_force.max_attempts.max(1);
        match kind {
            MeterKind::Pair | MeterKind::Identifier => Rule::Consecutive { threshold },
            MeterKind::IdentifierPrefix => Rule::Failures {
                capacity: threshold.saturating_mul(PREFIX_FACTOR),
                rate: share(DAY, threshold),
            },
            MeterKind::Source(width) => self.suspicious_ip.pre_login.failures(width),
            MeterKind::SameUser => Rule::Attempts {
                capacity: self.same_user.max_attempts,
                rate: self.same_user.rate,
            },
            MeterKind::ManyUsers => Rule::Accounts,
            MeterKind::SignUp(width) => self.suspicious_ip.pre_user_registration.attempts(width),
            MeterKind::Confirmation(width) => self.confirmations.attempts(width),
            MeterKind::Ticket(width) => TICKETS.failures(width),
            MeterKind::ClientSecret(width) => CLIENT_SECRETS.failures(width),
            MeterKind::MailAsked(width) => MAILS_ASKED.attempts(width),
            MeterKind::MailAskedFor => MAILS_ASKED_FOR.attempts(Width::Here),
            MeterKind::MailTo => MAILS_TO.attempts(Width::Here),
            MeterKind::MailAbout => MAILS_ABOUT.attempts(Width::Here),
        }
    }

    /// Whether meters of this kind count, and refuse, under this policy.
    fn shield(&self, kind: MeterKind) -> Shield {
        let in_mode = |mode| {
            if self.brute_force.mode == mode {
                self.brute_force.shield
            } else {
                Shield::Off
            }
        };
        match kind {
            MeterKind::Pair | MeterKind::IdentifierPrefix => in_mode(CountMode::PerIdentifierAndIp),
            MeterKind::Identifier => in_mode(CountMode::PerIdentifier),
            MeterKind::Source(_) | MeterKind::SignUp(_) => self.suspicious_ip.shield,
            MeterKind::SameUser => self.same_user.shield,
            MeterKind::ManyUsers => Shield::Observe,
            MeterKind::Confirmation(_)
            | MeterKind::Ticket(_)
            | MeterKind::ClientSecret(_)
            | MeterKind::MailAsked(_)
            | MeterKind::MailAskedFor
            | MeterKind::MailTo
            | MeterKind::MailAbout => Shield::Enforce,
        }
    }
}

impl Bucket {
    fn failures(self, width: Width) -> Rule {
        Rule::Failures {
            capacity: self.max_attempts.saturating_mul(width.factor()),
            rate: share(self.rate, width.factor()),
        }
    }

    fn attempts(self, width: Width) -> Rule {
        Rule::Attempts {
            capacity: self.max_attempts.saturating_mul(width.factor()),
            rate: share(self.rate, width.factor()),
        }
    }
}

/// A plan in the making.
pub(crate) struct Planned<'a> {
    policy: &'a Policy,
    meters: Vec<Meter>,
}

impl<'a> Planned<'a> {
    pub(crate) fn under(policy: &'a Policy) -> Self {
        Self {
            policy,
            meters: Vec::new(),
        }
    }

    /// Of a plan that keeps no mark of accounts.
    pub(crate) fn plan(self) -> Plan {
        Plan::new(self.meters, 0)
    }

    /// One meter for each network that the source is counted in.
    pub(crate) fn add_widths(
        &mut self,
        kind: fn(Width) -> MeterKind,
        account: Option<&(String, Account)>,
        source: &Source,
    ) {
        for width in Width::ALL {
            if let Some(network) = width.network(source) {
                self.add(kind(width), account.cloned(), Some(network));
            }
        }
    }

    pub(crate) fn add(
        &mut self,
        kind: MeterKind,
        account: Option<(String, Account)>,
        network: Option<IpNet>,
    ) {
        let shield = self.policy.shield(kind);
        if shield != Shield::Off {
            self.meters.push(Meter {
                name: MeterName {
                    kind,
                    account,
                    network,
                },
                rule: self.policy.rule(kind),
                shield,
            });
        }
    }
}

/// Whether an allowlist exempts this source.
pub(crate) fn is_exempt(allowlist: &Allowlist, source: &Source, standing: Standing) -> bool {
    standing != Standing::Distrusted && allowlist.contains(source.exact())
}

/// The rate of a bucket that regains `factor` attempts while another regains one.
fn share(rate: Duration, factor: u32) -> Duration {
    rate.checked_div(factor).unwrap_or(rate)
}

#[cfg(test)]
mod tests;
