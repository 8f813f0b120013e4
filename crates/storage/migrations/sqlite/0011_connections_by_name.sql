CREATE UNIQUE INDEX connections_by_name ON connections (tenant_id, name);
