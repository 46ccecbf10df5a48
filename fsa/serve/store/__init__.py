"""What the server keeps: people, their choices, and hashed keys, in SQLite or PostgreSQL."""
