//! Reading back the access tokens we signed: exactly our issuer, audience, algorithm and key, and nothing else.
//!
//! RFC 8725 §3.1: the algorithm is ours to say, not the token's. Tokens of other issuers, other algorithms and whether a
//! token was revoked are not this module's matter.

use std::borrow::Borrow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::SigningKey;

/// Longer tokens are refused before they are read.
const MAX_TOKEN: usize = 16 * 1024;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub now: Timestamp,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    #[error("it is not a token of this server")]
    Malformed,
    #[error("its signature is not one of this tenant's keys")]
    Signature,
    #[error("it was issued by or for somebody else")]
    Foreign,
    #[error("it is not valid yet")]
    Early,
    #[error("it has expired")]
    Expired,
}

/// The claims of a token that one of `keys` signed and that fits.
pub fn verify_own<K: Borrow<SigningKey>>(
    token: &str,
    keys: &[K],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, TokenRefused> {
    if token.len() > MAX_TOKEN {
        return Err(TokenRefused::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenRefused::Malformed)?;
    let header = object(header)?;
    let kid = header.get("kid").and_then(Value::as_str);
    let fits =
        header.get("alg").and_then(Value::as_str) == Some("RS256") && !header.contains_key("crit");
    let key = keys
        .iter()
        .map(Borrow::borrow)
        .find(|key| Some(key.kid()) == kid);
    let key = key.filter(|_| fits).ok_or(TokenRefused::Signature)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| TokenRefused::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(TokenRefused::Signature);
    }

    let claims = object(payload)?;
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one == expected.audience,
        Some(Value::Array(several)) => several
            .iter()
            .any(|one| one.as_str() == Some(expected.audience)),
        _ => false,
    };
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) || !audience {
        return Err(TokenRefused::Foreign);
    }
    let whole_seconds = |member: &str| claims.get(member).and_then(Value::as_i64);
    let (Some(_), Some(exp)) = (whole_seconds("iat"), whole_seconds("exp")) else {
        return Err(TokenRefused::Malformed);
    };
    let now = expected.now.as_second();
    // Tokens of ours have none (RFC 7519 §4.1.5); one that has is held to it.
    if let Some(begin) = claims.get("nbf") {
        let begin = begin.as_i64().ok_or(TokenRefused::Malformed)?;
        if now < begin {
            return Err(TokenRefused::Early);
        }
    }
    if now < exp {
        Ok(claims)
    } else {
        Err(TokenRefused::Expired)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, TokenRefused> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenRefused::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenRefused::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{SystemEntropy, sign_hs256};

    const ISSUER: &str = "https://login.example.com/";
    const AUDIENCE: &str = "https://login.example.com/api/v2/";

    fn key() -> SigningKey {
        SigningKey::generate("login.example.com:8443", &SystemEntropy).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": ISSUER, "aud": AUDIENCE, "iat": 1_000, "exp": 2_000, "sub": "x"})
    }

    fn verify(token: &str, key: &SigningKey) -> Result<Map<String, Value>, TokenRefused> {
        let now = Timestamp::from_second(1_999).unwrap();
        verify_own(
            token,
            &[key],
            &Expected {
                issuer: ISSUER,
                audience: AUDIENCE,
                now,
            },
        )
    }

    #[test]
    fn our_own_tokens_are_accepted_also_after_the_key_was_stored() {
        let key = key();
        let stored = SigningKey::from_pkcs8(
            &key.to_pkcs8(),
            key.kid().to_owned(),
            key.certificate_der().to_vec(),
        )
        .unwrap();
        let token = stored.sign("JWT", &claims());
        assert_eq!(verify(&token, &key).unwrap()["sub"], "x");
        let mut several = claims();
        several["aud"] = json!(["other", AUDIENCE]);
        assert!(verify(&key.sign("at+jwt", &several), &key).is_ok());
    }

    #[test]
    fn tokens_that_do_not_fit_are_refused() {
        let key = key();
        let with = |member: &str, value: Value| {
            let mut changed = claims();
            changed[member] = value;
            verify(&key.sign("JWT", &changed), &key)
        };
        assert_eq!(
            with("iss", json!("https://login.example.com")),
            Err(TokenRefused::Foreign)
        );
        assert_eq!(
            with("aud", json!("https://login.example.com/api/v2")),
            Err(TokenRefused::Foreign)
        );
        assert_eq!(
            with("aud", json!({"0": AUDIENCE})),
            Err(TokenRefused::Foreign)
        );
        assert_eq!(with("exp", json!(1_999)), Err(TokenRefused::Expired));
        assert_eq!(with("nbf", json!(2_000)), Err(TokenRefused::Early));
        assert_eq!(with("nbf", json!("1000")), Err(TokenRefused::Malformed));
        assert!(with("nbf", json!(1_999)).is_ok());
        for member in ["exp", "iat"] {
            for value in [json!("2000"), json!(2_000.5), json!([2_000]), Value::Null] {
                assert_eq!(with(member, value), Err(TokenRefused::Malformed));
            }
        }
        assert_eq!(with("aud", json!([])), Err(TokenRefused::Foreign));
        assert_eq!(with("aud", Value::Null), Err(TokenRefused::Foreign));
        let list = verify(&key.sign("JWT", &json!([claims()])), &key);
        assert_eq!(list, Err(TokenRefused::Malformed));
        let long = with("sub", json!("x".repeat(16 * 1024)));
        assert_eq!(long, Err(TokenRefused::Malformed));
    }

    #[test]
    fn hostile_tokens_are_refused() {
        let ours = key();
        let token = ours.sign("JWT", &claims());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = encode(json!({"alg": "none", "kid": ours.kid()}));
        let other = encode(json!({"alg": "HS256", "kid": ours.kid()}));
        let mut later = claims();
        later["exp"] = json!(9_999);
        let changed = encode(later);
        let critical = encode(json!({"alg": "RS256", "kid": ours.kid(), "crit": ["b64"]}));
        let anonymous = encode(json!({"alg": "RS256"}));
        let lower = encode(json!({"alg": "rs256", "kid": ours.kid()}));
        let foreign = SigningKey::generate("login.example.com", &SystemEntropy).unwrap();
        let as_ours =
            SigningKey::from_pkcs8(&foreign.to_pkcs8(), ours.kid().to_owned(), Vec::new());
        let public = ours.jwk()["n"].as_str().unwrap().to_owned();
        for hostile in [
            String::new(),
            "a.b".to_owned(),
            "a.b.c.d".to_owned(),
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!("{other}.{payload}.{signature}"),
            format!("{critical}.{payload}.{signature}"),
            format!("{anonymous}.{payload}.{signature}"),
            format!("{lower}.{payload}.{signature}"),
            format!(" {token}"),
            format!("{token}\n"),
            as_ours.unwrap().sign("JWT", &claims()),
            ours.sign_with(crate::SignatureAlgorithm::Ps256, "JWT", &claims()),
            ours.sign_with(crate::SignatureAlgorithm::Rs512, "JWT", &claims()),
            format!("{header}.{changed}.{signature}"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}.{signature}="),
            format!("{header}.{payload}.{signature}.{signature}"),
            sign_hs256(public.as_bytes(), "JWT", &claims()),
            foreign.sign("JWT", &claims()),
            "x".repeat(20_000),
        ] {
            assert!(verify(&hostile, &ours).is_err(), "{hostile}");
        }
    }
}
