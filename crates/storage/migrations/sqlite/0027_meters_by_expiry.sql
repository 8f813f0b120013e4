CREATE INDEX meters_by_expiry ON meters (tenant_id, expires_at);
