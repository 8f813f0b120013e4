CREATE INDEX events_decided_by_ip ON events (tenant_id, ip, log_id) WHERE decision IS NOT NULL;
