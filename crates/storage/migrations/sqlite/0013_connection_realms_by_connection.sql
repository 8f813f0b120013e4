CREATE INDEX connection_realms_by_connection ON connection_realms (tenant_id, connection_id);
