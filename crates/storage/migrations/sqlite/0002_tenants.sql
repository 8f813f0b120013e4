CREATE TABLE tenants (
    tenant_id         TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    domain            TEXT NOT NULL,
    aliases           TEXT NOT NULL,
    settings          TEXT NOT NULL,
    attack_protection TEXT NOT NULL,
    version           INTEGER NOT NULL
) STRICT;
