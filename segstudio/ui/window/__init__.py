"""The main window: bars, status, messages, and where they stand."""
