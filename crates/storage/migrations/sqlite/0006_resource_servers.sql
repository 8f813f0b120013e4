CREATE TABLE resource_servers (
    tenant_id             TEXT NOT NULL,
    resource_server_id    TEXT NOT NULL,
    identifier            TEXT NOT NULL,
    document              TEXT NOT NULL,
    signing_secret_sealed BLOB,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    version               INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, resource_server_id)
) STRICT;
