CREATE INDEX tickets_by_expiry ON tickets (tenant_id, expires_at);
