//! Signing keys of a tenant, and compact JWS (RFC 7515 §3.1) made with them.
//!
//! The parsed key is kept: parsing it for each token would cost more than signing.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaPublicKeyComponents};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{Entropy, secret};

/// Why a key cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    #[error("the private key cannot be read")]
    Unreadable,
    #[error("a key could not be generated: {0}")]
    NotGenerated(String),
}

/// An RSA-2048 key pair with its certificate.
pub struct SigningKey {
    pair: KeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    kid: String,
    certificate: Vec<u8>,
}

impl SigningKey {
    /// A new key, with a certificate for the tenant's domain signed by itself.
    pub fn generate(domain: &str, entropy: &dyn Entropy) -> Result<Self, SigningKeyError> {
        let failed = |error: &dyn fmt::Display| SigningKeyError::NotGenerated(error.to_string());
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|error| failed(&error))?;
        let pkcs8 = Zeroizing::new(
            pair.as_der()
                .map_err(|error| failed(&error))?
                .as_ref()
                .to_vec(),
        );
        let for_certificate = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &pkcs8.as_slice().into(),
            &PKCS_RSA_SHA256,
        )
        .map_err(|error| failed(&error))?;
        let mut parameters = CertificateParams::new(Vec::new()).map_err(|error| failed(&error))?;
        let host = domain.split(':').next().unwrap_or(domain);
        parameters.distinguished_name.push(DnType::CommonName, host);
        let certificate = parameters
            .self_signed(&for_certificate)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            pair,
            pkcs8,
            kid: secret::prefixed_id("", 22, entropy),
            certificate: certificate.der().to_vec(),
        })
    }

    /// The key that was stored.
    pub fn from_pkcs8(
        der: &[u8],
        kid: String,
        certificate: Vec<u8>,
    ) -> Result<Self, SigningKeyError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| SigningKeyError::Unreadable)?;
        Ok(Self {
            pair,
            pkcs8: Zeroizing::new(der.to_vec()),
            kid,
            certificate,
        })
    }

    /// The private key, to be sealed.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The public half as a JWK (RFC 7517 §4) with everything known clients insist on.
    pub fn jwk(&self) -> Value {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.certificate);
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(public.n),
            "e": URL_SAFE_NO_PAD.encode(public.e),
            "x5t": URL_SAFE_NO_PAD.encode(thumbprint),
            "x5c": [STANDARD.encode(&self.certificate)],
        })
    }

    /// A compact JWS with RS256 (RFC 7518 §3.3) over the claims.
    pub fn sign(&self, header_type: &str, claims: &impl Serialize) -> String {
        let header = json!({ "alg": "RS256", "typ": header_type, "kid": self.kid });
        let mut token = signing_input(&header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &rand::SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .expect("the buffer has the size of the modulus");
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        token
    }

    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        public
            .verify(
                &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            )
            .is_ok()
    }
}

/// A compact JWS with HS256 (RFC 7518 §3.2).
pub fn sign_hs256(secret: &[u8], header_type: &str, claims: &impl Serialize) -> String {
    let mut token = signing_input(&json!({ "alg": "HS256", "typ": header_type }), claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut token);
    token
}

fn signing_input(header: &Value, claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).expect("claims have only text keys");
    let mut input = URL_SAFE_NO_PAD.encode(header.to_string());
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut input);
    input
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
