CREATE INDEX events_by_type ON events (tenant_id, event_type, log_id);
