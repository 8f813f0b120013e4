CREATE TABLE resource_servers (
    tenant_id             TEXT COLLATE "C" NOT NULL,
    resource_server_id    TEXT COLLATE "C" NOT NULL,
    identifier            TEXT COLLATE "C" NOT NULL,
    document              TEXT NOT NULL,
    signing_secret_sealed BYTEA,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    version               BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource_server_id)
);
