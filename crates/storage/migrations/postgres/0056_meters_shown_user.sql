ALTER TABLE meters ADD COLUMN shown_user TEXT;
