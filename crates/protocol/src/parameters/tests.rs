use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn json(body: &str) -> Result<Parameters, Reason> {
    Parameters::parse(Some(JSON), body.as_bytes())
}

fn form(body: &str) -> Result<Parameters, Reason> {
    Parameters::parse(Some(FORM), body.as_bytes())
}

#[test]
fn content_types_are_named_by_their_essence() {
    for (content_type, body) in [
        ("application/json", "{}"),
        ("application/json; charset=utf-8", "{}"),
        ("APPLICATION/JSON;charset=UTF-8", "{}"),
        ("application/x-www-form-urlencoded", ""),
        ("application/x-www-form-urlencoded;charset=UTF-8", ""),
    ] {
        assert!(
            Parameters::parse(Some(content_type), body.as_bytes()).is_ok(),
            "{content_type}"
        );
    }
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
    ] {
        let refused = Parameters::parse(content_type, b"{}").unwrap_err();
        assert_eq!(refused, Reason::UnsupportedContentType, "{content_type:?}");
    }
    let text = Reason::UnsupportedContentType.description();
    assert!(text.contains(JSON) && text.contains(FORM));
}

#[test]
fn nulls_and_empty_values_were_not_sent() {
    for sent in [
        json(r#"{"realm":null,"scope":"","username":"ana"}"#).unwrap(),
        form("realm=&scope&username=ana").unwrap(),
    ] {
        assert_eq!(sent.get("realm"), None);
        assert_eq!(sent.get("scope"), None);
        assert_eq!(sent.get("username"), Some("ana"));
    }
}

/// auth0-wire-facts §2.4: "scope wrong type".
#[test]
fn values_of_another_type_are_refused_by_name() {
    for value in ["7", "true", "{}", r#"["openid"]"#] {
        let refused = json(&format!(r#"{{"scope":{value}}}"#)).unwrap_err();
        assert_eq!(
            refused.description(),
            "Invalid parameter: scope must be a string",
            "{value}"
        );
    }
    // What means nothing here may be anything.
    assert!(json(r#"{"device":{"os":["x"]},"captcha":7}"#).is_ok());
}

#[test]
fn hostile_json_is_refused() {
    let deep = "[".repeat(60_000);
    let nested = format!(r#"{{"x":{deep}"#);
    for (body, reason) in [
        ("", Reason::MalformedJson),
        ("{", Reason::MalformedJson),
        ("{}{}", Reason::MalformedJson),
        ("\u{feff}{}", Reason::MalformedJson),
        (r#"{"username":"\ud800"}"#, Reason::MalformedJson),
        (r#"{"username":1e999999}"#, Reason::MalformedJson),
        (&nested, Reason::MalformedJson),
        ("[]", Reason::NotAnObject),
        ("null", Reason::NotAnObject),
        (r#""username=ana""#, Reason::NotAnObject),
        (r#"{"username":"a\u0000"}"#, Reason::NulCharacter),
        (r#"{"a\u0000":1}"#, Reason::NulCharacter),
        (
            r#"{"scope":"a","scope":"b"}"#,
            Reason::DuplicateParameter("scope".to_owned()),
        ),
        (
            r#"{"scope":"a","scope":null}"#,
            Reason::DuplicateParameter("scope".to_owned()),
        ),
        (
            r#"{"scope":"a","\u0073cope":"b"}"#,
            Reason::DuplicateParameter("scope".to_owned()),
        ),
    ] {
        let short: String = body.chars().take(40).collect();
        assert_eq!(json(body).unwrap_err(), reason, "{short}");
    }
    let latin = Parameters::parse(Some(JSON), b"{\"username\":\"\xe9\"}");
    assert_eq!(latin.unwrap_err(), Reason::NotUtf8);
}

#[test]
fn hostile_forms_are_refused() {
    for (body, reason) in [
        ("username=%", Reason::MalformedForm),
        ("username=%4", Reason::MalformedForm),
        ("username=%zz", Reason::MalformedForm),
        ("%zz=1", Reason::MalformedForm),
        ("username=%ff", Reason::NotUtf8),
        ("username=%c0%80", Reason::NotUtf8),
        ("username=a%00", Reason::NulCharacter),
        ("a%00=1", Reason::NulCharacter),
        (
            "scope=a&scope=b",
            Reason::DuplicateParameter("scope".to_owned()),
        ),
        (
            "scope=a&%73cope=b",
            Reason::DuplicateParameter("scope".to_owned()),
        ),
        (
            "scope&scope=",
            Reason::DuplicateParameter("scope".to_owned()),
        ),
    ] {
        assert_eq!(form(body).unwrap_err(), reason, "{body}");
    }
    let raw = Parameters::parse(Some(FORM), b"username=\xff");
    assert_eq!(raw.unwrap_err(), Reason::NotUtf8);
    assert_eq!(
        form("&&username=a+b%2B=&&").unwrap().get("username"),
        Some("a b+=")
    );
}

/// auth0-wire-facts §10 row 30.
#[test]
fn each_bound_names_its_field() {
    for (name, most, unit) in [
        ("password", 1_024, "bytes"),
        ("username", 254, "characters"),
        ("scope", 4_096, "bytes"),
        ("audience", 600, "characters"),
        ("resource", 600, "characters"),
        ("realm", 128, "characters"),
        ("client_id", 256, "characters"),
        ("client_secret", 1_024, "bytes"),
        ("grant_type", 256, "characters"),
    ] {
        assert!(
            form(&format!("{name}={}", "x".repeat(most))).is_ok(),
            "{name}"
        );
        let refused = form(&format!("{name}={}", "x".repeat(most + 1))).unwrap_err();
        let text = format!("Invalid parameter: {name} must have at most {most} {unit}");
        assert_eq!(refused.description(), text);
        let wide = form(&format!("{name}={}", "é".repeat(most)));
        assert_eq!(wide.is_ok(), unit == "characters", "{name}");
    }
}

#[test]
fn there_are_at_most_64() {
    let body = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|number| format!("p{number}=x")).collect();
        pairs.join("&")
    };
    assert!(form(&body(64)).is_ok());
    assert_eq!(
        form(&body(65)).unwrap_err(),
        Reason::TooManyParameters(MAX_PARAMETERS)
    );
    assert_eq!(
        form(&body(5_000)).unwrap_err(),
        Reason::TooManyParameters(MAX_PARAMETERS)
    );
    let many: Map<String, Value> = (0..65).map(|n| (format!("p{n}"), Value::Null)).collect();
    let refused = json(&Value::Object(many).to_string()).unwrap_err();
    assert_eq!(refused, Reason::TooManyParameters(MAX_PARAMETERS));
}

#[test]
fn debug_shows_neither_values_nor_unknown_names() {
    let sent = form("password=hunter2&hunter3").unwrap();
    let shown = format!("{sent:?}");
    assert!(
        shown.contains("password") && !shown.contains("hunter"),
        "{shown}"
    );
}

fn known_name() -> impl Strategy<Value = String> {
    prop::sample::select(
        KNOWN
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect::<Vec<_>>(),
    )
}

/// Names known and unknown, values short enough for every bound.
fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = prop_oneof![known_name(), "[a-z &=+%\"\\\\é]{0,8}"];
    prop::collection::btree_map(name, "[^\0]{0,100}", 0..20)
}

fn as_form(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn as_json(pairs: &[(String, String)]) -> String {
    let members: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            format!(
                "{}:{}",
                Value::from(name.as_str()),
                Value::from(value.as_str())
            )
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for content_type in [JSON, FORM] {
            let _ = Parameters::parse(Some(content_type), &body);
        }
    }

    #[test]
    fn no_text_makes_it_panic(body in "[\\[\\]{}:,\"\\\\a-z0-9%&=+ ]{0,80}", content_type in ".{0,30}") {
        for content_type in [JSON, FORM, content_type.as_str()] {
            let _ = Parameters::parse(Some(content_type), body.as_bytes());
        }
    }

    #[test]
    fn forms_and_json_say_the_same(pairs in pairs()) {
        let list: Vec<(String, String)> = pairs.clone().into_iter().collect();
        let by_form = form(&as_form(&list)).unwrap();
        let by_json = json(&as_json(&list)).unwrap();
        for (name, _) in KNOWN {
            let sent = pairs.get(*name).filter(|value| !value.is_empty()).map(String::as_str);
            prop_assert_eq!(by_form.get(name), sent);
            prop_assert_eq!(by_json.get(name), sent);
        }
    }

    #[test]
    fn repetitions_are_refused_wherever_they_stand(
        pairs in pairs(), name in known_name(), first in "[^\0]{0,9}", second in "[^\0]{0,9}",
        places in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let mut list: Vec<(String, String)> = pairs.into_iter().filter(|(other, _)| *other != name).collect();
        list.insert(places.0.index(list.len() + 1), (name.clone(), first));
        list.insert(places.1.index(list.len() + 1), (name.clone(), second));
        for refused in [form(&as_form(&list)), json(&as_json(&list))] {
            prop_assert_eq!(refused.unwrap_err(), Reason::DuplicateParameter(name.clone()));
        }
    }
}
