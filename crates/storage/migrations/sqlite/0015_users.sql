CREATE TABLE users (
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    connection_id       TEXT NOT NULL,
    document            TEXT NOT NULL,
    identifiers         TEXT NOT NULL,
    email_key           TEXT,
    password_hash       TEXT,
    password_scheme     TEXT,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    last_login          INTEGER,
    last_ip             TEXT,
    logins_count        INTEGER NOT NULL,
    last_password_reset INTEGER,
    version             INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT;
