//! From the settings objects of the Management API to the guard's policy.
//!
//! Settings were checked when they came in; an allowlist entry that cannot be read exempts nobody.

use std::time::Duration;

use guard::{Allowlist, BruteForce, Bucket, CountMode, Policy, SameUser, Shield, SuspiciousIp};
use model::{AttackProtection, StageSettings};

use crate::directory::{ConnectionFacts, TenantFacts};

/// The policy of a tenant's directory: without brute-force protection where the directory has it switched off.
pub(crate) fn policy_for<'f>(facts: &'f TenantFacts, connection: &ConnectionFacts) -> &'f Policy {
    if connection.connection.options.brute_force_protection {
        &facts.policy
    } else {
        &facts.policy_without_brute_force
    }
}

/// The policy of a tenant.
pub(crate) fn policy_of(settings: &AttackProtection) -> Policy {
    let brute_force = &settings.brute_force;
    let suspicious_ip = &settings.suspicious_ip;
    let same_user = &settings.same_user;
    Policy {
        brute_force: BruteForce {
            shield: shield(brute_force.enabled, &brute_force.shields),
            mode: if brute_force.mode == "count_per_identifier" {
                CountMode::PerIdentifier
            } else {
                CountMode::PerIdentifierAndIp
            },
            allowlist: allowlist(&brute_force.allowlist),
            max_attempts: brute_force.max_attempts,
        },
        suspicious_ip: SuspiciousIp {
            shield: shield(suspicious_ip.enabled, &suspicious_ip.shields),
            allowlist: allowlist(&suspicious_ip.allowlist),
            pre_login: bucket(&suspicious_ip.stage.pre_login),
            pre_user_registration: bucket(&suspicious_ip.stage.pre_user_registration),
        },
        same_user: SameUser {
            shield: if same_user.enabled {
                Shield::Enforce
            } else {
                Shield::Off
            },
            max_attempts: same_user.max_attempts,
            rate: Duration::from_millis(same_user.rate),
        },
        confirmations: bucket(&settings.confirmations),
    }
}

fn bucket(stage: &StageSettings) -> Bucket {
    Bucket {
        max_attempts: stage.max_attempts,
        rate: Duration::from_millis(stage.rate),
    }
}

/// Without `block` among its shields a protection only watches.
fn shield(enabled: bool, shields: &[String]) -> Shield {
    match (enabled, shields.iter().any(|shield| shield == "block")) {
        (false, _) => Shield::Off,
        (true, false) => Shield::Observe,
        (true, true) => Shield::Enforce,
    }
}

fn allowlist(entries: &[String]) -> Allowlist {
    let readable: Vec<String> = entries
        .iter()
        .filter(|entry| Allowlist::parse(std::slice::from_ref(entry)).is_ok())
        .cloned()
        .collect();
    Allowlist::parse(&readable).unwrap_or_default()
}
