CREATE TABLE password_history (
    tenant_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    ended_at  INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, ended_at, hash)
) STRICT, WITHOUT ROWID;
