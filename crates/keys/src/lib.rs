//! Keys and what is made with them: secrets at rest, digests, signatures.
//!
//! One crypto library (aws-lc-rs). Nothing here reads files, clocks or the environment; randomness comes through [`Entropy`].

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

mod entropy;
mod root;
mod seal;
mod secret;
mod signing;
mod verify;

pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use root::{MeterKey, RootKey, RootKeyUnreadable};
pub use seal::{Binding, SealBroken, Sealer};
pub use secret::{
    SecretDigest, client_id, client_secret, hex24, numbered_id, opaque_token, prefixed_id,
};
pub use signing::{SignatureAlgorithm, SigningKey, SigningKeyError, sign_hs256};
pub use verify::{Expected, TokenRefused, verify_own};
