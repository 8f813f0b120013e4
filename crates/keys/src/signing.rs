//! Signing keys of a tenant, and compact JWS (RFC 7515 §3.1) made with them.
//!
//! The parsed halves are kept: parsing one for each token would cost more than using it. Which algorithm an API wants is
//! its caller's to know.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding, RsaPublicKeyComponents,
};
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

/// How an RSA key signs (RFC 7518 §3.3, §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    Rs256,
    Rs512,
    Ps256,
}

impl SignatureAlgorithm {
    /// Its `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Rs256 => &RSA_PKCS1_SHA256,
            Self::Rs512 => &RSA_PKCS1_SHA512,
            Self::Ps256 => &RSA_PSS_SHA256,
        }
    }
}

/// An RSA-2048 key pair with its certificate.
pub struct SigningKey {
    pair: KeyPair,
    public: ParsedPublicKey,
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
        let kid = secret::prefixed_id("", 22, entropy);
        Self::with_public(pair, pkcs8, kid, certificate.der().to_vec())
    }

    /// The key that was stored.
    pub fn from_pkcs8(
        der: &[u8],
        kid: String,
        certificate: Vec<u8>,
    ) -> Result<Self, SigningKeyError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| SigningKeyError::Unreadable)?;
        Self::with_public(pair, Zeroizing::new(der.to_vec()), kid, certificate)
    }

    fn with_public(
        pair: KeyPair,
        pkcs8: Zeroizing<Vec<u8>>,
        kid: String,
        certificate: Vec<u8>,
    ) -> Result<Self, SigningKeyError> {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key())
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| SigningKeyError::Unreadable)?;
        Ok(Self {
            pair,
            public,
            pkcs8,
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

    /// The certificate as text (RFC 7468 §5.1).
    pub fn certificate_pem(&self) -> String {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let encoded = STANDARD.encode(&self.certificate);
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
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

    /// A compact JWS with RS256 over the claims; `header_type` is its `typ`.
    pub fn sign(&self, header_type: &str, claims: &impl Serialize) -> String {
        self.sign_with(SignatureAlgorithm::Rs256, header_type, claims)
    }

    /// A compact JWS with an algorithm of choice. [`crate::verify_own`] accepts RS256 alone.
    pub fn sign_with(
        &self,
        algorithm: SignatureAlgorithm,
        header_type: &str,
        claims: &impl Serialize,
    ) -> String {
        let header = json!({ "alg": algorithm.name(), "typ": header_type, "kid": self.kid });
        let mut token = signing_input(&header, claims);
        let signature = self.signature(algorithm, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    fn signature(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                algorithm.encoding(),
                &rand::SystemRandom::new(),
                input,
                &mut signature,
            )
            .expect("the buffer has the size of the modulus");
        signature
    }

    /// Whether it is an RS256 signature of this key.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(signed, signature).is_ok()
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

#[cfg(test)]
mod tests;
