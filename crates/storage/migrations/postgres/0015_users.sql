CREATE TABLE users (
    tenant_id           TEXT COLLATE "C" NOT NULL,
    user_id             TEXT COLLATE "C" NOT NULL,
    connection_id       TEXT COLLATE "C" NOT NULL,
    document            TEXT NOT NULL,
    identifiers         TEXT NOT NULL,
    email_key           TEXT COLLATE "C",
    password_hash       TEXT,
    password_scheme     TEXT COLLATE "C",
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    last_login          BIGINT,
    last_ip             TEXT,
    logins_count        BIGINT NOT NULL,
    last_password_reset BIGINT,
    version             BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) WITH (fillfactor = 90);
