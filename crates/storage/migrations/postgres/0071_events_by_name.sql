CREATE INDEX events_by_name ON events (tenant_id, decision_name, log_id) WHERE decision_name IS NOT NULL;
