//! Sending over SMTP: one connection a mail, step by step, so that each refusal is known by its step.
//!
//! RFC 5321, RFC 3207 (STARTTLS), RFC 8314 (implicit TLS), RFC 4954 (AUTH). TLS that was asked for is never left out,
//! and a password never goes over a connection without it, but for this machine's own.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as WireCredentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;

use crate::send_error::bounded;
use crate::{Message, SendError};

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Name or address; its certificate must be for this name.
    pub host: String,
    /// Usually 587 with STARTTLS, 465 with TLS.
    pub port: u16,
    pub security: Security,
    pub credentials: Option<Credentials>,
    /// How we name ourselves (EHLO): a host name.
    pub hello: String,
    /// For everything from the connection to the server's last answer; RFC 5321 §4.5.3.2 is patient, a queue need not be.
    pub timeout: Duration,
}

/// What protects the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing; for a relay on this machine or a network of one's own.
    None,
    /// TLS after the greeting if the server offers it; for a relay on this machine. Its certificate counts only where
    /// somebody was named to vouch for it: whoever could change what goes over this machine's own network owns it.
    IfOffered(Roots),
    /// TLS after the greeting; without it nothing is sent.
    StartTls(Roots),
    /// TLS from the first byte on.
    Tls(Roots),
}

impl Security {
    /// What suits a server of which only name and port are known: TLS on the ports for it, and elsewhere STARTTLS, which
    /// is left out only to this machine itself.
    pub fn suitable(host: &str, port: u16, roots: Roots) -> Self {
        match port {
            465 | 2465 => Self::Tls(roots),
            _ if is_this_machine(host) => Self::IfOffered(roots),
            _ => Self::StartTls(roots),
        }
    }
}

/// Who may vouch for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Whom this machine trusts.
    System,
    /// Only these certificates, in PEM.
    Pem(Vec<u8>),
}

/// Who we are to the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    #[error("smtp_host: is no host name or address")]
    Host,
    #[error("hello: is no host name")]
    Hello,
    #[error("smtp_user or smtp_pass: has a control character or is empty")]
    Credentials,
    #[error("smtp_pass: would go over the network in clear; use TLS or STARTTLS")]
    PasswordInClear,
    #[error("smtp_host: is not this machine, so TLS cannot be optional")]
    NotThisMachine,
    #[error("the certificates that vouch for the server cannot be read: {0}")]
    Certificates(String),
}

/// A server that takes mail, ready to be used.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<WireCredentials>,
    hello: ClientId,
    timeout: Duration,
}

#[derive(Clone)]
enum Tls {
    None,
    AfterIfOffered(TlsParameters),
    After(TlsParameters),
    FromTheStart(TlsParameters),
}

impl Smtp {
    /// Checks the settings and reads the certificates; connects to nobody.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let SmtpSettings {
            host,
            port,
            security,
            credentials,
            hello,
            timeout,
        } = settings;
        let is_host = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
            (1..=253).contains(&name.len()) && name.bytes().all(plain)
        };
        if !is_host(&host) {
            return Err(SmtpSettingsError::Host);
        }
        if !is_host(&hello) {
            return Err(SmtpSettingsError::Hello);
        }
        if matches!(security, Security::IfOffered(_)) && !is_this_machine(&host) {
            return Err(SmtpSettingsError::NotThisMachine);
        }
        if let Some(credentials) = &credentials {
            let usable = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
            if !usable(&credentials.user) || !usable(&credentials.password) {
                return Err(SmtpSettingsError::Credentials);
            }
            if security == Security::None && !is_this_machine(&host) {
                return Err(SmtpSettingsError::PasswordInClear);
            }
        }
        let tls = match security {
            Security::None => Tls::None,
            Security::IfOffered(roots) => {
                Tls::AfterIfOffered(parameters(&host, &roots, roots == Roots::System)?)
            }
            Security::StartTls(roots) => Tls::After(parameters(&host, &roots, false)?),
            Security::Tls(roots) => Tls::FromTheStart(parameters(&host, &roots, false)?),
        };
        Ok(Self {
            host,
            port,
            tls,
            credentials: credentials
                .map(|credentials| WireCredentials::new(credentials.user, credentials.password)),
            hello: ClientId::Domain(hello),
            timeout,
        })
    }

    /// Sends one message.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let wire = message
            .wire()
            .map_err(|error| SendError::Permanent(bounded(&error.to_string())))?;
        let mut connection = tokio::time::timeout(self.timeout, async {
            let mut connection = self.connect().await?;
            let sent = connection.send(wire.envelope(), &wire.formatted()).await;
            sent.map_err(|error| of_transaction(&error))?;
            Ok(connection)
        })
        .await
        .unwrap_or_else(|_| {
            Err(SendError::Transient(
                "the server did not answer in time".to_owned(),
            ))
        })?;
        // The server has the mail; how it says goodbye changes nothing.
        let _ = tokio::time::timeout(Duration::from_secs(5), connection.quit()).await;
        Ok(())
    }

    /// Up to the point where the message may be named. What is refused here says nothing about the message.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let at_once = match &self.tls {
            Tls::FromTheStart(parameters) => Some(parameters.clone()),
            Tls::None | Tls::After(_) | Tls::AfterIfOffered(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeout),
            &self.hello,
            at_once,
            None,
        )
        .await
        .map_err(|error| before("connecting", &error))?;
        let after = match &self.tls {
            Tls::After(parameters) => Some(parameters),
            Tls::AfterIfOffered(parameters) => {
                Some(parameters).filter(|_| connection.can_starttls())
            }
            Tls::None | Tls::FromTheStart(_) => None,
        };
        if let Some(parameters) = after {
            let upgraded = connection.starttls(parameters.clone(), &self.hello).await;
            upgraded.map_err(|error| before("STARTTLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let entered = connection.auth(&mechanisms, credentials).await;
            entered.map_err(|error| of_authentication(&error))?;
        }
        Ok(connection)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn parameters(
    host: &str,
    roots: &Roots,
    whoever: bool,
) -> Result<TlsParameters, SmtpSettingsError> {
    let refused = |error: Error| SmtpSettingsError::Certificates(bounded(&error.to_string()));
    let builder = TlsParameters::builder(host.to_owned()).dangerous_accept_invalid_certs(whoever);
    let builder = match roots {
        Roots::System => builder,
        Roots::Pem(pem) => {
            if !pem
                .windows(27)
                .any(|window| window == b"-----BEGIN CERTIFICATE-----")
            {
                return Err(SmtpSettingsError::Certificates(
                    "there is no certificate in PEM".to_owned(),
                ));
            }
            let certificate = Certificate::from_pem(pem).map_err(refused)?;
            builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(certificate)
        }
    };
    builder.build_rustls().map_err(refused)
}

fn before(step: &str, error: &Error) -> SendError {
    SendError::Transient(bounded(&format!("{step}: {error}")))
}

/// A server may repeat what it was sent, so only its code is told.
fn of_authentication(error: &Error) -> SendError {
    let reason = match error.status() {
        Some(code) => format!("the server refused our credentials ({code})"),
        None if error.is_client() => {
            "the server offers no way to authenticate that we know".to_owned()
        }
        None => "the connection broke".to_owned(),
    };
    SendError::Transient(format!("AUTH: {reason}"))
}

/// From MAIL on an answer is about this message, unless it asks for credentials (RFC 4954 §6).
fn of_transaction(error: &Error) -> SendError {
    let text = bounded(&error.to_string());
    let code = error.status().map(u16::from);
    let about_us = matches!(code, Some(530 | 534 | 535 | 538));
    // The client itself refuses only what this server can never take, such as an address beyond ASCII.
    if (error.is_permanent() && !about_us) || error.is_client() {
        SendError::Permanent(text)
    } else {
        SendError::Transient(text)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SmtpSettings {
        SmtpSettings {
            host: "mail.example.com".to_owned(),
            port: 587,
            security: Security::StartTls(Roots::System),
            credentials: Some(Credentials {
                user: "shop".to_owned(),
                password: "hunter2".to_owned(),
            }),
            hello: "one.example.com".to_owned(),
            timeout: Duration::from_secs(30),
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        type Spoil = fn(&mut SmtpSettings);
        let cases: [(Spoil, SmtpSettingsError); 6] = [
            (
                |settings| settings.host = "mail example".to_owned(),
                SmtpSettingsError::Host,
            ),
            (
                |settings| settings.host = String::new(),
                SmtpSettingsError::Host,
            ),
            (
                |settings| settings.hello = "one\r\nQUIT".to_owned(),
                SmtpSettingsError::Hello,
            ),
            (
                |settings| {
                    settings.credentials = Some(Credentials {
                        user: "a\n".to_owned(),
                        password: "b".to_owned(),
                    })
                },
                SmtpSettingsError::Credentials,
            ),
            (
                |settings| settings.security = Security::None,
                SmtpSettingsError::PasswordInClear,
            ),
            (
                |settings| settings.security = Security::Tls(Roots::Pem(b"no".to_vec())),
                SmtpSettingsError::Certificates("there is no certificate in PEM".to_owned()),
            ),
        ];
        for (spoil, error) in cases {
            let mut spoilt = settings();
            spoil(&mut spoilt);
            assert_eq!(Smtp::new(spoilt).unwrap_err(), error);
        }
    }

    #[test]
    fn a_password_goes_in_clear_only_within_this_machine() {
        for host in ["localhost", "127.0.0.1", "::1"] {
            let settings = SmtpSettings {
                host: host.to_owned(),
                security: Security::None,
                ..settings()
            };
            assert!(Smtp::new(settings).is_ok(), "{host}");
        }
    }

    #[test]
    fn what_suits_a_server_is_known_by_its_name_and_port() {
        let roots = || Roots::System;
        for (host, port, security) in [
            ("mail.example.com", 587, Security::StartTls(roots())),
            ("mail.example.com", 25, Security::StartTls(roots())),
            ("mail.example.com", 465, Security::Tls(roots())),
            ("mail.example.com", 2465, Security::Tls(roots())),
            ("localhost", 25, Security::IfOffered(roots())),
            ("127.0.0.1", 1025, Security::IfOffered(roots())),
            ("::1", 587, Security::IfOffered(roots())),
            ("localhost", 465, Security::Tls(roots())),
            ("10.0.0.1", 25, Security::StartTls(roots())),
            ("localhost.example.com", 25, Security::StartTls(roots())),
        ] {
            assert_eq!(
                Security::suitable(host, port, roots()),
                security,
                "{host}:{port}"
            );
        }
        let elsewhere = SmtpSettings {
            security: Security::IfOffered(Roots::System),
            credentials: None,
            ..settings()
        };
        assert_eq!(
            Smtp::new(elsewhere).unwrap_err(),
            SmtpSettingsError::NotThisMachine
        );
    }

    #[test]
    fn debug_does_not_tell_the_password() {
        let printed = format!("{:?} {:?}", settings(), Smtp::new(settings()).unwrap());
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
