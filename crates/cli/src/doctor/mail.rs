//! Whether mail can leave: through the operator's server, or each tenant's own provider. Connects to nobody.

use model::Tenant;
use server::courier::DefaultWay;
use storage::Store;

use super::deployment::{named, unreadable};
use super::finding::Outcome;
use crate::mailing;
use crate::settings::Settings;

/// Which tenants can send.
pub(super) async fn mail(
    settings: &Settings,
    for_development: bool,
    store: Option<&Store>,
    tenants: &[Tenant],
) -> Outcome {
    match mailing::settings(settings, for_development).map(|mail| mail.default_way) {
        Err(error) => Outcome::fail(
            error.to_string(),
            "the server does not start",
            "Mend the key; docs/operate/mail.md says what belongs together",
        ),
        Ok(DefaultWay::Outbox(_)) => {
            Outcome::ok("mails of tenants without a provider stay in /outbox, for development")
        }
        Ok(DefaultWay::Smtp { from, .. }) => {
            let host = settings.mail.smtp_host.as_deref().unwrap_or_default();
            let port = settings.mail.smtp_port;
            Outcome::ok(format!("over {host}:{port}, from {from}"))
        }
        Ok(DefaultWay::None) => of_tenants(store, tenants).await,
    }
}

async fn of_tenants(store: Option<&Store>, tenants: &[Tenant]) -> Outcome {
    let mut without = Vec::new();
    for tenant in tenants {
        let Some(store) = store else { break };
        match store.tenant(&tenant.id).find_email_provider().await {
            Ok(Some(record)) if record.provider.enabled => {}
            Ok(_) => without.push(&*tenant.domain),
            Err(error) => return unreadable(&error),
        }
    }
    let problem = match (tenants.is_empty(), without.is_empty()) {
        (false, true) => return Outcome::ok("each tenant has its own provider"),
        (true, _) => "no mail can be sent: there is no mail.smtp_host".to_owned(),
        (false, false) => format!(
            "no mail can be sent for {}: no enabled e-mail provider, and no mail.smtp_host",
            named(without)
        ),
    };
    Outcome::warn(
        problem,
        "links to end a block or to set a new password reach nobody; mails wait for a day, then they are given up with the event fn",
        "Set mail.smtp_host and mail.from, or give the tenant a provider (docs/operate/mail.md)",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::says;
    use super::*;

    async fn told(change: impl Fn(&mut Settings), for_development: bool) -> Outcome {
        let mut settings = Settings::default();
        change(&mut settings);
        mail(&settings, for_development, None, &[]).await
    }

    #[tokio::test]
    async fn a_server_that_cannot_send_is_told_what_that_means() {
        says(&told(|_| {}, false).await, "warn", "no mail can be sent");
        says(&told(|_| {}, true).await, "ok", "/outbox");
        let named = |settings: &mut Settings| {
            settings.mail.smtp_host = Some("mail.example.com".to_owned());
            settings.mail.from = Some("Login <no-reply@example.com>".to_owned());
        };
        says(&told(named, true).await, "ok", "over mail.example.com:587");
        for (spoil, place) in [
            (
                (|settings| settings.mail.from = None) as fn(&mut Settings),
                "mail.from",
            ),
            (
                |settings| settings.mail.from = Some("nobody".to_owned()),
                "mail.from",
            ),
            (
                |settings| settings.mail.smtp_user = Some("shop".to_owned()),
                "mail.smtp_pass",
            ),
            (
                |settings| settings.mail.smtp_pass = Some("hunter2".to_owned()),
                "mail.smtp_user",
            ),
            (
                |settings| settings.mail.smtp_host = Some("mail example".to_owned()),
                "mail.smtp_host",
            ),
            (
                |settings| settings.mail.ca_file = Some("/nowhere.pem".into()),
                "mail.ca_file",
            ),
            (
                |settings| settings.mail.ca_file = Some("Cargo.toml".into()),
                "mail.ca_file",
            ),
        ] {
            let spoilt = |settings: &mut Settings| {
                named(settings);
                spoil(settings);
            };
            says(&told(spoilt, false).await, "fail", place);
        }
    }
}
