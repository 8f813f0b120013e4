CREATE TABLE breach_digests (
    tenant_id TEXT NOT NULL,
    frequency TEXT NOT NULL,
    until_day INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, frequency)
) STRICT, WITHOUT ROWID;
