//! The refusals this node knows of, so that a repeated guess costs neither hash nor statement.
//!
//! Found by the normalised identifier and the source, before any look-up; right within a second, at once after an unblock here.
//! A call with a client secret is answered from here in two ways that say nothing of the secret: by a reading that began after
//! the call came, or, before its secret is compared, because the same question was refused just now (`docs/decisions/0014`).

use std::net::IpAddr;

use guard::{Reason, Source, Standing};
use http::HeaderMap;
use jiff::Timestamp;
use model::{ConnectionId, Identifier, TenantId};
use protocol::{Parameters, PresentedClient};
use tokio::time::Instant;

use crate::directory::cache::{Cache, Reading};
use crate::request::RequestContext;
use crate::source_address::FORWARDED_FOR;

/// Whose attempt is meant. Standing is part of it: an allowlist may apply to one and not to the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RefusalKey {
    tenant: TenantId,
    connection: ConnectionId,
    identifier: Identifier,
    prefix: IpAddr,
    standing: Standing,
    /// Allowlists match the exact address, so neighbours in one prefix may differ.
    exact: IpAddr,
}

impl RefusalKey {
    pub(crate) fn new(
        tenant: &TenantId,
        connection: &ConnectionId,
        identifier: &Identifier,
        source: &Source,
        standing: Standing,
    ) -> Self {
        Self {
            tenant: tenant.clone(),
            connection: connection.clone(),
            identifier: identifier.clone(),
            prefix: source.prefix().network(),
            standing,
            exact: source.exact(),
        }
    }
}

/// All that decides a refusal, of a call with a secret: everything but the secret and the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question([u8; 32]);

impl Question {
    /// The question of this call, if it has a secret.
    pub(crate) fn of(
        cx: &RequestContext,
        headers: &HeaderMap,
        presented: &PresentedClient,
        parameters: &Parameters,
    ) -> Option<Self> {
        presented.secret()?;
        let mut bytes = Vec::with_capacity(512);
        let mut part = |part: &[u8]| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        part(b"question");
        match cx.address() {
            IpAddr::V4(address) => part(&address.octets()),
            IpAddr::V6(address) => part(&address.octets()),
        }
        part(presented.id().as_str().as_bytes());
        for line in headers.get_all(FORWARDED_FOR) {
            part(line.as_bytes());
        }
        part(b"");
        for (name, value) in parameters.without_secrets() {
            part(name.as_bytes());
            match name {
                // Spellings that every reader takes for one name.
                "username" => part(value.trim().to_ascii_lowercase().as_bytes()),
                _ => part(value.as_bytes()),
            }
        }
        let digests = &cx.app.secrets.meters;
        Some(Self(digests.digest(cx.tenant().id.as_str(), &bytes)))
    }
}

/// A refusal as the guard gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownRefusal {
    pub(crate) reason: Reason,
    pub(crate) until: Timestamp,
}

/// The cache of refusals.
#[derive(Default)]
pub(crate) struct Refusals {
    cache: Cache<RefusalKey, KnownRefusal>,
    questions: Cache<Question, KnownRefusal>,
}

impl Refusals {
    /// The refusal, if it still stands.
    pub(crate) fn get(&self, key: &RefusalKey, now: Timestamp) -> Option<KnownRefusal> {
        self.cache.get(key).filter(|refusal| now < refusal.until)
    }

    /// The refusal of a question, if it still stands.
    pub(crate) fn answer(&self, question: &Question, now: Timestamp) -> Option<KnownRefusal> {
        let known = self.questions.get(question);
        known.filter(|refusal| now < refusal.until)
    }

    /// The same, if it was read since this moment.
    pub(crate) fn answer_read_since(
        &self,
        question: &Question,
        since: Instant,
        now: Timestamp,
    ) -> Option<KnownRefusal> {
        let known = self.questions.get_read_since(question, since);
        known.filter(|refusal| now < refusal.until)
    }

    /// Marks the moment before the meters are read.
    pub(crate) fn begin(&self) -> Reading {
        self.cache.begin()
    }

    /// Keeps what the meters said, of a question too where the call had a secret.
    pub(crate) fn put(
        &self,
        key: RefusalKey,
        question: Option<Question>,
        refusal: KnownRefusal,
        reading: Reading,
    ) {
        self.cache.put(key, refusal, reading);
        if let Some(question) = question {
            self.questions.put(question, refusal, reading);
        }
    }

    pub(crate) fn forget(&self) {
        self.cache.forget();
        self.questions.forget();
    }
}
