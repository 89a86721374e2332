"""The one writer: its thread, the journal, derived figures, and edits that wait outside."""
