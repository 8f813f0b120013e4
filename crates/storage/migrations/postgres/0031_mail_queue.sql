CREATE TABLE mail_queue (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    mail_id     TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    sealed      BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT,
    PRIMARY KEY (tenant_id, mail_id)
);
