CREATE INDEX users_by_email ON users (tenant_id, email_key);
