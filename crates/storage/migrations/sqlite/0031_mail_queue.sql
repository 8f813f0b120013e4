CREATE TABLE mail_queue (
    tenant_id   TEXT NOT NULL,
    mail_id     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    next_try_at INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    last_error  TEXT,
    PRIMARY KEY (tenant_id, mail_id)
) STRICT, WITHOUT ROWID;
