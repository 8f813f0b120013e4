//! The online range API of Have I Been Pwned, or one that speaks like it: of a password only five hex digits of its
//! SHA-1 leave this server, and the answer is padded so that its length tells nothing (`Add-Padding`).
//!
//! Answers are kept nowhere. What does not answer rightly and in time has not been asked: the caller decides.

use std::time::Duration;

use aws_lc_rs::digest;
use reqwest::{Client, StatusCode, Url};
use zeroize::Zeroizing;

use crate::outgoing::{self, OutgoingError, OutgoingSettings};

/// Longer answers are refused; a padded one has about 40 KB.
const LONGEST: usize = 1 << 20;
/// The API refuses callers who do not say who they are.
const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// A range API that can be asked.
pub(super) struct RangeApi {
    client: Client,
    base: Url,
}

/// Why an answer does not count.
#[derive(Debug, thiserror::Error)]
pub(super) enum RangeError {
    #[error("it cannot be reached in time: {}", outgoing::cause(.0))]
    Unreachable(#[from] reqwest::Error),
    #[error("it answers with status {0}")]
    Status(StatusCode),
    #[error("its answer is no list of hashes")]
    Foreign,
    #[error("its answer is longer than {LONGEST} bytes")]
    TooLong,
}

impl RangeApi {
    /// An API whose ranges are below this address.
    pub(super) fn new(
        settings: &OutgoingSettings,
        url: &str,
        timeout: Duration,
    ) -> Result<Self, OutgoingError> {
        let url = format!("{}/", url.trim_end_matches('/'));
        let (client, base) = outgoing::client(settings, &url, timeout)?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(OutgoingError::Url);
        }
        Ok(Self { client, base })
    }

    /// Whether the corpus behind it has this password.
    pub(super) async fn contains(&self, password: &str) -> Result<bool, RangeError> {
        let hash = sha1(password);
        let (range, rest) = hash.split_at(5);
        let url = self.base.join(range).map_err(|_| RangeError::Foreign)?;
        let request = self.client.get(url).header("user-agent", AGENT);
        let request = request.header("add-padding", "true");
        let mut response = request.send().await?;
        if response.status() != StatusCode::OK {
            return Err(RangeError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            if body.len() + part.len() > LONGEST {
                return Err(RangeError::TooLong);
            }
            body.extend_from_slice(&part);
        }
        holds(&body, rest)
    }
}

impl std::fmt::Debug for RangeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RangeApi").finish_non_exhaustive()
    }
}

/// 40 upper-case hex digits.
fn sha1(password: &str) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let digits = digest.as_ref().iter();
    let digits = digits.flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    Zeroizing::new(digits.map(|nibble| char::from(digit(nibble))).collect())
}

/// Looks for the rest of a hash among `REST:COUNT` lines; those with a count of 0 are padding.
fn holds(body: &[u8], rest: &str) -> Result<bool, RangeError> {
    let text = std::str::from_utf8(body).map_err(|_| RangeError::Foreign)?;
    let (mut found, mut lines) = (false, 0);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (hash, count) = line.split_once(':').ok_or(RangeError::Foreign)?;
        let count: u64 = count.trim().parse().map_err(|_| RangeError::Foreign)?;
        if hash.len() != rest.len() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(RangeError::Foreign);
        }
        lines += 1;
        found |= count > 0 && hash.eq_ignore_ascii_case(rest);
    }
    // Every range of the corpus has hashes, and a padded one has hundreds of lines.
    if lines == 0 {
        return Err(RangeError::Foreign);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_are_asked_for_and_the_rest_is_looked_for() {
        let hash = sha1("password");
        assert_eq!(hash.as_str(), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
        let rest = &hash[5..];
        let body = |count: u32| format!("{}:3\r\n{rest}:{count}\r\n", "0".repeat(35));
        assert!(holds(body(7).as_bytes(), rest).unwrap());
        assert!(holds(body(7).to_lowercase().as_bytes(), rest).unwrap());
        assert!(!holds(body(0).as_bytes(), rest).unwrap(), "padding");
        assert!(!holds(format!("{}:3", "0".repeat(35)).as_bytes(), rest).unwrap());
    }

    #[test]
    fn whatever_is_answered_a_hash_is_found_only_if_it_is_written_there() {
        let (one, other) = ("0".repeat(35), "A".repeat(35));
        let right = format!("{one}:3\r\n{other}:0\r\n");
        let seeds: [&[u8]; 3] = [right.as_bytes(), b"<html>\r\n:1", b"\xff\xfe:9"];
        fuzz::check(&seeds, |answer| {
            if let Ok(true) = holds(answer, &one) {
                let text = String::from_utf8_lossy(answer);
                assert!(text.contains(&format!("{one}:")), "{text}");
            }
        });
    }

    #[test]
    fn an_answer_of_another_kind_is_no_answer() {
        let rest = "0".repeat(35);
        for body in [
            &b""[..],
            b"\r\n",
            b"<html>",
            b"0123:4",
            b"{\"a\":1}",
            b"\xff",
            format!("{rest}:x").as_bytes(),
            format!("{rest}0:1").as_bytes(),
            format!("{}:1", "g".repeat(35)).as_bytes(),
        ] {
            holds(body, &rest).unwrap_err();
        }
    }
}
