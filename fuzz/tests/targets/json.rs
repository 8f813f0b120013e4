//! JSON bodies: what is read stays within its bounds and is what an ordinary JSON reader sees.

use protocol::Parameters;
use serde_json::Value;

use crate::token_request::{NAMES, within_bounds};

#[test]
fn a_document_is_read_as_others_read_it_or_refused() {
    let seeds: [&[u8]; 6] = [
        br#"{"grant_type":"password","username":"ana@example.com","password":"x","client_id":"shop","scope":"openid email"}"#,
        br#"{"grant_type":"client_credentials","client_id":"a","client_secret":"\u00e9\n\ud83d\udd11","audience":null}"#,
        br#"{"username":["a"],"password":{"$ne":1},"x":[[[[{}]]]],"y":-1.5e-7}"#,
        br#"{"realm":"","resource":true}"#,
        br#"{"username":"a","username":"b"}"#,
        br#"[]"#,
    ];
    fuzz::check(&seeds, |input| {
        let Ok(parameters) = Parameters::parse(Some("application/json"), input) else {
            return;
        };
        within_bounds(&parameters);
        let theirs: Value = serde_json::from_slice(input).unwrap();
        let members = theirs.as_object().unwrap();
        for name in NAMES {
            let read = parameters.get(name);
            match members.get(name) {
                None | Some(Value::Null) => assert_eq!(read, None, "{name}"),
                Some(Value::String(text)) => assert_eq!(read.unwrap_or_default(), text, "{name}"),
                Some(other) => panic!("{name} was taken from {other}"),
            }
        }
    });
}
