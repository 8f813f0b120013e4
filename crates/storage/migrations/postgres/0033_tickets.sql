CREATE TABLE tickets (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    digest      BYTEA NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    user_id     TEXT COLLATE "C",
    document    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    consumed_at BIGINT,
    PRIMARY KEY (tenant_id, digest)
);
