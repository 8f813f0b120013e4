CREATE TABLE client_grants (
    tenant_id       TEXT NOT NULL,
    client_grant_id TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    audience        TEXT NOT NULL,
    subject_type    TEXT NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, client_grant_id)
) STRICT;
