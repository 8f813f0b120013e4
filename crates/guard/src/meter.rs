//! The names of meters: what one row counts.
//!
//! A name has one unambiguous spelling in bytes, of which the server makes the keyed digest that is the row's key.
//! The tenant is the server's to add; nothing here knows of it.

use ipnet::IpNet;

use crate::{Account, Source};

/// What a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MeterKind {
    /// Failures of one account from one source.
    Pair,
    /// Failures of one account from everywhere.
    Identifier,
    /// Failures of one account from one IPv6 /48.
    IdentifierPrefix,
    /// Failures from one source.
    Source(Width),
    /// Logins of one account from one source, right or wrong.
    SameUser,
    /// Distinct accounts that fail from one source.
    ManyUsers,
    /// Sign-ups from one source, whatever comes of them.
    SignUp(Width),
    /// Right but breached passwords of which one source was told.
    Confirmation(Width),
    /// Wrong one-time tickets from one source.
    Ticket(Width),
    /// Wrong secrets of one application from one source.
    ClientSecret(Width),
    /// Mails that one source asked for, to whomever.
    MailAsked(Width),
    /// Mails that one source asked for, to one address.
    MailAskedFor,
    /// Mails of one purpose to one addressee.
    MailTo,
    /// What is told once an hour: mails of one purpose to one addressee, or about one source, and events alike.
    MailAbout,
}

/// How much of the network counts as one source; the wider ones exist for IPv6 alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// The IPv4 address, or the IPv6 /64.
    Here,
    /// The IPv6 /56.
    Wide56,
    /// The IPv6 /48.
    Wide48,
}

impl Width {
    /// Every width, from narrow to wide.
    pub(crate) const ALL: [Self; 3] = [Self::Here, Self::Wide56, Self::Wide48];

    /// How many times the budget of one source this width has.
    pub(crate) fn factor(self) -> u32 {
        match self {
            Self::Here => 1,
            Self::Wide56 => 4,
            Self::Wide48 => 16,
        }
    }

    /// The network of this width around a source; none where it has no such parent.
    pub(crate) fn network(self, source: &Source) -> Option<IpNet> {
        match self {
            Self::Here => Some(source.prefix()),
            Self::Wide56 => source.prefix56(),
            Self::Wide48 => source.prefix48(),
        }
    }
}

impl MeterKind {
    const ALL: [Self; 26] = [
        Self::Pair,
        Self::Identifier,
        Self::IdentifierPrefix,
        Self::Source(Width::Here),
        Self::Source(Width::Wide56),
        Self::Source(Width::Wide48),
        Self::SameUser,
        Self::ManyUsers,
        Self::SignUp(Width::Here),
        Self::SignUp(Width::Wide56),
        Self::SignUp(Width::Wide48),
        Self::Confirmation(Width::Here),
        Self::Confirmation(Width::Wide56),
        Self::Confirmation(Width::Wide48),
        Self::Ticket(Width::Here),
        Self::Ticket(Width::Wide56),
        Self::Ticket(Width::Wide48),
        Self::ClientSecret(Width::Here),
        Self::ClientSecret(Width::Wide56),
        Self::ClientSecret(Width::Wide48),
        Self::MailAsked(Width::Here),
        Self::MailAsked(Width::Wide56),
        Self::MailAsked(Width::Wide48),
        Self::MailAskedFor,
        Self::MailTo,
        Self::MailAbout,
    ];

    /// The number under which rows of this kind are stored; it never changes.
    pub fn code(self) -> i16 {
        let wide = |first: i16, width: Width| match width {
            Width::Here => first,
            Width::Wide56 => first.saturating_add(1),
            Width::Wide48 => first.saturating_add(2),
        };
        match self {
            Self::Pair => 1,
            Self::Identifier => 2,
            Self::IdentifierPrefix => 3,
            Self::Source(width) => wide(4, width),
            Self::SameUser => 7,
            Self::ManyUsers => 8,
            Self::SignUp(width) => wide(9, width),
            Self::Confirmation(width) => wide(12, width),
            Self::Ticket(width) => wide(15, width),
            Self::ClientSecret(width) => wide(18, width),
            Self::MailAsked(width) => wide(21, width),
            Self::MailAskedFor => 24,
            Self::MailTo => 25,
            Self::MailAbout => 26,
        }
    }

    /// The kind of a stored row; none for a number that this version does not know.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The kinds whose full rows are blocks: they stand until somebody or time ends them.
    pub const BLOCKS: [Self; 2] = [Self::Pair, Self::Identifier];

    /// Whether a full row of this kind is a block.
    pub fn is_block(self) -> bool {
        Self::BLOCKS.contains(&self)
    }

    /// Whether it is a meter of suspicious IP throttling.
    pub fn counts_source(self) -> bool {
        matches!(self, Self::Source(_) | Self::SignUp(_))
    }

    /// Whether unblocking an account or a source lifts it: what counts logins or mails, right ones too, stays.
    pub fn is_lifted(self) -> bool {
        matches!(
            self,
            Self::Pair
                | Self::Identifier
                | Self::IdentifierPrefix
                | Self::Source(_)
                | Self::SignUp(_)
                | Self::Ticket(_)
                | Self::ClientSecret(_)
        )
    }
}

/// The full name of a meter within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterName {
    pub kind: MeterKind,
    /// The connection and account, where it counts one.
    pub account: Option<(String, Account)>,
    /// The network, where it counts one.
    pub network: Option<IpNet>,
}

impl MeterName {
    /// The name in bytes, every part with its length: no two names are spelled alike.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        part(&mut bytes, &self.kind.code().to_be_bytes());
        part(&mut bytes, &self.account_bytes().unwrap_or_default());
        part(&mut bytes, &self.source_bytes().unwrap_or_default());
        bytes
    }

    /// The connection and account in bytes, the same for every meter of this account.
    pub fn account_bytes(&self) -> Option<Vec<u8>> {
        let (connection, account) = self.account.as_ref()?;
        Some(account.bytes_in(connection))
    }

    /// The network in bytes, the same for every meter of this network.
    pub fn source_bytes(&self) -> Option<Vec<u8>> {
        self.network.map(network_bytes)
    }
}

impl Account {
    /// What [`MeterName::account_bytes`] is for meters of this account.
    pub fn bytes_in(&self, connection: &str) -> Vec<u8> {
        let (kind, name) = match self {
            Self::Known(user) => (0u8, user.as_bytes()),
            Self::Unknown(digest) => (1, digest.as_slice()),
        };
        let mut bytes = Vec::new();
        part(&mut bytes, connection.as_bytes());
        part(&mut bytes, &[kind]);
        part(&mut bytes, name);
        bytes
    }
}

fn network_bytes(network: IpNet) -> Vec<u8> {
    let mut bytes = Vec::new();
    match network {
        IpNet::V4(v4) => part(&mut bytes, &v4.network().octets()),
        IpNet::V6(v6) => part(&mut bytes, &v6.network().octets()),
    }
    part(&mut bytes, &[network.prefix_len()]);
    bytes
}

fn part(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(kind: MeterKind, connection: &str, account: Account, network: &str) -> MeterName {
        MeterName {
            kind,
            account: Some((connection.to_owned(), account)),
            network: Some(network.parse().unwrap()),
        }
    }

    #[test]
    fn codes_are_stable_and_read_back() {
        let codes: Vec<i16> = MeterKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, (1..=26).collect::<Vec<i16>>());
        for kind in MeterKind::ALL {
            assert_eq!(MeterKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(MeterKind::from_code(0), None);
        assert_eq!(MeterKind::from_code(27), None);
    }

    #[test]
    fn names_that_differ_are_spelled_differently() {
        let user = |name: &str| Account::Known(name.to_owned());
        let names = [
            named(MeterKind::Pair, "con", user("ab"), "10.0.0.1/32"),
            named(MeterKind::SameUser, "con", user("ab"), "10.0.0.1/32"),
            named(MeterKind::Pair, "cona", user("b"), "10.0.0.1/32"),
            named(
                MeterKind::Pair,
                "con",
                Account::Unknown(b"ab".to_vec()),
                "10.0.0.1/32",
            ),
            named(MeterKind::Pair, "con", user("ab"), "10.0.0.2/32"),
            named(MeterKind::Pair, "con", user("ab"), "::/64"),
            named(MeterKind::Pair, "con", user("ab"), "::/48"),
            MeterName {
                kind: MeterKind::Source(Width::Here),
                account: None,
                network: "10.0.0.1/32".parse().ok(),
            },
            MeterName {
                kind: MeterKind::Identifier,
                account: Some(("con".to_owned(), user("ab"))),
                network: None,
            },
        ];
        for (i, one) in names.iter().enumerate() {
            for (j, other) in names.iter().enumerate() {
                assert_eq!(
                    one.canonical_bytes() == other.canonical_bytes(),
                    i == j,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn meters_of_one_account_and_of_one_network_are_found_together() {
        let user = Account::Known("u".to_owned());
        let pair = named(MeterKind::Pair, "con", user.clone(), "10.0.0.1/32");
        let other = named(MeterKind::SameUser, "con", user.clone(), "10.0.0.2/32");
        assert_eq!(pair.account_bytes(), other.account_bytes());
        assert_eq!(pair.account_bytes(), Some(user.bytes_in("con")));
        assert_ne!(pair.account_bytes(), Some(user.bytes_in("other")));
        assert_ne!(pair.source_bytes(), other.source_bytes());

        let source = MeterName {
            kind: MeterKind::Source(Width::Here),
            account: None,
            network: pair.network,
        };
        assert_eq!(source.account_bytes(), None);
        assert_eq!(source.source_bytes(), pair.source_bytes());
    }
}
