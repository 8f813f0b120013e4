//! Bodies of `/dbconnections/*` and of our own forms: what is read stays within its bounds.

use model::Identifier;
use protocol::{ChangePasswordRequest, NewPasswordForm, SignUpRequest, UsernameRule};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn what_people_send_is_read_within_bounds_or_refused() {
    let seeds: [&[u8]; 6] = [
        br#"{"client_id":"c","connection":"Users","email":"ana@example.com","password":"p","user_metadata":{"plan":"gold"},"username":"ana"}"#,
        br#"{"client_id":"c","connection":"Users","email":"ana@example.com","password":"p","picture":"https://a/b","name":"x","given_name":null}"#,
        br#"{"connection":"Users","email":"ana@example.com"}"#,
        b"client_id=c&connection=Users&email=ana%40example.com&password=a+b&nickname=%C3%A9",
        b"ticket=abc&password=p&confirmation=p",
        br#"{"user_metadata":{"a":"b","a":[1]},"email":{}}"#,
    ];
    fuzz::check(&seeds, |input| {
        for content_type in [JSON, FORM] {
            if let Ok(read) = SignUpRequest::read(Some(content_type), input) {
                assert!(Identifier::of(&read.email).looks_like_email());
                assert!(
                    read.email.chars().count() <= 254 && read.connection.chars().count() <= 128
                );
                assert!((1..=1_024).contains(&read.password.expose().len()));
                assert!(read.fields.user_metadata.len() <= 10);
                for (name, value) in &read.fields.user_metadata {
                    let text = value.as_str().expect("only texts are read");
                    assert!(name.chars().count() <= 100 && text.chars().count() <= 500);
                    assert!(!name.contains('\0') && !text.contains('\0'));
                }
                for (_, text) in &read.fields.texts {
                    assert!(text.chars().count() <= 2_048 && !text.contains('\0'));
                }
                if let Some(name) = read.username.as_deref().map(Identifier::of)
                    && UsernameRule::default().judge(&name).is_ok()
                {
                    assert!((1..=15).contains(&name.as_str().len()) && name.as_str().is_ascii());
                    assert!(!name.looks_like_email());
                }
            }
            if let Ok(read) = ChangePasswordRequest::read(Some(content_type), input) {
                assert!(Identifier::of(&read.email).looks_like_email());
            }
            if let Ok(read) = NewPasswordForm::read(Some(content_type), input) {
                assert!((1..=512).contains(&read.ticket.expose().len()));
                assert!(
                    read.password
                        .is_none_or(|text| text.expose().len() <= 1_024)
                );
            }
        }
    });
}
