CREATE INDEX meters_by_account ON meters (tenant_id, account_key);
