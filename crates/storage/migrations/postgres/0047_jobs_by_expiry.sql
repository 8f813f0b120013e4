CREATE INDEX jobs_by_expiry ON jobs (tenant_id, expires_at);
