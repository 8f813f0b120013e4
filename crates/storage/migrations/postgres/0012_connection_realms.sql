CREATE TABLE connection_realms (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    realm         TEXT COLLATE "C" NOT NULL,
    connection_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, realm, connection_id)
);
