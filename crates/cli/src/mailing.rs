//! How mails leave this process: from the settings' `[mail]` to what the server is told.

use std::path::Path;
use std::time::Duration;

use mail::{Credentials, Mailbox, Outbox, Roots, Security, Smtp, SmtpSettings};
use server::MailSettings;
use server::courier::DefaultWay;

use crate::Failure;
use crate::settings::Settings;

/// Reads the certificates and tries the operator's server for whether it could be used at all; connects to nobody.
/// Where there is no such server and this is for development, mails stay in an outbox.
pub(crate) fn settings(
    settings: &Settings,
    for_development: bool,
) -> Result<MailSettings, Failure> {
    let roots = match &settings.mail.ca_file {
        None => Roots::System,
        Some(file) => Roots::Pem(read(file)?),
    };
    let default_way = match operators_server(settings, &roots)? {
        Some(way) => way,
        None if for_development => DefaultWay::Outbox(Outbox::default()),
        None => DefaultWay::None,
    };
    Ok(MailSettings { roots, default_way })
}

fn operators_server(settings: &Settings, roots: &Roots) -> Result<Option<DefaultWay>, Failure> {
    let mail = &settings.mail;
    let Some(host) = &mail.smtp_host else {
        return Ok(None);
    };
    let missing = |key: &str| Failure::new(format!("mail.{key} is needed beside mail.smtp_host"));
    let from = mail.from.clone().ok_or_else(|| missing("from"))?;
    from.parse::<Mailbox>()
        .map_err(|error| Failure::new(format!("mail.from: {error}")))?;
    let credentials = match (&mail.smtp_user, &mail.smtp_pass) {
        (Some(user), Some(password)) => Some(Credentials {
            user: user.clone(),
            password: password.clone(),
        }),
        (None, None) => None,
        (Some(_), None) => return Err(missing("smtp_pass")),
        (None, Some(_)) => return Err(missing("smtp_user")),
    };
    let hello = settings.domain("localhost")?;
    let hello = hello
        .split(':')
        .next()
        .filter(|host| !host.starts_with('['));
    let smtp = Smtp::new(SmtpSettings {
        host: host.clone(),
        port: mail.smtp_port,
        security: Security::suitable(host, mail.smtp_port, roots.clone()),
        credentials,
        hello: hello.unwrap_or("localhost").to_owned(),
        timeout: Duration::from_secs(60),
    });
    match smtp {
        Ok(smtp) => Ok(Some(DefaultWay::Smtp { smtp, from })),
        Err(error) => Err(Failure::new(format!("mail.{error}"))),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |why: String| Failure::new(format!("mail.ca_file {}: {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    let security = Security::Tls(Roots::Pem(pem.clone()));
    // Tried with any name: a file without a certificate must not be found out by the first mail.
    let tried = Smtp::new(SmtpSettings {
        host: "localhost".to_owned(),
        port: 465,
        security,
        credentials: None,
        hello: "localhost".to_owned(),
        timeout: Duration::from_secs(1),
    });
    tried
        .map(|_| pem)
        .map_err(|error| refused(error.to_string()))
}
