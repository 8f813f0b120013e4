UPDATE events SET decision_name = LOWER(user_name) WHERE decision_name IS NULL AND user_name IS NOT NULL;
