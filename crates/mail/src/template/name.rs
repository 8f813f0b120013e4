//! The documented names of mail templates, and what each mail is.
//!
//! Wire: auth0-wire-facts §7.1. All of them can be stored and rendered; which of them the server sends is its own matter.

use std::fmt;
use std::str::FromStr;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $wire:literal),+ $(,)?) => {
        /// What a mail is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum TemplateName { $($(#[$doc])* $name),+ }

        impl TemplateName {
            /// Every name there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name as on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $wire),+ }
            }
        }

        impl FromStr for TemplateName {
            type Err = UnknownTemplate;

            fn from_str(text: &str) -> Result<Self, UnknownTemplate> {
                match text { $($wire => Ok(Self::$name),)+ _ => Err(UnknownTemplate) }
            }
        }
    };
}

names! {
    /// Asks to follow a link, to show that an address is one's own.
    VerifyEmail = "verify_email",
    /// The same with a code.
    VerifyEmailByCode = "verify_email_by_code",
    /// A code to sign in with.
    AuthEmailByCode = "auth_email_by_code",
    /// A link to a new password.
    ResetEmail = "reset_email",
    /// The same with a code.
    ResetEmailByCode = "reset_email_by_code",
    WelcomeEmail = "welcome_email",
    /// Logins from one source were stopped; a link lifts that.
    BlockedAccount = "blocked_account",
    /// The password stands in a list of leaked ones.
    StolenCredentials = "stolen_credentials",
    /// An invitation to enrol a second factor.
    EnrollmentEmail = "enrollment_email",
    /// A code as the second factor.
    MfaOobCode = "mfa_oob_code",
    UserInvitation = "user_invitation",
    /// A request waits for approval.
    AsyncApproval = "async_approval",
    /// A link that confirms a new password (older flow).
    ChangePassword = "change_password",
    /// The password was changed (older flow).
    PasswordReset = "password_reset",
}

/// There is no template of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no mail template of this name")]
pub struct UnknownTemplate;

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
