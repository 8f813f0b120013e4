//! Percent-decoding without guesses (RFC 3986 §2.1): a broken sequence or broken UTF-8 is an error, never a
//! replacement character, so that two readers of one request cannot see two values.

use percent_encoding::percent_decode;

/// Why text could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// A `%` that two hexadecimal digits do not follow.
    Sequence,
    NotUtf8,
}

/// Decodes; `+` stays what it is.
pub(crate) fn decode(text: &[u8]) -> Result<String, Undecodable> {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let digits = [rest.next(), rest.next()];
            if !digits
                .iter()
                .all(|digit| digit.is_some_and(u8::is_ascii_hexdigit))
            {
                return Err(Undecodable::Sequence);
            }
        }
    }
    String::from_utf8(percent_decode(text).collect()).map_err(|_| Undecodable::NotUtf8)
}
