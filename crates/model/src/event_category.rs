//! The categories by which log streams choose events: every type of event belongs to exactly one.
//!
//! Wire: `LogStreamFilterGroupNameEnum` of the Management API, and the vendor's list of what belongs where. What that list
//! does not name is in `other`. Our own types stand where the vendor's nearest one does.

use serde::{Deserialize, Serialize};

use crate::EventType;

macro_rules! categories {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// A category (`name` of a filter on the wire).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventCategory { $(#[serde(rename = $word)] $name),+ }

        impl EventCategory {
            /// Every category that a filter may name.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Their names, as on the wire.
            pub const NAMES: &[&str] = &[$($word),+];

            /// The name, as on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The category with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

categories! {
    LoginFail = "auth.login.fail",
    LoginNotification = "auth.login.notification",
    LoginSuccess = "auth.login.success",
    LogoutFail = "auth.logout.fail",
    LogoutSuccess = "auth.logout.success",
    SignupFail = "auth.signup.fail",
    SignupSuccess = "auth.signup.success",
    SilentAuthFail = "auth.silent_auth.fail",
    SilentAuthSuccess = "auth.silent_auth.success",
    TokenExchangeFail = "auth.token_exchange.fail",
    TokenExchangeSuccess = "auth.token_exchange.success",
    ManagementFail = "management.fail",
    ManagementSuccess = "management.success",
    Scim = "scim.event",
    SystemNotification = "system.notification",
    UserFail = "user.fail",
    UserNotification = "user.notification",
    UserSuccess = "user.success",
    Actions = "actions",
    Other = "other",
}

impl EventType {
    /// The category of events of this type.
    pub fn category(self) -> EventCategory {
        match self {
            Self::WrongPassword | Self::UnknownUser | Self::LoginFailed => EventCategory::LoginFail,
            Self::Warning => EventCategory::LoginNotification,
            Self::SignupFailed => EventCategory::SignupFail,
            Self::SignupSucceeded => EventCategory::SignupSuccess,
            Self::PasswordExchangeFailed | Self::ClientCredentialsFailed => {
                EventCategory::TokenExchangeFail
            }
            Self::PasswordExchangeSucceeded | Self::ClientCredentialsSucceeded => {
                EventCategory::TokenExchangeSuccess
            }
            Self::ManagementWrite => EventCategory::ManagementSuccess,
            Self::BruteForceBlock
            | Self::SuspiciousIpBlock
            | Self::BlockCreated
            | Self::LogStreamSuspended
            | Self::LogStreamGap => EventCategory::SystemNotification,
            Self::PasswordChangeFailed
            | Self::PasswordChangeRequestFailed
            | Self::EmailVerificationFailed
            | Self::VerificationRequestFailed
            | Self::NotificationFailed => EventCategory::UserFail,
            Self::UserUnblocked | Self::BlockLifted | Self::BlockExpired => {
                EventCategory::UserNotification
            }
            Self::PasswordChanged
            | Self::PasswordChangeRequested
            | Self::EmailVerified
            | Self::VerificationRequested => EventCategory::UserSuccess,
            Self::SameUserLimit
            | Self::BreachedPassword
            | Self::BreachedPasswordAtSignup
            | Self::BreachedPasswordAtChange => EventCategory::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_found_by_their_names() {
        assert_eq!(EventCategory::ALL.len(), EventCategory::NAMES.len());
        for category in EventCategory::ALL {
            assert_eq!(EventCategory::from_name(category.as_str()), Some(*category));
        }
        assert_eq!(EventCategory::from_name("auth.ancillary.fail"), None);
    }

    /// `docs/operate/log-streams.md` lists the types of each category.
    #[test]
    fn the_page_says_what_belongs_where() {
        let page = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/operate/log-streams.md"
        );
        let page = std::fs::read_to_string(page).unwrap();
        for category in EventCategory::ALL {
            let types: Vec<String> = EventType::ALL
                .iter()
                .filter(|event_type| event_type.category() == *category)
                .map(|event_type| format!("`{}`", event_type.code()))
                .collect();
            let types = if types.is_empty() {
                "none yet".to_owned()
            } else {
                types.join(", ")
            };
            let row = format!("| `{}` | {types} |", category.as_str());
            assert!(
                page.lines().any(|line| line == row),
                "the page needs:\n{row}"
            );
        }
    }
}
