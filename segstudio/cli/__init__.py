"""The command line: a module a command, imported when it is asked for. No Qt, no torch."""
