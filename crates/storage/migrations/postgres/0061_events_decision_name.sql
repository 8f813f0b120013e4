ALTER TABLE events ADD COLUMN decision_name TEXT COLLATE "C";
