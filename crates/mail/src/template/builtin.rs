//! The mails we write where a tenant has written none: plain, short, and saying what to do if it was not you.
//!
//! All have one layout. They use only variables that the server always has.

use super::{Rendered, TemplateName, TemplateSource};

/// Around every body; ours, without images, scripts or anything that is fetched.
const BEFORE: &str = r#"<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ friendly_name }}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;font-family:sans-serif;font-size:16px;line-height:1.5;color:#1f2933">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px">
"#;
const AFTER: &str = r#"
<p style="margin-top:32px;font-size:13px;color:#616e7c">This mail comes from {{ friendly_name }}.{% if support_email %} Questions? Write to {{ support_email }}.{% endif %}{% if support_url %} Help: <a href="{{ support_url }}">{{ support_url }}</a>{% endif %}</p>
</div>
</body>
</html>
"#;
const LINK: &str = r#"<p><a href="{{ url }}" style="display:inline-block;padding:12px 24px;background:#1f4fd8;color:#ffffff;text-decoration:none;border-radius:6px">@</a></p>
<p style="font-size:13px">If the button does not work, open this address: {{ url }}</p>"#;
const CODE: &str =
    r#"<p style="font-size:28px;letter-spacing:4px"><strong>{{ code }}</strong></p>"#;
const GREETING: &str = "<p>Hello{% if user.given_name %} {{ user.given_name }}{% elsif user.name and user.name != user.email %} {{ user.name }}{% endif %},</p>";

impl TemplateSource {
    /// Our own template of this name.
    pub fn builtin(name: TemplateName) -> Self {
        use TemplateName as Name;
        let code = || CODE.to_owned();
        let (subject, heading, before, action, after) = match name {
            Name::VerifyEmail => (
                "Please confirm your email address for {{ friendly_name }}",
                "Confirm your address",
                "you have signed up with {{ user.email }}. Please confirm that this address is yours.",
                link("Confirm my address"),
                "If you did not sign up, you need do nothing: without your confirmation the address counts for nothing.",
            ),
            Name::VerifyEmailByCode => (
                "Your code to confirm your email address for {{ friendly_name }}",
                "Confirm your address",
                "please type this code where you are asked for it, to confirm that {{ user.email }} is yours.",
                code(),
                "If you did not ask for it, you need do nothing. Never tell the code to anybody.",
            ),
            Name::AuthEmailByCode => (
                "Your code to sign in to {{ friendly_name }}",
                "Sign in",
                "please type this code where you are signing in.",
                code(),
                "If you are not signing in right now, you need do nothing. Never tell the code to anybody: we do not ask for it by phone or mail.",
            ),
            Name::ResetEmail | Name::ChangePassword => (
                "Choose a new password for {{ friendly_name }}",
                "Choose a new password",
                "somebody, we hope you, asked for a new password for {{ user.email }}.",
                link("Choose a new password"),
                "If it was not you, you need do nothing: your password stays as it is. The link works once and for a limited time.",
            ),
            Name::ResetEmailByCode => (
                "Your code for a new password for {{ friendly_name }}",
                "Choose a new password",
                "please type this code where you are choosing a new password.",
                code(),
                "If you did not ask for it, you need do nothing: your password stays as it is. Never tell the code to anybody.",
            ),
            Name::PasswordReset => (
                "Your password for {{ friendly_name }} was changed",
                "Your password was changed",
                "the password of {{ user.email }} was changed just now. If that was you, all is well.",
                String::new(),
                "If it was not you, somebody else may have your account: choose a new password at once, and tell us.",
            ),
            Name::WelcomeEmail => (
                "Welcome to {{ friendly_name }}",
                "Welcome",
                "good to have you with us. Your account is ready; you sign in with {{ user.email }}.",
                String::new(),
                "",
            ),
            Name::BlockedAccount => (
                "We stopped attempts to sign in to your account at {{ friendly_name }}",
                "Attempts to sign in were stopped",
                "somebody tried a wrong password for {{ user.email }} many times{% if user.source_ip != '' %}, from the address {{ user.source_ip }}{% endif %}. \
                 Your account is not closed: only attempts from that place are refused for now, and you can sign in from elsewhere as always. \
                 If it was you who mistyped, you can open the way again.",
                link("It was me, let me try again"),
                "If it was not you, do not follow the link; you need do nothing. If you use the same password elsewhere, now is a good time to change it.",
            ),
            Name::StolenCredentials => (
                "Please change your password for {{ friendly_name }}",
                "Your password is no longer safe",
                "the password of {{ user.email }} is in a list of passwords that were stolen somewhere, most likely from another site where it is used too. \
                 Nothing was stolen from us, but whoever has the list can try it here.",
                String::new(),
                "Please choose a new password that you use nowhere else, and change it wherever else you use it. Until then we may refuse it.",
            ),
            Name::EnrollmentEmail => (
                "Set up a second step to sign in to {{ friendly_name }}",
                "Set up a second step",
                "you were asked to protect your account with a second step when you sign in.",
                link("Set it up"),
                "If you did not expect this mail, ask those who run {{ friendly_name }} before you follow the link.",
            ),
            Name::MfaOobCode => (
                "Your code for {{ friendly_name }}",
                "Your code",
                "please type this code to go on signing in.",
                code(),
                "If you are not signing in right now, somebody else knows your password: please change it. Never tell the code to anybody.",
            ),
            Name::UserInvitation => (
                "{% if inviter.name %}{{ inviter.name }} invites you{% else %}You are invited{% endif %} to {{ friendly_name }}",
                "You are invited",
                "{% if inviter.name %}{{ inviter.name }} invites{% else %}somebody invites{% endif %} you to join{% if organization.display_name %} {{ organization.display_name }} at{% elsif organization.name %} {{ organization.name }} at{% endif %} {{ friendly_name }}.",
                link("Accept the invitation"),
                "If you do not know what this is about, you need do nothing.",
            ),
            Name::AsyncApproval => (
                "{{ friendly_name }} asks for your approval",
                "Your approval is asked for",
                "{% if application.name %}{{ application.name }}{% else %}an application{% endif %} asks you to approve a request.",
                link("Look at the request"),
                "If you did not expect it, do not approve it.",
            ),
        };
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("\n<p>{after}</p>")
        };
        Self {
            from: String::new(),
            subject: subject.to_owned(),
            body: format!(
                "{BEFORE}<h1 style=\"font-size:22px\">{heading}</h1>\n{GREETING}\n<p>{before}</p>\n{action}{after}{AFTER}"
            ),
        }
    }
}

/// A mail of ours that no tenant edits: paragraphs of plain text in the layout of all others.
pub fn plain(subject: &str, paragraphs: &[String]) -> Rendered {
    let before = BEFORE.replace("{{ friendly_name }}", &escaped(subject));
    let paragraphs: String = paragraphs
        .iter()
        .map(|text| format!("<p>{}</p>\n", escaped(text)))
        .collect();
    Rendered {
        from: None,
        subject: subject.to_owned(),
        html: format!("{before}{paragraphs}</div>\n</body>\n</html>\n"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn link(label: &str) -> String {
    LINK.replace('@', label)
}
