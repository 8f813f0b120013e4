CREATE TABLE identifiers (
    tenant_id     TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    identifier    TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, identifier)
) STRICT, WITHOUT ROWID;
