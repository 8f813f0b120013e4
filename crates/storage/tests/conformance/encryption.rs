//! The way to PostgreSQL under TLS: encrypted and verified, or not opened at all.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use storage::{Database, OpenError, Store, StoreSettings};
use temporary_postgres::TemporaryPostgres;

/// A root of our own, as a file, with the means to sign.
struct Root {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

fn root(directory: &Path, name: &str) -> Root {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let file = directory.join(format!("{name}.pem"));
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    Root {
        issuer: Issuer::new(params, key),
        file,
    }
}

/// Has the server answer with TLS, under this name.
fn encrypt(server: &TemporaryPostgres, url: &str, root: &Root, name: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &root.issuer).unwrap();
    for (file, pem) in [
        ("server.crt", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        // The server itself writes them, so that they are its own; the dollar keeps COPY from escaping line ends.
        let line = pem.replace('\n', "$");
        let program = format!("umask 077; tr -d \"\\n\" | tr \"$\" \"\\n\" > {file}");
        server.sql(
            url,
            &format!("COPY (SELECT '{line}') TO PROGRAM '{program}'"),
        );
    }
    server.sql(url, "ALTER SYSTEM SET ssl = on");
    // The server reads its settings in its own time; what a new session finds, every later one finds.
    let mark = server.sql(url, "SELECT 2000 + floor(random() * 1e6)");
    server.sql(url, &format!("ALTER SYSTEM SET deadlock_timeout = {mark}"));
    server.sql(url, "SELECT pg_reload_conf()");
    let shown = "SELECT setting FROM pg_settings WHERE name = 'deadlock_timeout'";
    while server.sql(url, shown) != mark {}
}

async fn open(url: &str) -> Result<Store, OpenError> {
    Store::open(&StoreSettings {
        database: Database::Postgres {
            url: url.to_owned(),
            pooler: false,
            max_connections: 2,
        },
    })
    .await
}

fn refused(outcome: Result<Store, OpenError>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn a_way_that_is_asked_to_be_encrypted_is_verified_or_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, strange) = (
        root(directory.path(), "ours"),
        root(directory.path(), "strange"),
    );
    let server = TemporaryPostgres::start().unwrap();
    let url = server.create_database();
    let with = |root: &Root| {
        format!(
            "{url}?sslmode=verify-full&sslrootcert={}",
            root.file.display()
        )
    };

    // A server without TLS is never spoken to in the clear instead.
    refused(open(&with(&ours)).await);

    encrypt(&server, &url, &ours, "127.0.0.1");
    let store = open(&with(&ours)).await.unwrap();
    store.migrate().await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'portcullis'";
    assert_ne!(server.sql(&url, encrypted).trim(), "0");
    drop(store);

    let told = refused(open(&with(&strange)).await);
    assert!(
        !told.contains("portcullis@"),
        "the URL is not quoted: {told}"
    );
    // Without a word for it, as before.
    open(&url).await.unwrap();

    encrypt(&server, &url, &ours, "db.example.com");
    refused(open(&with(&ours)).await);
}
