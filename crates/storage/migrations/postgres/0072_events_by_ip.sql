CREATE INDEX events_by_ip ON events (tenant_id, ip, log_id) WHERE ip IS NOT NULL;
