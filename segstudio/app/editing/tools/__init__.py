"""Tools: small state machines over plain pointer values."""
