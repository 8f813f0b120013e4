CREATE INDEX meters_by_source ON meters (tenant_id, source_key);
