CREATE TABLE email_providers (
    tenant_id       TEXT COLLATE "C" NOT NULL,
    document        TEXT NOT NULL,
    password_sealed BYTEA,
    version         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);
