CREATE TABLE log_marks (
    tenant_id TEXT COLLATE "C" NOT NULL,
    mark      TEXT COLLATE "C" NOT NULL,
    log_id    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, mark)
);
