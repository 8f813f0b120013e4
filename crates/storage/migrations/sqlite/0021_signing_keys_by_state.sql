CREATE UNIQUE INDEX signing_keys_by_state ON signing_keys (tenant_id, state) WHERE state IN ('current', 'next');
