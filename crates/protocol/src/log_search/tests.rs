use std::ops::Bound;

use model::{EventField, EventFilter as F, Part, Pattern, Span};

use super::*;

fn read(text: &str) -> F {
    log_search(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn fault(text: &str) -> String {
    match log_search(text) {
        Ok(filter) => panic!("{text} is read as {filter:?}"),
        Err(fault) => fault.to_string(),
    }
}

fn is(field: EventField, value: &str) -> F {
    F::Is(field, value.to_owned())
}

fn kind(code: &str) -> F {
    is(EventField::Type, code)
}

fn not(filter: F) -> F {
    F::Not(Box::new(filter))
}

fn span(from: &str, before: &str) -> F {
    let time = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    F::During(Span {
        from: time(from),
        before: time(before),
    })
}

#[test]
fn nothing_asked_is_every_event() {
    for text in ["", "  ", "*", "*:*", "date:*", "_exists_:date"] {
        assert_eq!(read(text), F::Every, "{text:?}");
    }
}

#[test]
fn a_condition_names_a_field_and_a_value() {
    for (text, expected) in [
        ("type:fp", kind("fp")),
        ("type: \"fp\"", kind("fp")),
        ("user_id:auth0|5f", is(EventField::UserId, "auth0|5f")),
        (
            r#"user_id:"auth0|5f 6""#,
            is(EventField::UserId, "auth0|5f 6"),
        ),
        (
            r"description:a\ b\:c\*",
            is(EventField::Description, "a b:c*"),
        ),
        (
            r#"description:"say \"x\"""#,
            is(EventField::Description, "say \"x\""),
        ),
        (
            "user_name:Ana@Example.com",
            is(EventField::UserName, "ana@example.com"),
        ),
        (
            "ip:2001:db8::1",
            is(EventField::Ip, "2001:0db8:0000:0000:0000:0000:0000:0001"),
        ),
        ("_exists_:user_id", F::Has(EventField::UserId)),
        ("user_id:*", F::Has(EventField::UserId)),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_word_by_itself_is_looked_for_in_the_seven_fields() {
    let F::Any(any) = read("Fp") else {
        panic!("alternatives")
    };
    assert_eq!(any.len(), 7);
    assert!(any.contains(&kind("Fp")));
    assert!(any.contains(&is(EventField::UserName, "fp")));
    assert!(any.contains(&is(EventField::Description, "fp")));
    assert!(
        !any.iter()
            .any(|one| matches!(one, F::Is(EventField::UserId, _)))
    );
}

#[test]
fn wildcards_are_holes_in_the_whole_value() {
    let text = |text: &str| Part::Text(text.to_owned());
    let fits = |field, parts: Vec<Part>| F::Fits(field, Pattern(parts));
    for (query, expected) in [
        (
            "type:s*",
            fits(EventField::Type, vec![text("s"), Part::Some]),
        ),
        (
            "connection:*Pass*",
            fits(
                EventField::Connection,
                vec![Part::Some, text("pass"), Part::Some],
            ),
        ),
        (
            "user_name:jane**sm?th",
            fits(
                EventField::UserName,
                vec![text("jane"), Part::Some, text("sm"), Part::One, text("th")],
            ),
        ),
        (
            r"user_agent:100%_\?*",
            fits(EventField::UserAgent, vec![text("100%_?"), Part::Some]),
        ),
    ] {
        assert_eq!(read(query), expected, "{query}");
    }
}

#[test]
fn operators_are_read_as_everybody_reads_them() {
    let (a, b, c) = (|| kind("a"), || kind("b"), || kind("c"));
    for (text, expected) in [
        ("type:a AND type:b", F::All(vec![a(), b()])),
        ("type:a && type:b", F::All(vec![a(), b()])),
        ("type:a OR type:b", F::Any(vec![a(), b()])),
        ("type:a || type:b", F::Any(vec![a(), b()])),
        ("type:a type:b", F::Any(vec![a(), b()])),
        ("type:(a OR b)", F::Any(vec![a(), b()])),
        ("type:(a b)", F::Any(vec![a(), b()])),
        ("NOT type:a", not(a())),
        ("-type:a", not(a())),
        ("! type:a", not(a())),
        ("NOT NOT type:a", a()),
        ("type:a NOT type:b", F::All(vec![a(), not(b())])),
        ("type:a -type:b", F::All(vec![a(), not(b())])),
        ("type:a AND NOT type:b", F::All(vec![a(), not(b())])),
        ("type:a OR NOT type:b", F::Any(vec![a(), not(b())])),
        ("+type:a type:b", a()),
        ("+type:a +type:b type:c", F::All(vec![a(), b()])),
        (
            "type:a OR type:b AND type:c",
            F::Any(vec![a(), F::All(vec![b(), c()])]),
        ),
        (
            "(type:a OR type:b) AND type:c",
            F::All(vec![F::Any(vec![a(), b()]), c()]),
        ),
        ("type:(a AND -(b OR c))", {
            F::All(vec![a(), not(F::Any(vec![b(), c()]))])
        }),
        ("((type:a))", a()),
        ("type:ANDy", kind("ANDy")),
        ("type:a-b+c", kind("a-b+c")),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_date_is_filled_up_with_zeros_in_a_range_and_stands_for_all_it_names_alone() {
    for (text, from, before) in [
        (
            "date:[2018-12 TO 2019-01}",
            "2018-12-01T00:00:00Z",
            "2019-01-01T00:00:00Z",
        ),
        (
            "date:[2018-12-18 TO 2018-12-19]",
            "2018-12-18T00:00:00Z",
            "2018-12-19T00:00:00.001Z",
        ),
        ("date:{2018-12-18 TO *]", "2018-12-18T00:00:00.001Z", ""),
        ("date:[* TO 2018-12-19}", "", "2018-12-19T00:00:00Z"),
        (
            "date:[2018-12-18T12:22 TO \"2018-12-18T15:23:48.123Z\"}",
            "2018-12-18T12:22:00Z",
            "2018-12-18T15:23:48.123Z",
        ),
        ("date:>2018", "2018-01-01T00:00:00.001Z", ""),
        ("date:>=2018", "2018-01-01T00:00:00Z", ""),
        ("date:<2018-02-03", "", "2018-02-03T00:00:00Z"),
        ("date:<=2018-02-03", "", "2018-02-03T00:00:00.001Z"),
        ("date:2018", "2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z"),
        (
            "date:2018-12",
            "2018-12-01T00:00:00Z",
            "2019-01-01T00:00:00Z",
        ),
        (
            "date:2024-02-29",
            "2024-02-29T00:00:00Z",
            "2024-03-01T00:00:00Z",
        ),
        (
            "date:2018-12-18T12",
            "2018-12-18T12:00:00Z",
            "2018-12-18T13:00:00Z",
        ),
        (
            "date:2018-12-18T12:22",
            "2018-12-18T12:22:00Z",
            "2018-12-18T12:23:00Z",
        ),
        (
            "date:\"2018-12-18T12:22:01\"",
            "2018-12-18T12:22:01Z",
            "2018-12-18T12:22:02Z",
        ),
        (
            "date:2018-12-18T12:22:01.5Z",
            "2018-12-18T12:22:01.5Z",
            "2018-12-18T12:22:01.501Z",
        ),
        (
            "date:2018-12-18T12:00+02:00",
            "2018-12-18T10:00:00Z",
            "2018-12-18T10:01:00Z",
        ),
    ] {
        assert_eq!(read(text), span(from, before), "{text}");
    }
    for text in [
        "date:yesterday",
        "date:2018-13",
        "date:2018-1",
        "date:2018-12T10",
        "date:2018-02-30",
        "date:2018-12-18T25",
        "date:2018-12-18T10:00:00.",
        "date:2018-12-18T10.5",
        "date:18",
        "date:2018-12-18-01",
        "date:[2018 TO x]",
        "date:2018-12-18T10:00+99:00",
    ] {
        assert!(
            fault(text).contains("is no date"),
            "{text}: {}",
            fault(text)
        );
    }
}

#[test]
fn ranges_of_text_go_by_its_bytes() {
    let included = |text: &str| Bound::Included(text.to_owned());
    assert_eq!(
        read("log_id:{900 TO 901]"),
        F::Between(
            EventField::LogId,
            Bound::Excluded("900".to_owned()),
            included("901")
        )
    );
    assert_eq!(
        read("user_name:>=Ana"),
        F::Between(EventField::UserName, included("ana"), Bound::Unbounded)
    );
}

#[test]
fn what_is_not_supported_is_named_with_its_remedy() {
    for (text, parts) in [
        ("type:/s.*/", &["regular expression", "/s.*/"][..]),
        ("user_name:ana~", &["fuzzy", "~"]),
        ("\"a b\"~3", &["fuzzy"]),
        ("user_name:ana~0.8", &["fuzzy"]),
        ("type:fp^4", &["boost", "^4"]),
        ("(type:a OR type:b)^2", &["boost"]),
        ("date:[2018 TO 2019]^2", &["boost"]),
        (
            "details.request:x",
            &["no field details.request", "client_id", "date", "user_name"],
        ),
        ("user:x", &["no field user", "user_id"]),
        ("_exists_:nothing", &["no field nothing"]),
        ("Type:x", &["no field Type"]),
        ("[2018 TO 2019]", &["FIELD:[FROM TO UPTO]"]),
        ("date:[2018 2019]", &["FIELD:[FROM TO UPTO]"]),
        ("date:[2018 TO 2019", &["not closed"]),
        ("date:[2018-* TO *]", &["wildcard", "2018-*"]),
        ("date:2018-*", &["wildcard in a date"]),
        ("type:\"fp", &["quotation mark is opened"]),
        ("(type:fp", &["( is opened"]),
        ("type:fp)", &[") closes"]),
        ("()", &["condition is missing"]),
        ("type:", &["a value is missing after type:"]),
        (":fp", &["the name of a field"]),
        ("type:a AND", &["AND needs a condition after"]),
        ("AND type:a", &["AND needs a condition before"]),
        ("OR", &["OR needs a condition before"]),
        ("type:a OR", &["OR needs a condition after"]),
        ("type:a AND OR type:b", &["OR needs a condition before"]),
        ("NOT", &["NOT needs a condition after"]),
        ("type:a AND -", &["NOT needs a condition after"]),
        ("type:a\"b\"", &["is not expected inside a word"]),
        ("type:a\\", &["a character is missing"]),
    ] {
        let told = fault(text);
        for part in parts {
            assert!(told.contains(part), "{text}: {told}");
        }
    }
}

#[test]
fn a_query_is_bounded() {
    assert!(fault(&"a".repeat(2_049)).contains("2048 bytes"));
    assert!(fault(&"a ".repeat(51)).contains("50 conditions"));
    read(&"a ".repeat(50));
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    read(&nested(10));
    assert!(fault(&nested(11)).contains("10 parentheses"));
    read(&format!("{}type:a", "!".repeat(2_000)));
}
