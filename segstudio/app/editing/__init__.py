"""Labels in memory: open documents, tools, undo, whole-image edits, what is saved."""
