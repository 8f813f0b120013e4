CREATE INDEX events_decided ON events (tenant_id, log_id) WHERE decision IS NOT NULL;
