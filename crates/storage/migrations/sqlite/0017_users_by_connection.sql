CREATE INDEX users_by_connection ON users (tenant_id, connection_id);
