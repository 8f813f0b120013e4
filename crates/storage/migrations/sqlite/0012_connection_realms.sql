CREATE TABLE connection_realms (
    tenant_id     TEXT NOT NULL,
    realm         TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, realm, connection_id)
) STRICT, WITHOUT ROWID;
