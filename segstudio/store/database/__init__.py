"""The database file: connections, lock, schema, migrations, and the errors of the disk."""
