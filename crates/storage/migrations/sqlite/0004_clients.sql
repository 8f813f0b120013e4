CREATE TABLE clients (
    tenant_id     TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    document      TEXT NOT NULL,
    secret_digest BLOB NOT NULL,
    secret_sealed BLOB NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
) STRICT;
