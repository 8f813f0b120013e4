//! Tokens near a good one, at the two doors that read our own: the Management API and `/userinfo`.
//!
//! Most are signed with the tenant's own key, so that nothing but the one check under test can refuse them
//! (RFC 8725 §2, §3). Each door takes the unchanged token before and after.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, Request};
use keys::{SignatureAlgorithm, SigningKey, sign_hs256};
use serde_json::{Value, json};
use testkit::{PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";

/// Who reads tokens, and a token's claims that it takes.
struct Door<'w> {
    world: &'w World,
    method: Method,
    path: &'static str,
    claims: Value,
}

impl Door<'_> {
    async fn asked(&self, token: &str) -> u16 {
        let request = Request::builder()
            .method(self.method.clone())
            .uri(self.path);
        let request = request.header("host", self.world.domain());
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        self.world.send("192.0.2.1", request).await.status
    }

    fn with(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = self.claims.clone();
        change(&mut claims);
        claims
    }

    /// A good token is taken, and none of these.
    async fn takes_none_of(&self, key: &SigningKey, tokens: Vec<(String, String)>) {
        assert_eq!(self.asked(&key.sign("JWT", &self.claims)).await, 200);
        for (name, token) in tokens {
            assert_eq!(
                self.asked(&token).await,
                401,
                "{} {}: {name}",
                self.method,
                self.path
            );
        }
        assert_eq!(self.asked(&key.sign("JWT", &self.claims)).await, 200);
    }
}

/// `/userinfo` by both of its methods, and the Management API.
async fn doors(world: &World) -> Vec<Door<'_>> {
    let backend = world.backend(true).await;
    let ana = backend.add_user(ANA).await;
    let now = world.app.clock.now().as_second();
    let base = |sub: &str, aud: String, scope: &str| {
        json!({
            "iss": world.tenant.issuer(), "sub": sub, "aud": aud, "iat": now, "exp": now + 100,
            "azp": backend.client_id, "scope": scope,
        })
    };
    let userinfo = base(&ana, world.tenant.userinfo_audience(), "openid");
    let own = format!("{}@clients", backend.client_id);
    let management = base(&own, world.tenant.management_audience(), "read:clients");
    let door = |method, path, claims: &Value| Door {
        world,
        method,
        path,
        claims: claims.clone(),
    };
    vec![
        door(Method::GET, "/userinfo", &userinfo),
        door(Method::POST, "/userinfo", &userinfo),
        door(Method::GET, "/api/v2/clients", &management),
    ]
}

/// The key that signs a tenant's tokens.
async fn key_of(world: &World) -> SigningKey {
    let rows = world.app.store.tenant(&world.tenant.id);
    let record = rows.list_signing_keys().await.unwrap().remove(0);
    let sealer = &world.app.secrets.sealer;
    server::open_signing_key(sealer, &world.tenant.id, &record).unwrap()
}

/// A good RS256 signature of this key below any header.
fn signed_below(header: &str, claims: &Value, key: &SigningKey) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", encode(header), encode(&claims.to_string()));
    let pair = KeyPair::from_pkcs8(&key.to_pkcs8()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The SubjectPublicKeyInfo in PEM, as libraries are often given it.
fn public_pem(key: &SigningKey) -> String {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::signature::KeyPair as _;
    let pair = KeyPair::from_pkcs8(&key.to_pkcs8()).unwrap();
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

on_both_engines! {
    async fn a_good_signature_below_another_header_is_not_enough(world: World) {
        let other = world.neighbour("other").await;
        let (key, foreign) = (key_of(&world).await, key_of(&other).await);
        let kid = key.kid();
        let mut headers = Vec::new();
        for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 ", "RS256\u{0}"] {
            headers.push(json!({"alg": alg, "typ": "JWT", "kid": kid}));
        }
        for alg in [Value::Null, json!(["RS256"]), json!({"RS256": 1}), json!(256)] {
            headers.push(json!({"alg": alg, "kid": kid}));
        }
        headers.push(json!({"typ": "JWT", "kid": kid}));
        for named in [
            json!(""), json!(format!("{kid} ")), json!(format!("../{kid}")), json!(kid.to_lowercase() + "x"), json!(foreign.kid()),
            json!("' OR 1=1 --"), json!([kid]), json!({"kid": kid}), json!(0), Value::Null,
        ] {
            headers.push(json!({"alg": "RS256", "kid": named}));
        }
        headers.push(json!({"alg": "RS256"}));
        // With no kid that is ours, a key that the token brings itself is not looked at.
        headers.push(json!({"alg": "RS256", "jwk": key.jwk()}));
        headers.push(json!({"alg": "RS256", "x5c": key.jwk()["x5c"]}));
        headers.push(json!({"alg": "RS256", "jku": "https://login.example.com/.well-known/jwks.json"}));
        for critical in [json!(["exp"]), json!(["b64"]), json!([]), Value::Null] {
            headers.push(json!({"alg": "RS256", "kid": kid, "crit": critical, "b64": true}));
        }
        for door in doors(&world).await {
            let right = json!({"alg": "RS256", "kid": kid}).to_string();
            assert_eq!(door.asked(&signed_below(&right, &door.claims, &key)).await, 200, "what signs below a header works");
            let mut tokens: Vec<(String, String)> = headers
                .iter()
                .map(|header| (header.to_string(), signed_below(&header.to_string(), &door.claims, &key)))
                .collect();
            for header in ["[]", "null", "\"RS256\"", "", "{", "{\"alg\":\"RS256\""] {
                tokens.push((header.to_owned(), signed_below(header, &door.claims, &key)));
            }
            door.takes_none_of(&key, tokens).await;
        }
    }

    async fn no_other_key_or_algorithm_signs_for_the_tenant(world: World) {
        let other = world.neighbour("other").await;
        let (key, foreign) = (key_of(&world).await, key_of(&other).await);
        let as_ours = SigningKey::from_pkcs8(&foreign.to_pkcs8(), key.kid().to_owned(), Vec::new()).unwrap();
        let admin = world.admin().await;
        let shared = json!({"identifier": "urn:shared", "signing_alg": "HS256"});
        let shared = admin.post("resource-servers", shared).await.expect(201).text_of("signing_secret");
        for door in doors(&world).await {
            let claims = &door.claims;
            let public = key.jwk();
            let text = |member: &str| public[member].as_str().unwrap().to_owned();
            let mut secrets: Vec<(&str, Vec<u8>)> = vec![
                ("nothing", Vec::new()),
                ("the kid", key.kid().as_bytes().to_vec()),
                ("the modulus", text("n").into_bytes()),
                ("the modulus in bytes", URL_SAFE_NO_PAD.decode(text("n")).unwrap()),
                ("the JWK", public.to_string().into_bytes()),
                ("the key set", json!({"keys": [public]}).to_string().into_bytes()),
                ("the certificate", key.certificate_der().to_vec()),
                ("the certificate in Base64", public["x5c"][0].as_str().unwrap().as_bytes().to_vec()),
                ("the certificate in PEM", key.certificate_pem().into_bytes()),
                ("the public key in PEM", public_pem(&key).into_bytes()),
                ("the secret of an HS256 API", shared.clone().into_bytes()),
            ];
            secrets.push(("PEM without its last line break", public_pem(&key).trim_end().as_bytes().to_vec()));
            let mut tokens = Vec::new();
            for (name, secret) in &secrets {
                let token = sign_hs256(secret, "JWT", claims);
                tokens.push((format!("HS256 with {name}"), token.clone()));
                // The same with the header of a key that is known.
                let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "typ": "JWT", "kid": key.kid()}).to_string());
                let input = format!("{header}.{}", token.split('.').nth(1).unwrap());
                let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret), input.as_bytes());
                tokens.push((format!("HS256 with {name}, and a kid"), format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))));
            }
            for alg in ["none", "None", "NONE", "nOnE", "RS256"] {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let unsigned = format!("{}.{}.", part(&json!({"alg": alg, "kid": key.kid()})), part(claims));
                tokens.push((format!("{alg}, unsigned"), unsigned));
            }
            tokens.push(("another tenant's key".to_owned(), foreign.sign("JWT", claims)));
            tokens.push(("another tenant's key under our kid".to_owned(), as_ours.sign("JWT", claims)));
            for algorithm in [SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs512] {
                tokens.push((format!("{algorithm:?} by our key"), key.sign_with(algorithm, "JWT", claims)));
            }
            door.takes_none_of(&key, tokens).await;
        }
    }

    async fn every_claim_is_held_to_what_it_must_be(world: World) {
        let key = key_of(&world).await;
        let now = world.app.clock.now().as_second();
        for door in doors(&world).await {
            let (iss, aud) = (door.claims["iss"].as_str().unwrap().to_owned(), door.claims["aud"].as_str().unwrap().to_owned());
            let mut tokens = Vec::new();
            let refused = |claim: &str, value: Value| {
                let claims = door.with(|claims| match value.clone() {
                    Value::String(gone) if gone == "(absent)" => drop(claims.as_object_mut().unwrap().remove(claim)),
                    value => claims[claim] = value,
                });
                (format!("{claim} {value}"), key.sign("JWT", &claims))
            };
            for value in [
                json!(iss.trim_end_matches('/')), json!(iss.replace("https", "http")), json!(iss.to_uppercase()), json!(format!("{iss}/")),
                json!(iss.replace(".com/", ".com:443/")), json!("https://other.example.com/"), json!([iss]), json!({"0": iss}), Value::Null, json!(true), json!("(absent)"),
            ] {
                tokens.push(refused("iss", value));
            }
            for value in [
                json!(format!("{aud}/")), json!(aud.trim_end_matches('/').to_owned() + "x"), json!(aud.to_uppercase()), json!(aud.replace("https", "http")),
                json!(format!("{aud} https://x/")), json!(format!("x,{aud}")), json!(aud.replace("login.", "other.")), json!("*"), json!(""), json!(testkit::AUDIENCE),
                json!([]), json!([[aud]]), json!(["x", {"aud": aud}]), json!([Value::Null]), json!({"0": aud}), json!({aud.clone(): 1}), json!(7), Value::Null, json!("(absent)"),
            ] {
                tokens.push(refused("aud", value));
            }
            let management = world.tenant.management_audience();
            for other in [management.trim_end_matches('/').to_owned(), management.clone(), world.tenant.userinfo_audience(), iss.clone()] {
                if other != aud {
                    tokens.push(refused("aud", json!(other)));
                    tokens.push(refused("aud", json!([other, testkit::AUDIENCE])));
                }
            }
            for value in [
                json!(now), json!(now - 1), json!(0), json!(-1), json!(now + 100).to_string().into(), json!((now + 100) as f64 + 0.5), json!([now + 100]),
                json!(u64::MAX), json!(1e300), json!(true), Value::Null, json!("(absent)"),
            ] {
                tokens.push(refused("exp", value));
            }
            for value in [json!("now"), json!(1.5), json!([]), Value::Null, json!("(absent)")] {
                tokens.push(refused("iat", value));
            }
            for value in [json!(now + 1), json!(i64::MAX), json!(now.to_string()), json!([now]), json!(1.5), Value::Null] {
                tokens.push(refused("nbf", value));
            }
            for value in [json!(7), json!([]), json!({}), Value::Null, json!("(absent)")] {
                tokens.push(refused("sub", value));
            }
            door.takes_none_of(&key, tokens).await;
            for (claim, value) in [("aud", json!([aud])), ("aud", json!(["x", aud])), ("nbf", json!(now)), ("exp", json!(now + 1))] {
                let claims = door.with(|claims| claims[claim] = value.clone());
                assert_eq!(door.asked(&key.sign("at+jwt", &claims)).await, 200, "{claim} {value}");
            }
        }
    }

    async fn what_was_issued_for_another_door_opens_none(world: World) {
        let key = key_of(&world).await;
        let doors = doors(&world).await;
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        for (identifier, alg) in [("urn:signed", "RS256"), ("urn:shared", "HS256")] {
            let api = json!({"identifier": identifier, "signing_alg": alg, "scopes": [{"value": "read:clients"}, {"value": "openid"}]});
            admin.post("resource-servers", api).await.expect(201);
            let grant = json!({"client_id": backend.client_id, "audience": identifier, "scope": ["read:clients", "openid"]});
            admin.post("client-grants", grant).await.expect(201);
        }
        let mut issued = Vec::new();
        for audience in [json!("urn:signed"), json!("urn:shared"), Value::Null] {
            let login = backend.login(ANA, PASSWORD).with("audience", audience.clone());
            let user = login.clone().with("scope", "openid read:clients").send().await.expect(200);
            issued.push((format!("ID token, {audience}"), user.text_of("id_token"), false));
            issued.push((format!("user's token, {audience}"), user.text_of("access_token"), audience != "urn:shared"));
            if !audience.is_null() {
                let own = login.with("grant_type", "client_credentials").with("scope", "openid read:clients");
                issued.push((format!("application's token, {audience}"), own.send().await.expect(200).text_of("access_token"), false));
            }
        }
        for door in &doors {
            let is_userinfo = door.path == "/userinfo";
            let mut tokens = vec![("the other door's".to_owned(), key.sign("JWT", &doors[if is_userinfo { 2 } else { 0 }].claims))];
            for (name, token, opens_userinfo) in &issued {
                if is_userinfo && *opens_userinfo {
                    assert_eq!(door.asked(token).await, 200, "{name}");
                } else {
                    tokens.push((name.clone(), token.clone()));
                }
            }
            door.takes_none_of(&key, tokens).await;
        }
    }
}
