CREATE TABLE breach_tallies (
    tenant_id TEXT NOT NULL,
    day       INTEGER NOT NULL,
    stage     TEXT NOT NULL,
    shard     INTEGER NOT NULL,
    found     INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, stage, shard)
) STRICT, WITHOUT ROWID;
