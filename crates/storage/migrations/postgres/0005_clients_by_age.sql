CREATE INDEX clients_by_age ON clients (tenant_id, created_at, client_id);
