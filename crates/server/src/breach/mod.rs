//! Breached password detection (auth0-wire-facts §5.3): at the login, at the sign-up and where a password is changed.
//!
//! `judge_right` is for a password that was verified, `judge_new` for one that is to be set. Both only ask the sources and
//! say what follows; the caller answers, and writes it down in its own unit with `Judged::record`.
//! Passwords that the Management API sets are not judged: the wire has no answer for it, imports would stop at it, and
//! the first login finds them.

mod digest;
mod judge;
mod leak;
mod range_api;
mod sources;
mod watch;

pub use digest::send_due as send_due_digests;
pub(crate) use judge::{About, Confirmed, Judged, Stage, judge_new, judge_right};
pub use sources::{BreachSettings, BreachSources};
pub(crate) use watch::FailureWatch;
pub use watch::start;
