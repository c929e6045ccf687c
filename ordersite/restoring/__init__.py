"""After a restore: the differences between database and broker, and how they are settled."""
