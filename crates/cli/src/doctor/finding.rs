//! What a check comes to, and how it is told: one line each, or JSON.

use serde_json::{Value, json};

/// Every check, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Settings,
    PublicUrl,
    Certificate,
    TlsKey,
    TrustedProxies,
    Listeners,
    Metrics,
    DataDir,
    Disk,
    OpenFiles,
    Memory,
    HashCost,
    Database,
    Schema,
    Durability,
    Pooler,
    Clock,
    RootKey,
    Tenants,
    SigningKeys,
    Applications,
    Mail,
    BreachList,
}

impl Check {
    /// As it is printed and documented.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::PublicUrl => "public_url",
            Self::Certificate => "certificate",
            Self::TlsKey => "tls_key",
            Self::TrustedProxies => "trusted_proxies",
            Self::Listeners => "listeners",
            Self::Metrics => "metrics",
            Self::DataDir => "data_dir",
            Self::Disk => "disk",
            Self::OpenFiles => "open_files",
            Self::Memory => "memory",
            Self::HashCost => "hash_cost",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Durability => "durability",
            Self::Pooler => "pooler",
            Self::Clock => "clock",
            Self::RootKey => "root_key",
            Self::Tenants => "tenants",
            Self::SigningKeys => "signing_keys",
            Self::Applications => "applications",
            Self::Mail => "mail",
            Self::BreachList => "breach_list",
        }
    }
}

/// What a check came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What was found.
    Ok(String),
    /// It serves, but not as well or as safely as it should.
    Warn(Complaint),
    /// It does not serve, or must not.
    Fail(Complaint),
    /// Why it could not be looked at, or need not be.
    Skip(String),
}

/// What is wrong, for whom, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) problem: String,
    pub(super) effect: String,
    pub(super) remedy: String,
}

impl Outcome {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self::Ok(found.into())
    }

    pub(super) fn skip(why: impl Into<String>) -> Self {
        Self::Skip(why.into())
    }

    pub(super) fn warn(
        problem: impl Into<String>,
        effect: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Warn(Complaint::new(problem, effect, remedy))
    }

    pub(super) fn fail(
        problem: impl Into<String>,
        effect: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Fail(Complaint::new(problem, effect, remedy))
    }
}

impl Complaint {
    fn new(
        problem: impl Into<String>,
        effect: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            problem: problem.into(),
            effect: effect.into(),
            remedy: remedy.into(),
        }
    }
}

/// A check with its outcome.
#[derive(Debug)]
pub(super) struct Finding(pub(super) Check, pub(super) Outcome);

impl Finding {
    pub(super) fn fails(&self) -> bool {
        matches!(self.1, Outcome::Fail(_))
    }

    /// One line.
    pub(super) fn line(&self) -> String {
        let (level, text) = match &self.1 {
            Outcome::Ok(found) => ("ok", found.clone()),
            Outcome::Skip(why) => ("skip", why.clone()),
            Outcome::Warn(complaint) => ("warn", complaint.sentence()),
            Outcome::Fail(complaint) => ("FAIL", complaint.sentence()),
        };
        // Errors of other programs may span lines.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{level:<5} {:<16} {text}", self.0.name())
    }

    /// `check`, `level`, and either `found` or `problem`, `effect`, `remedy`.
    pub(super) fn json(&self) -> Value {
        let check = self.0.name();
        let complaint = |level: &str, complaint: &Complaint| {
            json!({
                "check": check,
                "level": level,
                "problem": complaint.problem,
                "effect": complaint.effect,
                "remedy": complaint.remedy,
            })
        };
        match &self.1 {
            Outcome::Ok(found) => json!({ "check": check, "level": "ok", "found": found }),
            Outcome::Skip(why) => json!({ "check": check, "level": "skip", "found": why }),
            Outcome::Warn(warning) => complaint("warn", warning),
            Outcome::Fail(failure) => complaint("fail", failure),
        }
    }
}

impl Complaint {
    fn sentence(&self) -> String {
        format!("{}: {}. {}.", self.problem, self.effect, self.remedy)
    }
}

/// In a test: the outcome has this level, and its text holds this word.
#[cfg(test)]
#[track_caller]
pub(super) fn says(outcome: &Outcome, level: &str, word: &str) {
    let (found, text) = match outcome {
        Outcome::Ok(found) => ("ok", found),
        Outcome::Skip(why) => ("skip", why),
        Outcome::Warn(complaint) => ("warn", &complaint.problem),
        Outcome::Fail(complaint) => ("fail", &complaint.problem),
    };
    assert_eq!(found, level, "{text}");
    assert!(text.contains(word), "{text}");
}
