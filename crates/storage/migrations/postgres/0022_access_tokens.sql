CREATE TABLE access_tokens (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    digest     BYTEA NOT NULL,
    user_id    TEXT COLLATE "C",
    client_id  TEXT COLLATE "C" NOT NULL,
    scope      TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
