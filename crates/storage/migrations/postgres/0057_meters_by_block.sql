CREATE INDEX meters_by_block ON meters (tenant_id, kind, told) WHERE told > 0;
