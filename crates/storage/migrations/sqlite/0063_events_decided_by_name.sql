CREATE INDEX events_decided_by_name ON events (tenant_id, decision_name, log_id) WHERE decision IS NOT NULL;
