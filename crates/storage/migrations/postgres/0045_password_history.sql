CREATE TABLE password_history (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL,
    ended_at  BIGINT NOT NULL,
    hash      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, user_id, ended_at, hash)
);
