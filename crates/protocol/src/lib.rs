//! The rules of OAuth 2, OpenID Connect and the vendor's dialect of both, for the token endpoint and its tokens.
//!
//! A call goes through it in this order; each step takes the value of the one before:
//!
//! ```text
//!   bytes ──▶ Parameters ──▶ PresentedClient ──▶ Caller ─────────────┐
//!                  └───────▶ TokenRequest ─────▶ PasswordFacts ──────┴──▶ Approved ──▶ claims, TokenAnswer
//! ```
//!
//! [`Caller`] and [`Approved`] are proofs: only the rule that decides them makes them.
//! A refusal is a [`Reason`] with its code and text; only `server` knows HTTP statuses.
//! Nothing here waits, reads a clock, draws randomness, logs or knows of a database.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)
)]

mod bearer;
mod client_authentication;
mod client_credentials_header;
pub mod discovery;
mod log_search;
mod management_token;
mod parameters;
mod percent;
mod refusal;
mod scope;
mod secret;
mod sign_up;
mod token;

pub use bearer::{BearerRefusal, UserInfoToken, bearer_token, presented_token};
pub use client_authentication::{
    Caller, ClientStanding, PresentedClient, PresentedSecret, authentication_rule,
};
pub use log_search::{LOG_SEARCH_BARE_FIELDS, LogSearchFault, log_search, log_search_fields};
pub use management_token::{InsufficientScope, ManagementCaller, UnreadableClaims};
pub use parameters::Parameters;
pub use refusal::{ErrorCode, Problem, Reason};
pub use scope::Scope;
pub use secret::Secret;
pub use sign_up::{
    ChangePasswordRequest, NewPasswordForm, SignUpFields, SignUpRequest, UsernameRule,
    UsernameUnfit,
};
pub use token::{
    AccessTokenClaims, AccessTokenKind, Approved, Audience, AudienceClaim,
    ClientCredentialsRequest, DirectoryChoice, GrantType, Granted, IdTokenClaims, OPAQUE_LIFETIME,
    PasswordFacts, PasswordRequest, TokenAnswer, TokenRequest, UserApi, UserInfo,
    client_credentials, password,
};
