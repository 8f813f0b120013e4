CREATE INDEX events_by_client ON events (tenant_id, client_id, log_id) WHERE client_id IS NOT NULL;
