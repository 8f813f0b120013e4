ALTER TABLE events RENAME COLUMN decision_name TO identifier;
