CREATE INDEX mail_queue_by_next_try ON mail_queue (tenant_id, next_try_at);
