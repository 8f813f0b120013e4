CREATE TABLE active_users (
    tenant_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    last_day  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;
