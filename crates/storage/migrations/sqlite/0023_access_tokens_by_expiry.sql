CREATE INDEX access_tokens_by_expiry ON access_tokens (tenant_id, expires_at);
