CREATE UNIQUE INDEX resource_servers_by_identifier ON resource_servers (tenant_id, identifier);
