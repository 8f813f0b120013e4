CREATE TABLE email_templates (
    tenant_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    document  TEXT NOT NULL,
    version   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT, WITHOUT ROWID;
