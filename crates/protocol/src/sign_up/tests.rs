use serde_json::json;

use super::*;

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn sign_up(change: &str, value: Value) -> Result<SignUpRequest, Reason> {
    let mut body = json!({
        "client_id": "c", "connection": "Users", "email": "Ana@example.com", "password": "hunter2",
        "username": null, "user_metadata": {"plan": "gold"}, "name": "Ana", "realm": "ignored",
    });
    body[change] = value;
    SignUpRequest::read(JSON, body.to_string().as_bytes())
}

#[test]
fn a_sign_up_is_read_from_json_and_from_a_form() {
    let read = sign_up("nickname", json!("an")).unwrap();
    assert_eq!(
        (read.email.as_str(), read.username),
        ("Ana@example.com", None)
    );
    assert_eq!(read.password.expose(), "hunter2");
    let texts = [("name", "Ana".to_owned()), ("nickname", "an".to_owned())];
    assert_eq!(read.fields.texts, texts);
    assert_eq!(read.fields.user_metadata["plan"], "gold");

    let form = b"client_id=c&connection=Users&email=ana%40example.com&password=a+b&username=ana";
    let read = SignUpRequest::read(FORM, form).unwrap();
    assert_eq!(read.password.expose(), "a b");
    assert_eq!(read.username.as_deref(), Some("ana"));
}

#[test]
fn what_no_directory_takes_is_named() {
    let eleven: Map<String, Value> = (0..11).map(|n| (n.to_string(), json!("x"))).collect();
    for (name, value, told) in [
        ("email", json!(null), "Missing required parameter: email"),
        (
            "password",
            json!(""),
            "Missing required parameter: password",
        ),
        (
            "connection",
            json!(null),
            "Missing required parameter: connection",
        ),
        (
            "client_id",
            json!(null),
            "Missing required parameter: client_id",
        ),
        ("email", json!("ana"), "email must be one e-mail address"),
        (
            "email",
            json!("a b@example.com"),
            "email must be one e-mail address",
        ),
        ("email", json!("x".repeat(255)), "email must have at most"),
        (
            "password",
            json!("x".repeat(1_025)),
            "password must have at most 1024 bytes",
        ),
        ("password", json!(7), "password must be a string"),
        (
            "username",
            json!("x".repeat(129)),
            "username must have at most 128",
        ),
        (
            "user_metadata",
            json!("{}"),
            "user_metadata must be an object",
        ),
        (
            "user_metadata",
            json!([1]),
            "user_metadata must be an object",
        ),
        ("user_metadata", json!(eleven), "at most 10 members"),
        ("user_metadata", json!({"a": 1}), "must hold only strings"),
        (
            "user_metadata",
            json!({"a": "x".repeat(501)}),
            "must hold only strings",
        ),
        (
            "user_metadata",
            json!({"a": "\0"}),
            "must hold only strings",
        ),
        (
            "picture",
            json!("javascript:alert(1)"),
            "picture must be a URL",
        ),
        (
            "phone_number",
            json!("+4912345"),
            "phone_number is not supported",
        ),
    ] {
        let reason = sign_up(name, value).unwrap_err();
        assert_eq!(reason.code(), crate::ErrorCode::InvalidRequest);
        let text = reason.description();
        assert!(text.contains(told), "{text}");
    }
    let form = b"client_id=c&connection=Users&email=ana%40example.com&password=a&user_metadata=x";
    assert!(SignUpRequest::read(FORM, form).is_err());
}

#[test]
fn a_change_needs_an_address_and_a_directory() {
    let read = |body: Value| ChangePasswordRequest::read(JSON, body.to_string().as_bytes());
    let asked = read(json!({"email": "ana@example.com", "connection": "Users"})).unwrap();
    assert_eq!(
        (asked.client_id, asked.connection.as_str()),
        (None, "Users")
    );
    for body in [
        json!({"email": "ana@example.com"}),
        json!({"connection": "Users"}),
        json!({"connection": "Users", "email": "ana"}),
        json!({"connection": "Users", "email": "ana@example.com", "organization": "o"}),
    ] {
        assert!(read(body.clone()).is_err(), "{body}");
    }
}

#[test]
fn nothing_of_a_form_is_shown() {
    let form = NewPasswordForm::read(FORM, b"ticket=TICKET&password=hunter2").unwrap();
    let shown = format!("{form:?}");
    assert!(
        !shown.contains("TICKET") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(NewPasswordForm::read(FORM, b"password=hunter2").is_err());
}

#[test]
fn user_names_have_their_characters_and_their_length() {
    let judged = |name: &str| UsernameRule::default().judge(&Identifier::of(name));
    for name in ["ana", "ANA.lopez-7", "a", "x'^`~!#$+_@"] {
        assert_eq!(judged(name), Ok(()), "{name}");
    }
    for (name, unfit) in [
        ("", UsernameUnfit::Length(1, 15)),
        ("abcdefghijklmnop", UsernameUnfit::Length(1, 15)),
        ("ana lopez", UsernameUnfit::Characters),
        ("añа", UsernameUnfit::Characters),
        ("ana@example.com", UsernameUnfit::Address),
    ] {
        assert_eq!(judged(name), Err(unfit), "{name}");
    }
    let longer = UsernameRule { min: 5, max: 128 };
    assert_eq!(longer.judge(&Identifier::of("abcdefghijklmnop")), Ok(()));
    assert_eq!(
        longer.judge(&Identifier::of("abcd")),
        Err(UsernameUnfit::Length(5, 128))
    );
}
