//! One mail as it is sent: checked when it is made, kept as bytes until it was sent, the same in every attempt.
//!
//! RFC 5322. Message-ID and Date are the caller's, so that a mail sent twice is seen to be one.
//! There is one recipient: a mail that leads to something is for one person.

use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{MultiPart, SinglePart};
use serde::{Deserialize, Serialize};

use crate::address::{AddressError, Mailbox};
use crate::text::text_of;

/// Longest subject, in bytes.
pub const MAX_SUBJECT: usize = 998;
/// Largest HTML body, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// What a message is made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// `shop@example.com` or `Shop <shop@example.com>`.
    pub from: String,
    pub to: String,
    pub subject: String,
    pub html: String,
    /// `<ID@DOMAIN>`, unique for ever.
    pub message_id: String,
    pub date: Timestamp,
}

/// A message that can be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    draft: Draft,
    from: Mailbox,
    to: Mailbox,
}

/// Why a draft is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("from: {0}")]
    From(AddressError),
    #[error("to: {0}")]
    To(AddressError),
    #[error("subject: is empty")]
    NoSubject,
    #[error("subject: is longer than {MAX_SUBJECT} bytes")]
    SubjectTooLong,
    #[error("subject: has a line break or another control character")]
    SubjectControlCharacter,
    #[error("body: is larger than {MAX_BODY} bytes")]
    BodyTooLarge,
    #[error("message id: is not of the form <ID@DOMAIN> in at most 250 plain characters")]
    MessageId,
    /// Bytes that no message became.
    #[error("these bytes are no message")]
    Unreadable,
}

impl Message {
    /// Checks a draft.
    pub fn new(draft: Draft) -> Result<Self, MessageError> {
        let from = draft.from.parse().map_err(MessageError::From)?;
        let to: Mailbox = draft.to.parse().map_err(MessageError::To)?;
        if draft.subject.trim().is_empty() {
            return Err(MessageError::NoSubject);
        }
        if draft.subject.len() > MAX_SUBJECT {
            return Err(MessageError::SubjectTooLong);
        }
        if draft.subject.chars().any(char::is_control) {
            return Err(MessageError::SubjectControlCharacter);
        }
        if draft.html.len() > MAX_BODY {
            return Err(MessageError::BodyTooLarge);
        }
        if !is_message_id(&draft.message_id) {
            return Err(MessageError::MessageId);
        }
        Ok(Self { draft, from, to })
    }

    /// The message as bytes, to be sealed and queued: it holds one-time links.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.draft).expect("strings and a time become JSON")
    }

    /// What [`Self::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        let draft = serde_json::from_slice(bytes).map_err(|_| MessageError::Unreadable)?;
        Self::new(draft)
    }

    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    pub fn to(&self) -> &Mailbox {
        &self.to
    }

    pub fn subject(&self) -> &str {
        &self.draft.subject
    }

    pub fn html(&self) -> &str {
        &self.draft.html
    }

    /// The body as plain text, with the targets of its links.
    pub fn text(&self) -> String {
        text_of(&self.draft.html)
    }

    /// `<ID@DOMAIN>`.
    pub fn message_id(&self) -> &str {
        &self.draft.message_id
    }

    pub fn date(&self) -> Timestamp {
        self.draft.date
    }

    /// The message as RFC 5322 has it: plain text and HTML, in ASCII.
    pub(crate) fn wire(&self) -> Result<lettre::Message, lettre::error::Error> {
        let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
        let body = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, self.text()))
            .singlepart(part(ContentType::TEXT_HTML, self.draft.html.clone()));
        lettre::Message::builder()
            .from(self.from.wire().clone())
            .to(self.to.wire().clone())
            .subject(self.subject())
            .message_id(Some(self.message_id().to_owned()))
            .date(self.date().into())
            .header(AutoSubmitted)
            .multipart(body)
    }
}

/// RFC 3834 §5: no machine shall answer this mail.
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn is_message_id(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    let Some((id, domain)) = inner.and_then(|inner| inner.split_once('@')) else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    text.len() <= 250 && plain(id) && plain(domain)
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("message_id", &self.message_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            from: "Shop <shop@example.com>".to_owned(),
            to: "ana@example.com".to_owned(),
            subject: "Grüße aus dem Laden".to_owned(),
            html: "<p>Hello Ana, <a href=\"https://example.com/?t=secret\">go on</a>.</p>"
                .to_owned(),
            message_id: "<m1@one.example.com>".to_owned(),
            date: Timestamp::from_second(1_790_000_000).unwrap(),
        }
    }

    #[test]
    fn on_the_wire_it_has_its_headers_both_bodies_and_only_ascii() {
        let message = Message::new(draft()).unwrap();
        let wire = String::from_utf8(message.wire().unwrap().formatted()).unwrap();
        assert!(wire.is_ascii());
        for line in [
            "From: Shop <shop@example.com>\r\n",
            "To: ana@example.com\r\n",
            "Message-ID: <m1@one.example.com>\r\n",
            "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(wire.contains(line), "{line} in {wire}");
        }
        assert!(!wire.contains("Bcc"), "{wire}");
        let (_, headers) = wire.split_once("Subject: ").unwrap();
        assert!(headers.starts_with("=?utf-8?"), "{headers}");
    }

    #[test]
    fn it_comes_back_from_its_bytes() {
        let message = Message::new(draft()).unwrap();
        assert_eq!(Message::from_bytes(&message.to_bytes()), Ok(message));
        assert_eq!(Message::from_bytes(b"{}"), Err(MessageError::Unreadable));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        type Spoil = fn(&mut Draft);
        let cases: [(Spoil, MessageError); 8] = [
            (
                |draft| draft.from = "shop".to_owned(),
                MessageError::From(AddressError::Malformed),
            ),
            (
                |draft| draft.to = "ana@example.com\nBcc: m@example.com".to_owned(),
                MessageError::To(AddressError::ControlCharacter),
            ),
            (
                |draft| draft.subject = " ".to_owned(),
                MessageError::NoSubject,
            ),
            (
                |draft| draft.subject = "a".repeat(999),
                MessageError::SubjectTooLong,
            ),
            (
                |draft| draft.subject = "Hi\r\nBcc: m@example.com".to_owned(),
                MessageError::SubjectControlCharacter,
            ),
            (
                |draft| draft.html = "a".repeat(MAX_BODY + 1),
                MessageError::BodyTooLarge,
            ),
            (
                |draft| draft.message_id = "<m1@one> <m2@two>".to_owned(),
                MessageError::MessageId,
            ),
            (
                |draft| draft.message_id = "m1@one".to_owned(),
                MessageError::MessageId,
            ),
        ];
        for (spoil, error) in cases {
            let mut spoilt = draft();
            spoil(&mut spoilt);
            assert_eq!(Message::new(spoilt), Err(error));
        }
    }

    #[test]
    fn debug_tells_neither_link_nor_person() {
        let printed = format!("{:?} {:?}", draft(), Message::new(draft()).unwrap());
        assert!(printed.contains("m1@one"), "{printed}");
        assert!(
            !printed.contains("secret") && !printed.contains("ana"),
            "{printed}"
        );
    }
}
