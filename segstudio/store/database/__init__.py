"""The database file: connections, lock, schema, migrations, and what the disk says."""
