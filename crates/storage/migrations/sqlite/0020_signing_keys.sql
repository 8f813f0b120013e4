CREATE TABLE signing_keys (
    tenant_id       TEXT NOT NULL,
    kid             TEXT NOT NULL,
    private_sealed  BLOB NOT NULL,
    certificate_der BLOB NOT NULL,
    state           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kid)
) STRICT;
