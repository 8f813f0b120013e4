CREATE TABLE signing_keys (
    tenant_id       TEXT COLLATE "C" NOT NULL,
    kid             TEXT COLLATE "C" NOT NULL,
    private_sealed  BYTEA NOT NULL,
    certificate_der BYTEA NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kid)
);
