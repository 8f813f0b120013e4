//! Fuzzed: whatever an SDK says of itself, an event shows a few short texts of it, in one line.

use http::HeaderValue;
use serde_json::json;

use super::*;

fn is_short_and_plain(text: &str) -> bool {
    text.len() <= 512 && !text.contains(char::is_control)
}

#[test]
fn an_sdk_says_a_few_short_texts_or_nothing() {
    let whole = json!({"name": "sdk", "version": "1\r\n", "env": {"node": "20", "x": {"deep": []}}, "n": 1, "more": ["x"]});
    let many: Map<String, Value> = (0..40).map(|n| (format!("m{n}"), json!("x"))).collect();
    let long = json!({"name": "x".repeat(700), "env": "no object"}).to_string();
    let texts = [whole.to_string(), json!(many).to_string(), long];
    let sent = texts.each_ref().map(|text| STANDARD.encode(text));
    let seeds = [
        texts[0].as_bytes(),
        texts[1].as_bytes(),
        texts[2].as_bytes(),
        sent[0].as_bytes(),
        sent[1].as_bytes(),
        b"e30",
        b"W10=",
    ];
    fuzz::check(&seeds, |input| {
        // What was mutated is the document, or its Base64.
        for bytes in [STANDARD.encode(input).into_bytes(), input.to_vec()] {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else {
                continue;
            };
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static("auth0-client"), value)]);
            let Some(Value::Object(shown)) = sdk_of(&headers) else {
                continue;
            };
            assert!(shown.len() <= MAX_MEMBERS + 1);
            for (name, value) in &shown {
                let texts = match value {
                    Value::Object(inner) if name == "env" => inner.clone(),
                    Value::String(_) => Map::from_iter([(name.clone(), value.clone())]),
                    other => panic!("{name} is {other}"),
                };
                assert!(texts.len() <= MAX_MEMBERS);
                for (name, text) in &texts {
                    assert!(is_short_and_plain(name), "{name:?}");
                    assert!(text.as_str().is_some_and(is_short_and_plain), "{text}");
                }
            }
        }
    });
}
