//! Bearer tokens: the one token of a request is written in it, and two places are never one.

use protocol::{BearerRefusal, bearer_token, presented_token};

#[test]
fn a_bearer_is_read_from_one_place_as_it_is_written() {
    let seeds: [&[u8]; 6] = [
        b"Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        b"bEARER   token  ",
        b"Bearer ",
        b"Basic QWxhZGRpbjpvcGVu",
        b"Bearer a, Bearer b",
        b"Bearer\ta",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(header) = std::str::from_utf8(input) else {
            return;
        };
        let told = |header, body| presented_token(header, body).map(|it| it.expose().to_owned());
        match bearer_token(header) {
            Some(token) => {
                assert!(!token.is_empty() && token.trim() == token);
                let scheme = header.get(..7).unwrap();
                assert!(scheme.eq_ignore_ascii_case("bearer "));
                assert_eq!(header[7..].trim(), token);
                assert_eq!(told(Some(header), None), Ok(token.to_owned()));
                assert_eq!(told(Some(header), Some("t")), Err(BearerRefusal::SentTwice));
            }
            None => {
                assert_eq!(told(Some(header), None), Err(BearerRefusal::Missing));
                assert_eq!(told(Some(header), Some("t")), Ok("t".to_owned()));
            }
        }
    });
}
