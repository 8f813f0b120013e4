CREATE INDEX events_by_user ON events (tenant_id, user_id, log_id);
