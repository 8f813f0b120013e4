CREATE INDEX tickets_by_user ON tickets (tenant_id, user_id, kind);
