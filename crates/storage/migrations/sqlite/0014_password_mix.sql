CREATE TABLE password_mix (
    tenant_id     TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    scheme        TEXT NOT NULL,
    shard         INTEGER NOT NULL,
    users         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, scheme, shard)
) STRICT, WITHOUT ROWID;
