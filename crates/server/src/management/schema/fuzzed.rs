//! Fuzzed: what the judge lets pass has only known members, and a complaint is short and never the value.

use serde_json::json;

use super::*;

const TABLE: &[Field] = &[
    field("on", Kind::Bool),
    field("guarded", Kind::OnlyTrue),
    field("name", Kind::Text(3)),
    field("note", Kind::NullableText(3)),
    field("count", Kind::Integer(1, 9)),
    field("mode", Kind::NullableOneOf(&["a", "b"])),
    field("list", Kind::Texts(2)),
    field("kinds", Kind::ListOf(&["a", "b"])),
    field("inner", Kind::Object(&[field("mode", Kind::OneOf(&["a"]))])),
    field(
        "parts",
        Kind::Objects(&[field("mode", Kind::OneOf(&["a"]))]),
    ),
    field("metadata", Kind::AnyObject),
    field("mfa", Kind::Inert(&["never"])),
];

#[test]
fn what_passes_is_known_and_a_complaint_never_shows_the_value() {
    let whole = json!({
        "on": true, "guarded": true, "name": "abc", "note": null, "count": 9, "mode": "a", "list": ["x"], "kinds": ["a"],
        "inner": {"mode": "a"}, "parts": [{"mode": "a"}], "metadata": {"x": [1]}, "mfa": {"x": false},
    });
    let whole = whole.to_string();
    let seeds = [
        whole.as_bytes(),
        br#"{"on":"hunter2","name":"hunter2"}"#,
        br#"{"count":10,"list":["a","b","hunter2"],"inner":{"mode":"hunter2"}}"#,
        br#"{"mfa":{"x":{"y":"hunter2"}},"metadata":null,"parts":[{"mode":"hunter2"}]}"#,
    ];
    fuzz::check(&seeds, |input| {
        let Ok(Value::Object(body)) = serde_json::from_slice(input) else {
            return;
        };
        match judge(TABLE, &body) {
            Ok(()) => {
                let known = |name: &String| TABLE.iter().any(|field| field.name == name);
                assert!(body.keys().all(known));
                let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
                assert!(text("name").chars().count() <= 3 && text("note").chars().count() <= 3);
                assert!(
                    body.get("guarded")
                        .is_none_or(|value| *value == json!(true))
                );
                let count = body.get("count").map(Value::as_i64);
                assert!(count.is_none_or(|count| count.is_some_and(|it| (1..=9).contains(&it))));
            }
            Err(problem) => {
                let told = format!("{problem:?}");
                assert!(told.len() < 2_000, "{} bytes", told.len());
                let named = body.keys().any(|name| name.contains("hunter2"));
                let inner = body.get("inner").or(body.get("parts"));
                let inner = inner.is_some_and(|it| it.to_string().contains("hunter2\":"));
                assert!(named || inner || !told.contains("hunter2"), "{told}");
            }
        }
    });
}
