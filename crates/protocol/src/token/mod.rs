//! The grants of the token endpoint: what is asked, what is approved, what the tokens say.

mod answer;
mod approved;
mod audience;
mod claims;
pub mod client_credentials;
mod grant_type;
pub mod password;
mod request;
#[cfg(test)]
pub(crate) mod testing;

pub use answer::TokenAnswer;
pub use approved::{AccessTokenKind, Approved, OPAQUE_LIFETIME};
pub use audience::{Audience, UserApi};
pub use claims::{AccessTokenClaims, AudienceClaim, IdTokenClaims, UserInfo};
pub use grant_type::GrantType;
pub use password::{DirectoryChoice, Granted, PasswordFacts};
pub use request::{ClientCredentialsRequest, PasswordRequest, TokenRequest};
