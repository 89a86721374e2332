"""The project on disk: SQLite, one writer thread, the journal, the lock, proposals. No Qt, no torch."""
