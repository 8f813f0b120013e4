//! The settings objects of `/api/v2/attack-protection/*` and our own same-user limit, with their documented defaults.
//!
//! Wire: auth0 attack-protection pages; ranges are checked where the settings come in, meaning is given by `guard`.

use serde::{Deserialize, Serialize};

/// All shields of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttackProtection {
    pub brute_force: BruteForceSettings,
    pub suspicious_ip: SuspiciousIpSettings,
    pub same_user: SameUserSettings,
    pub breached_password: BreachedPasswordSettings,
    pub sign_up: SignUpSettings,
    /// Right but breached passwords of which one source may be told; ours.
    pub confirmations: StageSettings,
    /// Who gets the notices for administrators: e-mail addresses; ours.
    pub administrators: Vec<String>,
}

impl Default for AttackProtection {
    fn default() -> Self {
        Self {
            brute_force: BruteForceSettings::default(),
            suspicious_ip: SuspiciousIpSettings::default(),
            same_user: SameUserSettings::default(),
            breached_password: BreachedPasswordSettings::default(),
            sign_up: SignUpSettings::default(),
            confirmations: StageSettings {
                max_attempts: 20,
                rate: 3_600_000,
            },
            administrators: Vec::new(),
        }
    }
}

/// `attack-protection/brute-force-protection`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BruteForceSettings {
    pub enabled: bool,
    /// Subset of `block`, `user_notification`; without `block` it only watches.
    pub shields: Vec<String>,
    /// `count_per_identifier_and_ip` or `count_per_identifier`.
    pub mode: String,
    /// Addresses and CIDR blocks.
    pub allowlist: Vec<String>,
    /// 1 to 100.
    pub max_attempts: u32,
}

impl Default for BruteForceSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            shields: vec!["block".to_owned(), "user_notification".to_owned()],
            mode: "count_per_identifier_and_ip".to_owned(),
            allowlist: Vec::new(),
            max_attempts: 10,
        }
    }
}

/// `attack-protection/suspicious-ip-throttling`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SuspiciousIpSettings {
    pub enabled: bool,
    /// Subset of `admin_notification`, `block`; without `block` it only watches.
    pub shields: Vec<String>,
    pub allowlist: Vec<String>,
    pub stage: SuspiciousIpStages,
}

impl Default for SuspiciousIpSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            shields: vec!["admin_notification".to_owned(), "block".to_owned()],
            allowlist: Vec::new(),
            stage: SuspiciousIpStages::default(),
        }
    }
}

/// One bucket a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct SuspiciousIpStages {
    pub pre_login: StageSettings,
    pub pre_user_registration: StageSettings,
    pub pre_custom_token_exchange: StageSettings,
}

impl Default for SuspiciousIpStages {
    fn default() -> Self {
        Self {
            pre_login: StageSettings {
                max_attempts: 100,
                rate: 864_000,
            },
            pre_user_registration: StageSettings {
                max_attempts: 50,
                rate: 1_200,
            },
            pre_custom_token_exchange: StageSettings {
                max_attempts: 10,
                rate: 600_000,
            },
        }
    }
}

/// A bucket: how many at once, and how many milliseconds until one more is regained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSettings {
    pub max_attempts: u32,
    /// Milliseconds for one regained attempt.
    pub rate: u64,
}

/// The limit for one user from one source, right or wrong; ours, in `/api/v2/portcullis/attack-protection`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SameUserSettings {
    pub enabled: bool,
    pub max_attempts: u32,
    /// Milliseconds for one regained attempt.
    pub rate: u64,
}

impl Default for SameUserSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            max_attempts: 20,
            rate: 6_000,
        }
    }
}

/// `attack-protection/breached-password-detection`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreachedPasswordSettings {
    pub enabled: bool,
    /// At login: subset of `block`, `user_notification`, `admin_notification`.
    pub shields: Vec<String>,
    /// Subset of `immediately`, `daily`, `weekly`, `monthly`.
    pub admin_notification_frequency: Vec<String>,
    /// `standard` or `enhanced`.
    pub method: String,
    pub stage: BreachedPasswordStages,
}

impl Default for BreachedPasswordSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            shields: Vec::new(),
            admin_notification_frequency: Vec::new(),
            method: "standard".to_owned(),
            stage: BreachedPasswordStages::default(),
        }
    }
}

/// What happens at other stages than the login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct BreachedPasswordStages {
    pub pre_user_registration: BreachedPasswordStage,
    pub pre_change_password: BreachedPasswordStage,
}

/// One stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreachedPasswordStage {
    /// Subset of `block`, `admin_notification`.
    pub shields: Vec<String>,
}

/// What a sign-up tells of accounts that exist; ours, in `/api/v2/portcullis/attack-protection`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignUpSettings {
    pub existing_account: ExistingAccount,
}

/// The answer to a sign-up with an address that has an account. The tenant flag
/// `enable_public_signup_user_exists_error` wins over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingAccount {
    /// As for a new address; the owner gets a mail.
    #[default]
    Conceal,
    /// 400 `invalid_signup`, the wire's answer that names no reason.
    InvalidSignup,
}
