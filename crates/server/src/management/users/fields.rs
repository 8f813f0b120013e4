//! What a body of `/api/v2/users` may hold.

use model::MAX_IDENTIFIER_CHARS;

use crate::management::schema::{Field, Kind, field};

pub(super) const FIELDS: &[Field] = &[
    field("connection", Kind::Text(128)),
    field("email", Kind::Text(MAX_IDENTIFIER_CHARS)),
    field("email_verified", Kind::Bool),
    field("username", Kind::Text(128)),
    field("password", Kind::Text(1_024)),
    field("user_id", Kind::Text(255)),
    field("blocked", Kind::Bool),
    field("name", Kind::NullableText(300)),
    field("given_name", Kind::NullableText(150)),
    field("family_name", Kind::NullableText(150)),
    field("nickname", Kind::NullableText(300)),
    field("picture", Kind::NullableText(2_048)),
    field("user_metadata", Kind::AnyObject),
    field("app_metadata", Kind::AnyObject),
    field("verify_email", Kind::Bool),
    field("verify_password", Kind::Inert(&[])),
    field("phone_number", Kind::Inert(&[])),
    field("phone_verified", Kind::Inert(&[])),
    field("client_id", Kind::Text(64)),
];
