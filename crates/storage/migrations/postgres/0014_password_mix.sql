CREATE TABLE password_mix (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    connection_id TEXT COLLATE "C" NOT NULL,
    scheme        TEXT COLLATE "C" NOT NULL,
    shard         BIGINT NOT NULL,
    users         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, scheme, shard)
);
