CREATE TABLE active_users (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL,
    last_day  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
