//! Our own settings of an application: from which networks its trusted header is taken.
//!
//! They live below `/portcullis/`, never in the compatible object, so that no client of that object can lose them.

use ipnet::IpNet;
use model::{ClientRecord, HeaderTrust};
use serde_json::{Map, Value, json};

use crate::answer::management::Problem;
use crate::event_log::bounded;
use crate::management::schema::{Field, Kind, field};

const MAX_NETWORKS: usize = 100;

/// What a body may hold.
pub(super) const FIELDS: &[Field] = &[field(
    "header_trust",
    Kind::Object(&[field("networks", Kind::Texts(MAX_NETWORKS))]),
)];

/// The object of `GET` and `PATCH`.
pub(super) fn shown(record: &ClientRecord) -> Value {
    json!({ "header_trust": record.header_trust })
}

/// What a change makes of the present setting.
///
/// Errors: an entry that is no network.
pub(super) fn changed(
    before: &HeaderTrust,
    sent: &Map<String, Value>,
) -> Result<HeaderTrust, Problem> {
    let networks = sent
        .get("header_trust")
        .and_then(|trust| trust.get("networks"));
    let Some(networks) = networks.and_then(Value::as_array) else {
        return Ok(before.clone());
    };
    let texts = networks.iter().filter_map(Value::as_str);
    let networks = texts.map(network).collect::<Result<_, _>>()?;
    Ok(HeaderTrust { networks })
}

/// An address or a network in CIDR form; IPv4 written as IPv6 is IPv4.
fn network(text: &str) -> Result<IpNet, Problem> {
    guard::network(text).ok_or_else(|| {
        Problem::InvalidBody(format!(
            "Payload validation error: 'String is not a network' on property header_trust.networks ({} is neither an \
             address nor a network such as 203.0.113.0/24).",
            bounded(text)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        let read = |text: &str| network(text).ok().map(|net| net.to_string());
        for (text, expected) in [
            ("203.0.113.7", Some("203.0.113.7/32")),
            ("203.0.113.7/24", Some("203.0.113.0/24")),
            ("::ffff:203.0.113.7", Some("203.0.113.7/32")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::ffff:203.0.113.0/120", Some("203.0.113.0/24")),
            ("203.0.113.0/33", None),
            ("010.0.0.0/8", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
