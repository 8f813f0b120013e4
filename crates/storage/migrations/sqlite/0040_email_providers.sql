CREATE TABLE email_providers (
    tenant_id       TEXT NOT NULL,
    document        TEXT NOT NULL,
    password_sealed BLOB,
    version         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;
