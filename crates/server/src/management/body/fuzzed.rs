//! Fuzzed: a form that is accepted has only known members, each in the type of its table, and says what was sent.

use super::super::schema::field;
use super::*;

const TABLE: &[Field] = &[
    field("name", Kind::Text(10)),
    field("on", Kind::Bool),
    field("count", Kind::Integer(1, 9)),
    field("list", Kind::Texts(3)),
    field("kinds", Kind::ListOf(&["a", "b"])),
    field("off", Kind::Inert(&[])),
];

#[test]
fn an_accepted_form_is_what_the_table_says_and_what_was_sent() {
    let seeds: [&[u8]; 5] = [
        b"name=Shop&on=true&count=3&list=a&list=b&kinds=a&off=false",
        b"name=%C3%A9&on=yes&count=%2B3",
        b"count=99999999999999999999&list=&list=&list=&list=",
        b"kinds=c&name=a&name=b",
        b"=&&&name&on=&%00=%00",
    ];
    fuzz::check(&seeds, |input| {
        let sent: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
        let is_sent = |name: &str, text: &str| sent.iter().any(|(n, t)| n == name && t == text);
        let body = Body::Form(sent.clone());
        let holds_nul = body.holds_nul();
        assert_eq!(
            holds_nul,
            sent.iter()
                .any(|(name, text)| format!("{name}{text}").contains('\0'))
        );
        match body.judged(TABLE) {
            Ok(members) => {
                for (name, value) in &members {
                    match (name.as_str(), value) {
                        ("name", Value::String(text)) => {
                            assert!(text.chars().count() <= 10 && is_sent(name, text));
                        }
                        ("on", Value::Bool(on)) => assert!(is_sent(name, &on.to_string())),
                        ("count", Value::Number(count)) => {
                            assert!(count.as_i64().is_some_and(|count| (1..=9).contains(&count)));
                        }
                        ("list" | "kinds", Value::Array(items)) => {
                            assert!(items.len() <= sent.len());
                            let sent = |item: &Value| is_sent(name, item.as_str().unwrap());
                            assert!(items.iter().all(sent));
                        }
                        ("off", Value::Bool(false)) => {}
                        (_, other) => panic!("{name} was taken as {other}"),
                    }
                }
            }
            Err(problem) => assert!(format!("{problem:?}").len() < 2_000, "a short complaint"),
        }
    });
}
