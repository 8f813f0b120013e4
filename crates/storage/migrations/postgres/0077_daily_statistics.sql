CREATE TABLE daily_statistics (
    tenant_id         TEXT COLLATE "C" NOT NULL,
    day               BIGINT NOT NULL,
    logins            BIGINT NOT NULL,
    signups           BIGINT NOT NULL,
    last_active_users BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
