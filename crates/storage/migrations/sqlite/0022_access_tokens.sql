CREATE TABLE access_tokens (
    tenant_id  TEXT NOT NULL,
    digest     BLOB NOT NULL,
    user_id    TEXT,
    client_id  TEXT NOT NULL,
    scope      TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;
