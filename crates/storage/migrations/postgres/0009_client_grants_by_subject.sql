CREATE UNIQUE INDEX client_grants_by_subject ON client_grants (tenant_id, client_id, audience, subject_type);
