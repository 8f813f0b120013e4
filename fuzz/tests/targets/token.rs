//! Access tokens: among all texts near a good one, only that very text is good.

use jiff::Timestamp;
use keys::{Expected, SigningKey, SystemEntropy, verify_own};
use serde_json::json;

#[test]
fn only_the_signed_text_itself_is_accepted() {
    let key = SigningKey::generate("login.example.com", &SystemEntropy).unwrap();
    let other = SigningKey::generate("login.example.com", &SystemEntropy).unwrap();
    let expected = Expected {
        issuer: "https://login.example.com/",
        audience: "https://login.example.com/api/v2/",
        now: Timestamp::from_second(1_500).unwrap(),
    };
    let claims = |aud: &str| json!({"iss": expected.issuer, "aud": aud, "iat": 1_000, "exp": 2_000, "scope": "read:users"});
    let good = key.sign("JWT", &claims(expected.audience));
    let foreign = key.sign("JWT", &claims("https://api.example.com/"));
    let forged = other.sign("JWT", &claims(expected.audience));
    let seeds = [
        good.as_bytes(),
        foreign.as_bytes(),
        forged.as_bytes(),
        b"eyJhbGciOiJub25lIn0.e30.",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(token) = std::str::from_utf8(input) else {
            return;
        };
        let read = verify_own(token, &[&key], &expected);
        assert_eq!(read.is_ok(), token == good, "{token}");
    });
}
