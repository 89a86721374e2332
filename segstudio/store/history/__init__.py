"""The past: undo, earlier states, snapshots, restoring, compacting."""
