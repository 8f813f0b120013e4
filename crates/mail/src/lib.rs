//! Mail: templates become messages, messages go over a transport.
//!
//! Nothing here reads a clock, a file or a database: what is sent when, to whom, and what is tried again stands with
//! the server's courier; [`next_try`] only says when the next try is due.

mod address;
mod backoff;
mod message;
mod outbox;
mod send_error;
mod smtp;
mod template;
mod text;
mod transport;

pub use address::{AddressError, Mailbox};
pub use backoff::next_try;
pub use message::{Draft, MAX_BODY, MAX_SUBJECT, Message, MessageError};
pub use outbox::Outbox;
pub use send_error::SendError;
pub use smtp::{Credentials, Roots, Security, Smtp, SmtpSettings, SmtpSettingsError};
pub use template::{
    DEFAULT_LINK_LIFETIME, MAX_TEMPLATE, Part, RenderError, Rendered, ResultUrl, Template,
    TemplateError, TemplateName, TemplateSource, UnknownTemplate, Variables, plain,
};
pub use transport::Transport;
