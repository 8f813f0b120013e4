CREATE TABLE breach_tallies (
    tenant_id TEXT COLLATE "C" NOT NULL,
    day       BIGINT NOT NULL,
    stage     TEXT COLLATE "C" NOT NULL,
    shard     BIGINT NOT NULL,
    found     BIGINT NOT NULL,
    refused   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, stage, shard)
);
