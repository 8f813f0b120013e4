CREATE TABLE jobs (
    tenant_id  TEXT NOT NULL,
    job_id     TEXT NOT NULL,
    document   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
) STRICT, WITHOUT ROWID;
