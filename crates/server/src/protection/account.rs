//! Which account an attempt counts against, and the keys under which its meters are found again.
//!
//! The account is the user id where the identifier is known, else a keyed digest of the normalised identifier,
//! so that unknown identifiers have the same kind of meter as known ones.

use std::net::IpAddr;

use guard::Account;
use keys::MeterKey as DigestKey;
use model::{ConnectionId, Identifier, TenantId, UserId};
use storage::MeterKey;

/// The account of an identifier that names this user, or nobody.
pub(crate) fn account_of(
    digests: &DigestKey,
    tenant: &TenantId,
    connection: &ConnectionId,
    identifier: &Identifier,
    user: Option<&UserId>,
) -> Account {
    match user {
        Some(user) => Account::Known(user.as_str().to_owned()),
        None => Account::Unknown(unknown_digest(digests, tenant, connection, identifier).to_vec()),
    }
}

/// A stable, keyed picture of an identifier that nobody has.
pub(crate) fn unknown_digest(
    digests: &DigestKey,
    tenant: &TenantId,
    connection: &ConnectionId,
    identifier: &Identifier,
) -> [u8; 32] {
    digests.digest(
        tenant.as_str(),
        &named(
            b"unknown",
            &[
                connection.as_str().as_bytes(),
                identifier.as_str().as_bytes(),
            ],
        ),
    )
}

/// The mailbox behind an address, whoever has it, wherever he signs in: what mails to it are counted by.
pub(crate) fn mailbox(digests: &DigestKey, tenant: &TenantId, address: &Identifier) -> Account {
    let named = named(b"mailbox", &[address.as_str().as_bytes()]);
    Account::Unknown(digests.digest(tenant.as_str(), &named).to_vec())
}

/// The key under which all meters of an account are listed.
pub(crate) fn account_key(
    digests: &DigestKey,
    tenant: &TenantId,
    connection: &ConnectionId,
    account: &Account,
) -> MeterKey {
    let (kind, name): (&[u8], &[u8]) = match account {
        Account::Known(user) => (b"known", user.as_bytes()),
        Account::Unknown(digest) => (b"unknown", digest),
    };
    digests.digest(
        tenant.as_str(),
        &named(b"account", &[connection.as_str().as_bytes(), kind, name]),
    )
}

/// The key under which all meters of a source prefix are listed.
pub(crate) fn source_key(
    digests: &DigestKey,
    tenant: &TenantId,
    prefix: IpAddr,
    length: u8,
) -> MeterKey {
    let address = match prefix {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    digests.digest(tenant.as_str(), &named(b"source", &[&address, &[length]]))
}

/// Parts with their lengths, so that no two lists of parts are written alike (Okta 2024 cache keys).
fn named(purpose: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(&purpose).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
