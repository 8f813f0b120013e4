//! Templates as an administrator writes them and as an attacker would fill them.

use serde_json::{Map, Value, json};

use super::*;
use crate::text::text_of;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("an object is expected"),
    }
}

fn variables() -> Variables {
    Variables {
        user: object(json!({
            "email": "ana@example.com", "name": "Ana <b>", "user_metadata": { "team": "A & B", "list": [1, 2] },
        })),
        source_ip: Some("192.0.2.1".to_owned()),
        application: object(json!({ "name": "Shop", "clientID": "abc" })),
        connection: Some("Users".to_owned()),
        tenant: "one".to_owned(),
        friendly_name: Some("One & All".to_owned()),
        support_email: Some("help@example.com".to_owned()),
        support_url: None,
        url: Some("https://one.example.com/u/x?ticket=T&a=b".to_owned()),
        code: Some("123456".to_owned()),
        request_language: Some("fr".to_owned()),
        rest: Map::new(),
    }
}

fn source(body: &str) -> TemplateSource {
    TemplateSource {
        from: String::new(),
        subject: "Hello".to_owned(),
        body: body.to_owned(),
    }
}

fn template(body: &str) -> Result<Template, TemplateError> {
    Template::parse(TemplateName::BlockedAccount, &source(body))
}

fn rendered(template: &Template) -> Result<Rendered, RenderError> {
    template.render(&variables(), Timestamp::from_second(1_790_000_000).unwrap())
}

fn body(text: &str) -> String {
    rendered(&template(text).unwrap()).unwrap().html
}

#[test]
fn documented_variables_render_and_the_rest_is_empty() {
    for (text, html) in [
        (
            "{{ user.email }}|{{ user.source_ip }}|{{ user.city }}|{{ user.country }}",
            "ana@example.com|192.0.2.1||",
        ),
        (
            "{{ application.name }} {{ application.clientID }} {{ client.name }}",
            "Shop abc Shop",
        ),
        (
            "{{ connection.name }} {{ tenant }} {{ code }} {{ request_language }}",
            "Users one 123456 fr",
        ),
        ("{{ support_email }}{{ support_url }}", "help@example.com"),
        (
            "[{{ nobody }}{{ user.nobody }}{{ user.nobody.deeper }}{{ nobody | upcase }}]",
            "[]",
        ),
        (
            "{% if nobody == 'x' %}x{% elsif nobody.deeper %}y{% else %}z{% endif %}",
            "z",
        ),
        ("{% assign x = nobody %}[{{ x }}]", "[]"),
        (
            "{% case request_language %}{% when 'fr' %}Bonjour{% else %}Hello{% endcase %}",
            "Bonjour",
        ),
        (
            "{% assign l = request_language | slice: 0, 2 %}{% unless l == 'en' %}{{ l }}{% endunless %}",
            "fr",
        ),
        ("a{% comment %} {{ code }} {% endcomment %}b", "ab"),
        (
            "{{ 'now' | date: '%Y' }} {{ \"today\" | date: '%m' }}",
            "2026 09",
        ),
    ] {
        assert_eq!(body(text), html, "{text}");
    }
}

#[test]
fn what_people_choose_never_becomes_markup() {
    for (text, html) in [
        ("{{ user.name }}", "Ana &lt;b&gt;"),
        ("{{ user.name | escape }}", "Ana &lt;b&gt;"),
        ("{{ user.name | upcase }}", "ANA &lt;B&gt;"),
        ("{{- user.name -}}", "Ana &lt;b&gt;"),
        ("{% if true %}{{user.name}}{% endif %}", "Ana &lt;b&gt;"),
        ("{% assign x = user.name %}{{ x }}", "Ana &lt;b&gt;"),
        (
            "{% comment %} {{ user.x }} {% endcomment %}{{ user.name }}",
            "Ana &lt;b&gt;",
        ),
        ("{{ user.user_metadata.team }}", "A &amp; B"),
        (
            "<a href=\"{{ url }}\">",
            "<a href=\"https://one.example.com/u/x?ticket=T&amp;a=b\">",
        ),
        ("{{ user.name | raw }}", "Ana <b>"),
        ("{{ user.name | raw | strip }}", "Ana &lt;b&gt;"),
    ] {
        assert_eq!(body(text), html, "{text}");
    }
}

#[test]
fn sender_and_subject_are_one_line_of_plain_text() {
    let source = TemplateSource {
        from: "{{ friendly_name }} <shop@example.com>".to_owned(),
        subject: "{{ user.name }},\n {{ user.user_metadata.evil }}".to_owned(),
        body: String::new(),
    };
    let template = Template::parse(TemplateName::WelcomeEmail, &source).unwrap();
    let mut variables = variables();
    variables.user.insert(
        "user_metadata".to_owned(),
        json!({ "evil": "hi\r\nBcc: mallory@example.com" }),
    );
    let rendered = template.render(&variables, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        rendered.from.as_deref(),
        Some("One & All <shop@example.com>")
    );
    assert_eq!(rendered.subject, "Ana <b>, hi Bcc: mallory@example.com");
}

#[test]
fn a_template_that_cannot_work_is_refused_with_its_place() {
    for (text, line, column, reason) in [
        ("Hello\n  {{ user.name | shout }}", 2, 18, "shout"),
        ("Hello\n{% if a %}", 2, 11, "endif"),
        ("{% endif %}", 1, 4, "endif"),
        ("{{ user. }}", 1, 9, "Identifier"),
        ("Hi\n{{ a", 2, 1, "}} is missing"),
        ("{% for a in (1..1000000000) %}{% endfor %}", 1, 4, "for"),
        ("{% include 'x' %}", 1, 4, "include"),
        ("{% render 'x' %}", 1, 4, "render"),
        ("{{ 99999999999999999999 }}", 1, 1, "18 digits"),
    ] {
        let error = template(text).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert!(
            error
                .to_string()
                .starts_with("body of blocked_account, line "),
            "{error}"
        );
        assert!(!error.to_string().contains("__"), "{error}");
    }
    let subject = TemplateSource {
        subject: "{{ a".to_owned(),
        ..source("")
    };
    let error = Template::parse(TemplateName::ResetEmail, &subject).unwrap_err();
    assert_eq!(
        error.to_string(),
        "subject of reset_email, line 1, column 1: }} is missing"
    );
    assert!(template(&"a".repeat(MAX_TEMPLATE + 1)).is_err());
}

#[test]
fn a_template_can_neither_fill_the_memory_nor_break_the_server() {
    let twice = "{% assign x = x | append: x | append: x %}".repeat(1_400);
    let replace = "{% assign x = x | replace: 'a', x %}".repeat(20);
    let join = "{% assign x = x | split: '' | join: x %}".repeat(20);
    for text in [&twice, &replace, &join] {
        let text = format!("{{% assign x = 'aaaaaaaa' %}}{text}{{{{ x }}}}");
        let error = rendered(&template(&text).unwrap()).unwrap_err();
        assert!(error.reason.contains("8 KiB"), "{error}");
    }
    let many = "{{ code | append: code }}".repeat(1_900);
    let wide = "a".repeat(MAX_TEMPLATE - many.len());
    assert!(rendered(&template(&format!("{many}{wide}")).unwrap()).is_ok());
    let long = format!(
        "{{% assign x = '{}' %}}{}",
        "a".repeat(900),
        "{{ x }}".repeat(400)
    );
    let error = rendered(&template(&long).unwrap()).unwrap_err();
    assert!(error.reason.contains("gives more than"), "{error}");
    for odd in [
        "{{ 1 | divided_by: 0 }}",
        "{{ 'a' | slice: 9223372036854775, 1 }}",
        "{{ user.user_metadata | upcase }}",
    ] {
        // Whatever comes of it, it comes back.
        let _ = template(odd).map(|template| rendered(&template));
    }
}

#[test]
fn every_built_in_mail_says_what_it_is_for() {
    for name in TemplateName::ALL {
        let mail = rendered(&Template::builtin(*name)).unwrap();
        let text = text_of(&mail.html);
        assert_eq!(mail.from, None);
        assert!(
            mail.subject.contains("One & All"),
            "{name}: {}",
            mail.subject
        );
        assert!(
            text.contains(
                "This mail comes from One & All.\u{20}Questions? Write to help@example.com."
            ),
            "{name}: {text}"
        );
        assert!(
            !mail.html.contains("{{") && !mail.html.contains("Ana <b>"),
            "{name}"
        );
        let source = TemplateSource::builtin(*name).body;
        assert_eq!(
            text.contains("https://one.example.com/u/x?ticket=T&a=b"),
            source.contains("url }}\" style"),
            "{name}"
        );
        assert_eq!(name.as_str().parse(), Ok(*name));
    }
    assert_eq!("verify".parse::<TemplateName>(), Err(UnknownTemplate));
    let blocked = rendered(&Template::builtin(TemplateName::BlockedAccount))
        .unwrap()
        .html;
    assert!(
        text_of(&blocked).contains("from the address 192.0.2.1"),
        "{blocked}"
    );
}
