CREATE TABLE breach_digests (
    tenant_id TEXT COLLATE "C" NOT NULL,
    frequency TEXT COLLATE "C" NOT NULL,
    until_day BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, frequency)
);
