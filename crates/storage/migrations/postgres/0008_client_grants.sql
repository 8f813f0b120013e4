CREATE TABLE client_grants (
    tenant_id       TEXT COLLATE "C" NOT NULL,
    client_grant_id TEXT COLLATE "C" NOT NULL,
    client_id       TEXT COLLATE "C" NOT NULL,
    audience        TEXT COLLATE "C" NOT NULL,
    subject_type    TEXT COLLATE "C" NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, client_grant_id)
);
