"""The store: answers and bans that last, in SQLite or PostgreSQL."""
