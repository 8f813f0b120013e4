//! One connection to PostgreSQL: its client, its prepared statements, and whether the server has warned.
//!
//! The connection is polled by a task of its own, because a warning that replication was not confirmed comes as a
//! notice, which the ordinary way of driving a connection would only log.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tls::Encryption;
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls, Socket};

/// An open connection.
pub(crate) struct Link {
    pub(super) client: Client,
    pub(super) statements: Statements,
    pub(super) warned: Arc<AtomicBool>,
}

/// How statements are sent.
pub(super) enum Statements {
    /// Behind a pooler the next transaction may run on another server connection, which knows none of our names.
    Unnamed,
    Prepared(HashMap<String, tokio_postgres::Statement>),
}

/// Makes connections for the pool.
pub(crate) struct Links {
    config: tokio_postgres::Config,
    encryption: Encryption,
    pooler: bool,
}

impl Links {
    pub(super) fn new(
        config: tokio_postgres::Config,
        encryption: Encryption,
        pooler: bool,
    ) -> Self {
        Self {
            config,
            encryption,
            pooler,
        }
    }
}

impl Manager for Links {
    type Type = Link;
    type Error = Error;

    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with its connection, which the pool owns; nothing waits for it at shutdown"
    )]
    async fn create(&self) -> Result<Link, Error> {
        let warned = Arc::new(AtomicBool::new(false));
        let client = match &self.encryption {
            Encryption::Plain => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(poll(connection, Arc::clone(&warned)));
                client
            }
            Encryption::Verified(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(poll(connection, Arc::clone(&warned)));
                client
            }
        };
        let statements = if self.pooler {
            Statements::Unnamed
        } else {
            Statements::Prepared(HashMap::new())
        };
        Ok(Link {
            client,
            statements,
            warned,
        })
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Error> {
        if link.client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

/// Notices are delivered before the answer they belong to, so whoever has the answer sees the mark.
async fn poll<S>(mut connection: Connection<Socket, S>, warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            tracing::warn!(
                code = notice.code().code(),
                "PostgreSQL warns: {}",
                notice.message()
            );
            warned.store(true, Ordering::Release);
        }
    }
}
