CREATE INDEX users_by_age ON users (tenant_id, created_at, user_id);
