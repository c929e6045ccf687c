"""After a restore: what the database and the broker do not agree on, and how it is settled."""
