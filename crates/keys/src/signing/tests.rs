//! Signatures against the example of RFC 7515 A.2, and what a key publishes.

use aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256;

use super::*;
use crate::SystemEntropy;

/// The private key of RFC 7515 A.2.1, in PKCS#8.
const EXAMPLE_KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXOjS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSX\
    xbbqY913EeZ8dCn5VrD7io8ImtxLaYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNnjuygxmj3\
    AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKj\
    lnAqH2QbgtPr8jkiGUkftoaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHgVFbK5emhAgMBAAEC\
    ggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe\
    46sui395IW/GO+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M/V51gfpRLI9JYanr\
    C4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneuf\
    uBiB4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0KpLttoLhyt3SmqdEf/kgHePDdtzEafpAu\
    +cS191R2JiuoF2yzWXnwFDcqGigp5BNr0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqElMGA\
    g+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7\
    vMVgePsLq6XtON4tB5kP9jAPrq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNwkgMTP1FZ1wKB\
    gAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgw\
    o59dkpN75gJLVds29+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/evpitUf+4JYbLpvNXWcY\
    052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcGyoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+\
    CCoRjaZjOYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd+DlcxyVuuM9s\
    QLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\
    03k2+ZQwVK0JKSHuLFkuQ3U=";
const EXAMPLE_INPUT: &str = "eyJhbGciOiJSUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const EXAMPLE_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
    AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN\
    PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi\
    pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// The same key over the same input, computed apart from this code.
const EXAMPLE_RS512: &str = "jVVNFquIjYtsXWDHTCFaq0UoNhuL2qq0KNQ3hx6V-dfxtc2obZ81vcL-mpmCxsnW5VzZtAuEM__uUpFTtoP65kGyVR8ebwUMhr_r\
    a0JzpO4fS1SrHTu-f-GqPoN9LYXM_7pmT2dYbGw2-AqbLTutv-lBG04TQHbgJ3ISx14bjdACIRh8DGtQwvHQBpV_S-KM_yweOiqt\
    5ff5GckMaaGqSuDTlVupVE46NfXiE3tjf3PnnztWuOJ-lNNtQ0ojc-jGX7DpreVDWFkh4WpnC_dPVlhTpq8F-mKSsOEBc4B7-J_b\
    nR80VNx2sCEq3GH49TRs2js-J0VIef8hX7H-3aQt4g";

fn example() -> SigningKey {
    let der = STANDARD.decode(EXAMPLE_KEY).unwrap();
    SigningKey::from_pkcs8(&der, "example".to_owned(), Vec::new()).unwrap()
}

#[test]
fn signatures_are_those_of_the_rfc() {
    let key = example();
    let sign =
        |algorithm| URL_SAFE_NO_PAD.encode(key.signature(algorithm, EXAMPLE_INPUT.as_bytes()));
    assert_eq!(sign(SignatureAlgorithm::Rs256), EXAMPLE_SIGNATURE);
    assert_eq!(sign(SignatureAlgorithm::Rs512), EXAMPLE_RS512);
}

#[test]
fn each_algorithm_is_named_in_the_header_and_used() {
    let key = example();
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.pair.public_key());
    let token = key.sign_with(SignatureAlgorithm::Ps256, "JWT", &json!({"sub": "x"}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public
        .verify(&RSA_PSS_2048_8192_SHA256, signed.as_bytes(), &signature)
        .unwrap();
    assert!(!key.verifies(signed.as_bytes(), &signature));
    let header = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().0);
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    let expected = json!({"alg": "PS256", "typ": "JWT", "kid": "example"});
    assert_eq!(header, expected);
}

/// Computed apart from this code.
#[test]
fn hs256_tokens_are_as_known() {
    assert_eq!(
        sign_hs256(b"key", "JWT", &json!({"sub": "x"})),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.x8-bgmsMhBD8J70rvBzuZO0XjcWAVzrTFLJgLgsxMGA"
    );
}

#[test]
fn a_new_key_publishes_what_clients_insist_on() {
    let key = SigningKey::generate("login.example.com:8443", &SystemEntropy).unwrap();
    let jwk = key.jwk();
    let text = |member: &str| jwk[member].as_str().unwrap().to_owned();
    assert_eq!(
        (text("kty"), text("use"), text("alg"), text("e")),
        (
            "RSA".to_owned(),
            "sig".to_owned(),
            "RS256".to_owned(),
            "AQAB".to_owned()
        )
    );
    assert_eq!(text("kid").len(), 22);
    let modulus = URL_SAFE_NO_PAD.decode(text("n")).unwrap();
    assert_eq!(modulus.len(), 256);

    let certificate = STANDARD.decode(jwk["x5c"][0].as_str().unwrap()).unwrap();
    let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    assert_eq!(text("x5t"), URL_SAFE_NO_PAD.encode(thumbprint));
    let holds = |part: &[u8]| certificate.windows(part.len()).any(|window| window == part);
    assert!(holds(&modulus), "the certificate is of this key");
    assert!(holds(b"login.example.com") && !holds(b"8443"));
}

#[test]
fn a_private_key_is_neither_shown_nor_read_from_rubbish() {
    let shown = format!("{:?}", example());
    assert_eq!(shown, "SigningKey { kid: \"example\", .. }");
    let der = STANDARD.decode(EXAMPLE_KEY).unwrap();
    for rubbish in [&[][..], b"rubbish", &der[..der.len() - 1]] {
        let read = SigningKey::from_pkcs8(rubbish, String::new(), Vec::new());
        assert_eq!(read.unwrap_err(), SigningKeyError::Unreadable);
    }
}
