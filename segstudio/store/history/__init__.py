"""What was: undo, earlier states, snapshots, restoring, compacting."""
