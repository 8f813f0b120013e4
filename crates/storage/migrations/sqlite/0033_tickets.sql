CREATE TABLE tickets (
    tenant_id   TEXT NOT NULL,
    digest      BLOB NOT NULL,
    kind        TEXT NOT NULL,
    user_id     TEXT,
    document    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    consumed_at INTEGER,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;
