//! Form bodies (`application/x-www-form-urlencoded`, WHATWG URL §5.1), read strictly: what would have to be
//! replaced is an error instead.

use super::{MAX_PARAMETERS, Sent};
use crate::Reason;
use crate::percent::{self, Undecodable};

/// The pairs in order, repetitions included. One more than allowed is kept, so that the caller sees there were more.
pub(super) fn read(body: &[u8]) -> Result<Vec<(String, Sent)>, Reason> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(MAX_PARAMETERS + 1)
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            Ok((name, Sent::Text(value)))
        })
        .collect()
}

fn decode(half: &[u8]) -> Result<String, Reason> {
    let spaced: Vec<u8> = half
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent::decode(&spaced).map_err(|undecodable| match undecodable {
        Undecodable::Sequence => Reason::MalformedForm,
        Undecodable::NotUtf8 => Reason::NotUtf8,
    })
}
