CREATE TABLE log_marks (
    tenant_id TEXT NOT NULL,
    mark      TEXT NOT NULL,
    log_id    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, mark)
) STRICT, WITHOUT ROWID;
